"""make compare: how well the line understands texts, beside three simpler ways, in one run; and a picture of it.

Simpler ways, each with the very phrases of our files and told the language, which the line is not:
- exact keyword: the whole text is a phrase;
- has any word: RapidPro's test of that name; a text with any word of a phrase has its meaning, urgent first;
- token set: the phrase with the best token_set_ratio of rapidfuzz, at 80 or more.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import product
from pathlib import Path

from rapidfuzz import fuzz, process

from ivr.catalogue import load_catalogue
from ivr.folding import fold_words
from ivr.lexicon import LABELS, STRONG, TOPICS, WEAK, Line
from ivr.settings import HOME
from ivr.understanding import understand

HERE = Path(__file__).parent / "understanding"
PICTURE = HOME / "docs" / "understanding.svg"
SHOWN = tuple(label for label in LABELS if label not in ("country", "report"))
LEXICON = load_catalogue().lexicon
Way = Callable[[str, str], str]


@dataclass(frozen=True)
class Text:
    """One labelled text: what it is, what else is right, and whether it only sounds like an emergency."""

    text: str
    lang: str
    intent: str
    also_ok: tuple[str, ...]
    hard: bool
    chatter: bool


def read(half: str) -> list[Text]:
    rows = map(json.loads, (HERE / f"{half}.jsonl").read_text(encoding="utf-8").splitlines())
    known = LEXICON.scripts
    return [
        Text(row["text"], row["lang"], row["intent"], tuple(row["also_ok"]), row["hard"], bool(row.get("chatter")))
        for row in rows
        if row["lang"] in known
    ]


# --- four ways ------------------------------------------------------------------------------------------


def intent_of(line: Line) -> str:
    if line.concept in {*STRONG, *WEAK}:
        return "urgent"
    return "language" if line.concept.startswith("name.") else line.concept


def phrases() -> dict[str, dict[str, str]]:
    """For each language its folded phrases and what they mean; urgent wins where two files' lines differ."""
    known: dict[str, dict[str, str]] = defaultdict(dict)
    for line in LEXICON.lines:
        if intent_of(line) in SHOWN:
            for phrase in line.spelled():
                key = fold_words(phrase.replace("*", " ").replace("-", ""))
                known[line.language][key] = (
                    "urgent" if "urgent" in (known[line.language].get(key), intent_of(line)) else intent_of(line)
                )
    return known


PHRASES = phrases()
WORDS: dict[str, dict[str, str]] = defaultdict(dict)
for _language, _phrases in PHRASES.items():
    for _phrase, _intent in sorted(_phrases.items(), key=lambda each: each[1] == "urgent"):
        WORDS[_language] |= dict.fromkeys(_phrase.split(), _intent)


def the_line(text: str, _language: str) -> str:
    intent = understand(text, None, LEXICON).intents[0]
    return {"country": "menu", "report": "menu"}.get(intent, intent)


def exact(text: str, language: str) -> str:
    return PHRASES[language].get(fold_words(text), "unknown")


def any_word(text: str, language: str) -> str:
    found = {WORDS[language][word] for word in fold_words(text).split() if word in WORDS[language]}
    return "urgent" if "urgent" in found else next((label for label in SHOWN if label in found), "unknown")


def token_set(text: str, language: str) -> str:
    known = PHRASES[language]
    best = process.extractOne(fold_words(text), known.keys(), scorer=fuzz.token_set_ratio, score_cutoff=80)
    return known[best[0]] if best else "unknown"


WAYS: dict[str, Way] = {
    "the line (language not told)": the_line,
    "exact keyword": exact,
    "has any word": any_word,
    "token set ratio 80": token_set,
}


# --- what it comes to -----------------------------------------------------------------------------------


def share(right: list[bool]) -> str:
    return f"{100 * sum(right) / len(right):7.1f}" if right else "      -"


