"""make rates: how fast each language is spoken, measured with the offline engine on the line's own sentences.

Prints characters a second, pauses and all, for content/languages.toml. The engine runs in a process of its own:
it keeps its state in the process, and its licence (GPL-3) stays out of ours.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

from ivr.catalogue import load_catalogue
from ivr.model import KINDS, TOPICS

SETTING = 160  # the engine's words a minute, at which our English takes as long as with a telephone voice
VOICES = {
    "en": "en-us",
    "es": "es-419",
    "pt": "pt-br",
    "zh": "cmn",
    "fil": "id",
}  # where the engine's name is not the language's


def spoken() -> dict[str, list[str]]:
    """Every sentence of the topics, the menu and the urgent messages of each language that is spoken."""
    sentences = {}
    for language, wording in load_catalogue().languages.items():
        if wording.edition.phone in ("", language):
            parts = [part for topic in TOPICS for part in wording.parts[topic]]
            parts += [wording.urgent_spoken(kind, "KE") for kind in KINDS]
            sentences[language] = [line for part in (*parts, wording.menu_spoken()) for line in part]
    return sentences


def synthesise() -> None:
    """In the child: read {"voice", "lines"} from standard input, write the seconds that the lines take."""
    import espeakng_loader

    os.chdir(Path(espeakng_loader.__file__).parent)  # the engine takes no long path
    engine = ctypes.CDLL(espeakng_loader.get_library_path())
    wanted = json.load(sys.stdin)
    samples = 0

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def count(_wave: object, number: int, _events: object) -> int:
        nonlocal samples
        samples += number
        return 0

    a_second = engine.espeak_Initialize(2, 0, b".", 0)
    engine.espeak_SetSynthCallback(count)
    if engine.espeak_SetVoiceByName(wanted["voice"].encode()):
        raise SystemExit(f"the engine has no voice {wanted['voice']}")
    engine.espeak_SetParameter(1, SETTING, 0)
    for line in wanted["lines"]:
        text = line.encode() + b"\0"
        engine.espeak_Synth(text, len(text), 0, 0, 0, 1, None, None)
        engine.espeak_Synchronize()
    json.dump(samples / a_second, sys.stdout)


def main() -> None:
    for language, lines in spoken().items():
        wanted = json.dumps({"voice": VOICES.get(language, language), "lines": lines})
        child = [sys.executable, "-m", "tests.rates", "synthesise"]
        done = subprocess.run(child, input=wanted, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{language}: {done.stderr}")
        seconds = float(done.stdout)
        letters, words = sum(map(len, lines)), sum(len(line.split()) for line in lines)
        print(f"{language:4} {letters / seconds:5.1f} characters a second, {60 * words / seconds:4.0f} words a minute")


if __name__ == "__main__":
    synthesise() if sys.argv[1:] == ["synthesise"] else main()
