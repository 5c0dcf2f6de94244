"""What a text is like: every example in our files teaches which words, and which meanings together, speak for what.

Phrases decide what they know; this decides the rest, by the plainest means there is (naive Bayes): how often a word,
a run of letters or a pair of concepts stands in examples of one meaning against all others. It is counted from the
files alone, and sums are exact in whatever order (fsum): the same text always weighs the same, and the words that
weighed most can be told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations
from math import fsum, log
from pathlib import Path
from typing import NamedTuple

from ivr.folding import is_han, romanise
from ivr.model import KINDS, TOPICS
from ivr.rows import Rows

RARE = 0.2  # how often a feature counts as seen where it never was
STEMS = (4, 6)  # letters: a longer word also speaks for all that begin like it

MEANINGS = (*(f"urgent.{kind}" for kind in KINDS), *TOPICS, "unknown", "menu")

RUNS = (4, 5)  # letters and spaces in a row, for the endings and spellings that no word list holds
RUN_SEEN = 4  # times at least in all examples
RUN_WEIGHT = 0.2  # of a word's: runs overlap, and say much the same


class Features(NamedTuple):
    """What a text is weighed by: its words and single concepts, pairs of concepts, and runs of letters."""

    plain: frozenset[str]
    pairs: frozenset[str]
    runs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scales:
    """For each feature its weight for each meaning: logarithms, the larger the more usual there."""

    meanings: tuple[str, ...]
    weights: Rows
    alarms: Mapping[str, float]  # how much each feature speaks for an emergency, or against it

    def alarm(self, features: Features) -> float:
        """Above 0 the text is more like an emergency than like anything else."""
        return fsum(filter(None, map(self.alarms.get, chain.from_iterable(features))))

    def telling(self, features: Features) -> list[str]:
        """The words, concepts and pairs that speak for an emergency, the strongest first."""
        known = ((self.alarms.get(each, 0.0), each) for each in features.plain | features.pairs)
        return [each for weight, each in sorted(known, key=lambda pair: (-pair[0], pair[1])) if weight > 0]

    def weigh(self, features: Features) -> dict[str, float]:
        """How much the text is like the examples of each meaning; only differences mean something."""
        known = self.weights.known(features.plain)
        return dict(zip(self.meanings, map(fsum, zip(*known, strict=True)), strict=True)) if known else {}


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


def features_of(words: Iterable[str], tongue: str, sounded: bool, concepts: Iterable[str]) -> Features:
    """The features of a text in folded words; where `sounded`, they are spelled by ear first."""
    written = list(words)
    spelled = [romanise(word) for word in written] if sounded else written
    known = sorted(concepts)
    return Features(
        frozenset([f"{tongue}:{word}" for word in _spellings(spelled)] + [f"#{concept}" for concept in known]),
        frozenset(f"#{one}*{other}" for one, other in combinations(known, 2)),
        _runs(f" {' '.join(written)} "),
    )


def _runs(line: str) -> frozenset[str]:
    """Of whatever language: neighbours share them."""
    return frozenset(line[at : at + size] for size in RUNS for at in range(len(line) - size + 1))


def _spellings(words: list[str]) -> Iterator[str]:
    before = ""
    for word in words:
        yield "0" if word.isdecimal() else word
        if is_han(word[0]):
            yield before + word  # a character alone says little
            before = word
        else:
            yield from (word[:size] + "-" for size in STEMS if len(word) > size)


def scales(examples: Iterable[tuple[str, Features]]) -> Scales:
    """Count what stands in examples: their meaning (`urgent.kind` or an intent), and their features."""
    plain: dict[str, Counter[str]] = defaultdict(Counter)
    alarming, runs = ([Counter[str](), Counter[str]()] for _ in range(2))  # of the urgent, of all others
    for meaning, features in examples:
        plain[meaning].update(features.plain)
        calm = not meaning.startswith("urgent.")
        alarming[calm].update(features.plain | features.pairs)
        runs[calm].update(features.runs)
    meanings = tuple(sorted(plain))
    weights = Rows.of(dict(_logarithms([plain[meaning] for meaning in meanings])), len(meanings))
    usual = {run for run, count in (runs[0] + runs[1]).items() if count >= RUN_SEEN}
    runs = [Counter({run: count for run, count in seen.items() if run in usual}) for seen in runs]
    alarms = {feature: alarm - calm for feature, (alarm, calm) in _logarithms(alarming)}
    alarms |= {run: RUN_WEIGHT * (alarm - calm) for run, (alarm, calm) in _logarithms(runs)}
    return Scales(meanings, weights, alarms)


def _logarithms(counts: list[Counter[str]]) -> Iterator[tuple[str, list[float]]]:
    features = dict.fromkeys(feature for seen in counts for feature in seen)
    usual = cache(lambda count: log(count + RARE))
    totals = [log(sum(seen.values()) + RARE * len(features)) for seen in counts]
    for feature in features:
        yield feature, [usual(seen[feature]) - total for seen, total in zip(counts, totals, strict=True)]