def row(texts: list[Text], said: dict[Text, str]) -> str:
    calm = [text for text in texts if text.intent != "urgent" and "urgent" not in text.also_ok]
    cells = [
        share([said[text] == "urgent" for text in texts if text.intent == "urgent"]),
        share([said[text] == "urgent" for text in calm if not text.chatter]),
        share([said[text] == "urgent" for text in calm if text.hard]),
        share([said[text] == "urgent" for text in calm if text.chatter]),
        share([said[text] in (text.intent, *text.also_ok) for text in texts if text.intent in TOPICS]),
        share(
            [
                said[text] in ("unknown", *text.also_ok)
                for text in texts
                if text.intent == "unknown" and not text.chatter
            ]
        ),
    ]
    return "".join(cells)


HEAD = "   urg%  false   hard  chat.  topic  unkn."


SIZE, GAP, COLUMNS = 13, 60, 4  # of a cell and between squares, in pixels
SIDE = SIZE * len(SHOWN)


def picture(texts: list[Text], said: dict[Text, str]) -> str:
    """One square a language: what a text is (down) against what it was taken for (across)."""
    languages = list(dict.fromkeys(text.lang for text in texts))
    width, height = 90 + COLUMNS * (SIDE + GAP), 70 + -(-len(languages) // COLUMNS) * (SIDE + GAP + 30)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
    title = "What a text is (down) and what it was taken for (across), darker for a larger share of its row"
    parts = [f'{svg} font-size="9">', f'<rect width="{width}" height="{height}" fill="#fff"/>']
    parts.append(f'<text x="10" y="20" font-size="14">{title}</text>')
    for number, language in enumerate(languages):
        x, y = 90 + number % COLUMNS * (SIDE + GAP), 70 + number // COLUMNS * (SIDE + GAP + 30)
        pairs = Counter((each.intent, said[each]) for each in texts if each.lang == language and not each.chatter)
        parts += square(language, pairs, x, y)
        if number % COLUMNS == 0:
            rows = enumerate(SHOWN)
            parts += [f'<text x="{x - 6}" y="{y + n * SIZE + 10}" text-anchor="end">{name}</text>' for n, name in rows]
    return "\n".join([*parts, "</svg>\n"])


def square(language: str, pairs: Counter[tuple[str, str]], x: int, y: int) -> Iterator[str]:
    yield f'<text x="{x}" y="{y - 8}" font-size="13" font-weight="bold">{escape(language)}</text>'
    totals = Counter({is_: sum(pairs[is_, taken] for taken in SHOWN) for is_ in SHOWN})
    for (down, is_), (across, taken) in product(enumerate(SHOWN), enumerate(SHOWN)):
        part = pairs[is_, taken] / totals[is_] if totals[is_] else 0.0
        fill = f"rgba(30,145,95,{part:.2f})" if is_ == taken else f"rgba(215,40,40,{part:.2f})"
        told = f"{language}: {is_} taken for {taken}: {pairs[is_, taken]} of {totals[is_]}"
        place = f'x="{x + across * SIZE}" y="{y + down * SIZE}" width="{SIZE - 1}" height="{SIZE - 1}"'
        yield f'<rect {place} fill="{fill}" stroke="#ddd" stroke-width=".5"><title>{told}</title></rect>'
    for across, taken in enumerate(SHOWN):
        yield f'<text transform="translate({x + across * SIZE + 9},{y + SIDE + 4}) rotate(60)">{taken}</text>'


def main(half: str) -> None:
    texts = read(half)
    print(f"{len(texts)} texts, {half} half\n{'':32}{HEAD}    µs a text")
    results: dict[str, dict[Text, str]] = {}
    for name, way in WAYS.items():
        began = time.perf_counter()
        results[name] = {text: way(text.text, text.lang) for text in texts}
        took = 1e6 * (time.perf_counter() - began) / len(texts)
        print(f"{name:32}{row(texts, results[name])} {took:10.0f}", flush=True)
    said = results["the line (language not told)"]
    print(f"\n{'':32}{HEAD}")
    for language in dict.fromkeys(text.lang for text in texts):
        print(f"{language:32}{row([text for text in texts if text.lang == language], said)}")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(texts, said), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["open"])
