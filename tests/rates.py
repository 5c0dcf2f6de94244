"""make rates: how fast each language is spoken, measured with the offline engine on the line's own sentences.

Prints characters a second, pauses and all, for content/languages.toml. The engine runs in a process of its own:
it keeps its state in the process, and its licence (GPL-3) stays out of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys

from ivr.catalogue import countries_of, load_wordings
from ivr.content import Source
from ivr.espeak import Espeak
from ivr.model import KINDS, TOPICS
from ivr.settings import HOME
from ivr.speech import spoken
from ivr.wording import Wording

SETTING = 160  # the engine's words a minute, at which our English takes as long as with a telephone voice
VOICES = {"ar": "ar", "fil": "id"}  # not fit to be heard, but near enough to be timed


def lines_of(wording: Wording) -> list[str]:
    """Every sentence of the topics, the menu and the urgent messages."""
    parts = [part for topic in TOPICS for part in wording.parts[topic]]
    parts += [wording.urgent_spoken(kind, "KE") for kind in KINDS]
    return [line for part in (*parts, wording.menu_spoken()) for line in part]


def time_aloud() -> None:
    """In the child: read {"voice", "lines"} from standard input, write the seconds that the lines take."""
    wanted = json.load(sys.stdin)
    engine = Espeak(wanted["voice"], SETTING)
    json.dump(sum(len(engine.say(line)) for line in wanted["lines"]) / 2 / engine.samples_a_second, sys.stdout)


def main() -> None:
    source = Source(HOME / "content", HOME / "locales")
    for language, wording in spoken(load_wordings(source, countries_of(source))[0]).items():
        lines = lines_of(wording)
        wanted = json.dumps({"voice": wording.edition.espeak or VOICES.get(language, language), "lines": lines})
        child = [sys.executable, "-m", "tests.rates", "time_aloud"]
        done = subprocess.run(child, input=wanted, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{language}: {done.stderr}")
        seconds = float(done.stdout)
        letters, words = sum(map(len, lines)), sum(len(line.split()) for line in lines)
        print(f"{language:4} {letters / seconds:5.1f} characters a second, {60 * words / seconds:4.0f} words a minute")


if __name__ == "__main__":
    time_aloud() if sys.argv[1:] == ["time_aloud"] else main()
