"""What a text is like: every example in our files teaches which words, and which meanings together, speak for what.

Phrases decide what they know; this decides the rest, by the plainest means there is (naive Bayes): how often a word,
or a pair of concepts, stands in examples of one meaning against all others. It is counted anew at each start, from the
files alone, so the same text always weighs the same, and the words that weighed most can be told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import log
from pathlib import Path

from ivr.folding import is_han, romanise
from ivr.model import KINDS, TOPICS
from ivr.rows import Rows

RARE = 0.2  # how often a feature counts as seen where it never was
STEMS = (4, 6)  # letters: a longer word also speaks for all that begin like it
ALARM, CALM = "alarm", "calm"  # all urgent examples, and all others

MEANINGS = (*(f"urgent.{kind}" for kind in KINDS), *TOPICS, "unknown", "menu")

Features = frozenset[str]


@dataclass(frozen=True, slots=True)
class Scales:
    """For each feature its weight for each meaning: logarithms, the larger the more usual there."""

    meanings: tuple[str, ...]
    weights: Rows
    alarms: Mapping[str, float]  # how much each feature speaks for an emergency, or against it

    def alarm(self, features: Features) -> float:
        """Above 0 the text is more like an emergency than like anything else."""
        return sum(self.alarms.get(feature, 0.0) for feature in features)

    def telling(self, features: Features) -> list[str]:
        """The features that speak for an emergency, the strongest first."""
        return sorted((each for each in features if self.alarms.get(each, 0) > 0), key=lambda each: -self.alarms[each])

    def weigh(self, features: Features) -> dict[str, float]:
        """How much the text is like the examples of each meaning; only differences mean something."""
        known = self.weights.known(features)
        return dict(zip(self.meanings, map(sum, zip(*known, strict=True)), strict=True)) if known else {}


NOTHING = Scales((), Rows.of({}, 0), {})


def read_examples(path: Path) -> Iterator[tuple[str, str]]:
    """Lines `meaning:` and below each `> text`, as pairs. Raises ValueError that names file and line."""
    meaning = ""
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = raw.strip()
        if text.startswith(">") and meaning:
            yield meaning, text[1:].strip()
        elif text and not text.startswith("#"):
            meaning, colon, rest = text.partition(":")
            if meaning not in MEANINGS or not colon or rest.strip():
                known = ", ".join(MEANINGS)
                raise ValueError(f"{path}:{number}: expected `> text` or one of {known} with a colon, found {text!r}")


def features_of(words: Iterable[str], tongue: str, sounded: bool, concepts: Iterable[str]) -> tuple[Features, Features]:
    """The features of a text by its words and single concepts, and those by pairs of concepts."""
    spelled = [romanise(word) for word in words] if sounded else list(words)
    known = sorted(concepts)
    plain = frozenset([f"{tongue}:{word}" for word in _spellings(spelled)] + [f"#{concept}" for concept in known])
    return plain, frozenset(f"#{one}*{other}" for one, other in combinations(known, 2))


def _spellings(words: list[str]) -> Iterator[str]:
    before = ""
    for word in words:
        yield "0" if word.isdecimal() else word
        if is_han(word[0]):
            yield before + word  # a character alone says little
            before = word
        else:
            yield from (word[:size] + "-" for size in STEMS if len(word) > size)


def scales(examples: Iterable[tuple[str, Features, Features]]) -> Scales:
    """Count what stands in examples: their meaning (`urgent.kind` or an intent), their plain features, their pairs."""
    plain: dict[str, Counter[str]] = defaultdict(Counter)
    alarming: dict[str, Counter[str]] = {ALARM: Counter(), CALM: Counter()}
    for meaning, words, pairs in examples:
        plain[meaning].update(words)
        alarming[ALARM if meaning.startswith("urgent.") else CALM].update(words | pairs)
    meanings = tuple(sorted(plain))
    weights = Rows.of(dict(_logarithms([plain[meaning] for meaning in meanings])), len(meanings))
    alarms = {feature: alarm - calm for feature, (alarm, calm) in _logarithms([alarming[ALARM], alarming[CALM]])}
    return Scales(meanings, weights, alarms)


def _logarithms(counts: list[Counter[str]]) -> Iterator[tuple[str, list[float]]]:
    features = dict.fromkeys(feature for seen in counts for feature in seen)
    usual = cache(lambda count: log(count + RARE))
    totals = [log(sum(seen.values()) + RARE * len(features)) for seen in counts]
    for feature in features:
        yield feature, [usual(seen[feature]) - total for seen, total in zip(counts, totals, strict=True)]
