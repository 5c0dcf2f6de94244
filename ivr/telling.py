"""Which language a text is in: its script first, then words and runs of letters from the phrase files themselves."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from operator import add

from ivr.folding import fold_words
from ivr.rows import Rows

BLOCKS = (
    (0x0250, "Latin"), (0x0400, ""), (0x0530, "Cyrillic"), (0x0600, ""), (0x0780, "Arabic"), (0x0900, ""),
    (0x0980, "Devanagari"), (0x0A00, "Bengali"), (0x1E00, ""), (0x1F00, "Latin"), (0x3400, ""), (0xA000, "Han"),
    (0xFB50, ""), (0xFE00, "Arabic"), (0xFE70, ""), (0xFF00, "Arabic"), (0x110000, ""),
)  # fmt: skip
LIMITS = tuple(limit for limit, _ in BLOCKS)
FLOOR = 2e-5  # how usual we take letters to be that a language's file never shows
TELLS = 1.5  # below this lead, a text does not tell its language
WORD = re.compile(r"[^\W\d_]+")
ALONE = 6.0  # the same for a single word, such as "menu", against the language remembered
BORROWED = 3.0  # the same for a single word that English has too, such as "dosage", where nothing is remembered
NEAR = 0.7  # of the best score: what a text may well be in, too
READ = 120  # letters that are enough to tell


def script_of(text: str) -> str:
    """The script of most letters; others count double beside Latin, where a medicine's name is often borrowed."""
    if text.isascii():
        return "Latin"
    letters = (ord(letter) for letter in text[:READ] if letter.isalpha())
    counts = Counter(BLOCKS[bisect_right(LIMITS, letter)][1] for letter in letters)
    counts.pop("", None)
    return max(counts, key=lambda script: counts[script] * (1 if script == "Latin" else 2), default="")


@dataclass(frozen=True, slots=True)
class Telling:
    """The language of a text, or None where it does not tell, and all that it may well be in, the likeliest first."""

    language: str | None
    near: tuple[str, ...]


def language_of(text: str, remembered: str | None, features: Rows, scripts: Mapping[str, str]) -> Telling:
    """The language of a text among these, each with its script; the remembered one decides a tie."""
    if sum(map(str.isalpha, text[:READ])) < 3 and text.isascii():
        return Telling(None, tuple(scripts))
    script = script_of(text)
    possible = [tag for tag in scripts if scripts[tag] == script]
    if len(possible) < 2:
        return Telling(possible[0] if possible and not text.isascii() else None, tuple(possible or scripts))
    scores = [0.0] * len(scripts)
    words = WORD.findall(unicodedata.normalize("NFC", text[:READ]).casefold())
    for word in words:
        for evidence in _evidence(f" {word} ", features):
            scores = list(map(add, scores, evidence))
    lead = TELLS if len(words) > 1 else ALONE
    scored = zip(scripts, scores, strict=True)
    return _leader({tag: score for tag, score in scored if scripts[tag] == script}, remembered, lead)


def _leader(scores: Mapping[str, float], remembered: str | None, lead: float) -> Telling:
    ordered = sorted(scores, key=lambda tag: -scores[tag])
    best, second = ordered[:2]
    near = tuple(tag for tag in ordered if scores[tag] >= NEAR * scores[best])
    behind = scores[best] - scores.get("en", 0)
    borrowed = scores[best] > 0 and behind < (BORROWED if lead == ALONE else TELLS)  # from English, by many
    if remembered and remembered in scores and (scores[best] - scores[remembered] < lead or (borrowed and behind)):
        return Telling(remembered if scores[best] > 0 else None, near)
    if borrowed and not remembered:
        return Telling("en", near)
    return Telling(best if scores[best] - scores[second] >= TELLS else None, near)


def _evidence(word: str, features: Rows) -> list[Sequence[float]]:
    """A word known to any language has all its evidence added up already; another is looked at in threes."""
    return features.known([word]) or features.known(_threes(word))


def _counted(texts: Iterable[str]) -> Counter[str]:
    """Whole words and runs of three letters, as typed but for case, and how often each stands in these texts."""
    words = Counter(f" {word} " for text in texts for word in WORD.findall(text.casefold()))
    counts = Counter(words)
    for word, often in words.items():
        for letters in _threes(word):
            counts[letters] += often
    return counts


def _threes(word: str) -> list[str]:
    return [word[at : at + 3] for at in range(len(word) - 2)]


def usual_script(texts: Iterable[str]) -> str:
    """The script that most of these texts are in."""
    return Counter(map(script_of, texts)).most_common(1)[0][0]


def features_of(samples: Mapping[str, Iterable[str]]) -> Rows:
    """How much each word or run of letters speaks for each language, in logarithms above the floor.

    `samples`: by language, what is written in it.
    """
    features: dict[str, list[float]] = {}
    for place, texts in enumerate(samples.values()):
        seen = _counted(spelling for text in texts for spelling in (text, fold_words(text)))
        total = seen.total()
        for feature, count in seen.items():
            features.setdefault(feature, [0.0] * len(samples))[place] = log(1 + count / total / FLOOR)
    summed = {word: row if len(word) == 3 else _sum(word, features) for word, row in features.items()}
    return Rows.of(summed, len(samples))


def _sum(word: str, features: Mapping[str, Sequence[float]]) -> list[float]:
    return [sum(column) for column in zip(features[word], *(features[three] for three in _threes(word)), strict=True)]
