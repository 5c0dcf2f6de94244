"""The phrase files, compiled once: which concept each phrase stands for, and where phrases stand in a text.

The words live in content/phrases.txt and locales/*/phrases.txt; here live only the concepts and how they combine.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from typing import NamedTuple

from ivr.folding import Folded, fold, fold_words, romanise
from ivr.matching import GAP, JOINED, SOUND, Graph, Symbols
from ivr.model import KEYS as PHONE_KEYS
from ivr.rows import Rows
from ivr.telling import features_of, usual_script
from ivr.weighing import NOTHING, Scales

LABELS = (
    "uses", "benefits", "side_effects", "dosage", "warnings", "stopping",
    "urgent", "menu", "language", "country", "more", "report", "call_me", "stop", "unknown",
)  # fmt: skip
ROMANISED = ("hi-Latn", "ur-Latn")
MARKS = {"hi-Latn": SOUND, "ur-Latn": SOUND, "ar": JOINED}
# Hindi and Urdu in Latin letters are one spoken language in two files: the words of each serve both.
KIN = {"ur-Latn": "hi-Latn"}

# The order breaks ties: the more it can hurt to miss a topic, the earlier it stands.
TOPICS = ("stopping", "warnings", "side_effects", "dosage", "benefits", "uses")
KEYS = {key: intent for key, intent in PHONE_KEYS.items() if key.isdigit()} | {"8": "call_me"}

# --- concepts -------------------------------------------------------------------------------------------

COMMANDS = ("help", "menu", "more", "language", "country", "report", "call_me", "stop")
NAME = "name."  # name.es: the name of Spanish
SPOKEN_KEYS = tuple(f"key.{key}" for key in KEYS)
FILLERS = ("polite", "wanting", "press", "speak", *SPOKEN_KEYS)

# No framing cancels these.
STRONG = {
    "overdose": "overdose",
    "self_harm": "self_harm",
    "pump_alarm": "pump",
    "withdrawal": "withdrawal",
    "breathing": "general",
    "swelling": "general",
    "unresponsive": "general",
    "seizing": "general",
    "emergency": "general",
}
# Nouns of danger: a question, a past or a joke around them turns them into a topic.
WEAK = {
    "overdose_word": "overdose",
    "suicide_word": "self_harm",
    "hard_breathing": "general",
    "swollen": "general",
    "seizure": "general",
    "hallucination": "general",
    "confusion": "general",
    "fainting": "general",
    "heart": "general",
    "urine": "general",
    "severe": "general",
    "scene": "general",  # what a weak combination makes; no word of its own
}
SIGNS = ("sign", *(word for word in WEAK if word not in {"overdose_word", "suicide_word", "scene"}))
PARTS = (
    "child", "took", "swallowed", "pill", "drug", "too_many", "many", "all", "mistake", "twice", "missing",
    "pump", "alarm", "ran_out", "sign", "cant", "breathe", "wake", "respond", "knows", "urinate",
    "pulse", "badly", "face", "swell", "person", "blue", "sees", "unreal",
    "pointless", "living", "harm", "self",
)  # fmt: skip
FRAMES = ("asking", "history", "noise", "idiom", "negation", "but", "now", "habit", "daily", "unit")
# How much a concept speaks for each topic: 2 decides, 1 needs company.
WEIGHTS: dict[str, dict[str, int]] = {
    **{topic: {topic: 2} for topic in TOPICS},
    **{f"{topic}_hint": {topic: 1} for topic in TOPICS},
    "symptom": {"side_effects": 2},
    "condition": {"benefits": 1, "uses": 1},
    "price": dict.fromkeys(TOPICS, -2),  # what it costs and where it is sold is none of our topics
}
DECIDED = 2
MOST_CHOICES = 1024  # phrases that one phrase with alternatives may stand for
FIRST_WORDS = 40  # where a wrong letter is looked for
SAID = frozenset([*WEIGHTS, "drug", "pill", "polite"])  # what a text may consist of for a hint to be enough
OTHERS = ("chatter", "leave")
URGENT = frozenset([*STRONG, *WEAK, *PARTS])
CONCEPTS = frozenset(
    [*COMMANDS, *FILLERS, *STRONG, *WEAK, *PARTS, *FRAMES, *WEIGHTS, *OTHERS],
) - {"scene"}


@dataclass(frozen=True, slots=True)
class Combination:
    """Concepts that together are urgent when they stand near each other."""

    concepts: tuple[str, ...]
    kind: str
    unless: tuple[str, ...] = ()
    within: int = 16  # words from the first to the last
    weak: bool = False  # a question, the past or a joke cancels it

    @property
    def rule(self) -> str:
        return "*".join(self.concepts)


COMBINATIONS = (
    Combination(("child", "swallowed"), "overdose"),
    Combination(("child", "took", "pill"), "overdose", unless=("habit", "daily")),
    Combination(("child", "took", "drug"), "overdose", unless=("habit", "daily")),
    Combination(("child", "missing", "pill"), "overdose"),
    Combination(("took", "too_many", "pill"), "overdose", unless=("daily",), within=10),
    Combination(("took", "too_many", "drug"), "overdose", unless=("daily",), within=10),
    Combination(("took", "amount"), "overdose", unless=("daily",), within=10),
    Combination(("took", "all", "pill"), "overdose", unless=("daily",), within=10),
    Combination(("took", "all", "drug"), "overdose", unless=("daily",), within=10),
    Combination(("swallowed", "too_many"), "overdose", within=10),
    Combination(("swallowed", "many"), "overdose", within=10),
    Combination(("swallowed", "all", "pill"), "overdose", within=10),
    Combination(("took", "mistake", "pill"), "overdose"),
    Combination(("took", "mistake", "drug"), "overdose"),
    Combination(("took", "mistake", "many"), "overdose"),
    Combination(("took", "twice"), "overdose", unless=("daily",), within=10),
    Combination(("cant", "breathe"), "general", within=5),
    Combination(("cant", "wake"), "general", within=6),
    Combination(("pointless", "living"), "self_harm", within=7),
    Combination(("harm", "self"), "self_harm", within=4),
    Combination(("cant", "living"), "self_harm", within=4),
    Combination(("took", "many", "sign"), "overdose", unless=("daily", "habit"), within=12),
    Combination(("cant", "respond"), "general", within=5, weak=True),
    Combination(("cant", "knows"), "general", within=6, weak=True),
    Combination(("cant", "urinate"), "general", within=7, weak=True),
    Combination(("breathe", "badly"), "general", within=8, weak=True),
    Combination(("pulse", "badly"), "general", within=8, weak=True),
    Combination(("pulse", "many"), "general", within=5, weak=True),
    Combination(("sees", "unreal"), "general", within=8, weak=True),
    Combination(("face", "swell"), "general", within=6, weak=True),
    Combination(("face", "blue"), "general", within=7, weak=True),
    Combination(("person", "blue"), "general", within=4, weak=True),
    Combination(("pump", "alarm"), "pump"),
    *(Combination(("pump", sign), "pump", unless=("asking", "benefits")) for sign in SIGNS),
    *(Combination(("ran_out", sign), "withdrawal", within=30) for sign in SIGNS),
)

BEGINNINGS = {
    first: tuple(each for each in COMBINATIONS if each.concepts[0] == first)
    for first in {each.concepts[0] for each in COMBINATIONS}
}


# --- values ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Cue:
    """What a phrase stands for: a concept, in one line of one language's file. `rule`: the concepts that made it."""

    language: str
    concept: str
    line: int = 0
    rule: str = ""
    tongue: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tongue", KIN.get(self.language, self.language))


class Found(NamedTuple):
    """A cue in a text, from its first word to its last."""

    cue: Cue
    first: int
    last: int

    @property
    def concept(self) -> str:
        return self.cue.concept

    def holds(self, other: Found) -> bool:
        return self.first <= other.first and other.last <= self.last

    def meets(self, other: Found) -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a phrase file with the examples below it."""

    place: str
    number: int
    language: str
    concept: str
    phrases: tuple[str, ...]  # as written, with their `a|b`
    examples: tuple[str, ...]

    def spelled(self) -> Iterator[str]:
        """Each phrase with each choice made; an empty one leaves the word out."""
        for phrase in self.phrases:
            yield from (" ".join(filter(None, words)) for words in product(*(w.split("|") for w in phrase.split())))

    def words(self) -> set[str]:
        return {word for phrase in self.phrases for each in phrase.split() for word in each.split("|") if word}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The phrase files of all languages, compiled once."""

    lines: tuple[Line, ...]
    graph: Graph[Cue]
    commands: Mapping[str, tuple[str, ...]]  # whole message -> concepts
    features: Rows  # letters -> how usual in each language
    vocabulary: Mapping[str, Mapping[str, frozenset[str]]]  # language -> longer word -> concepts
    scripts: Mapping[str, str]  # language -> the script it is written in
    many: Mapping[str, Cue]  # tongue -> what a number stands for
    scales: Scales = NOTHING  # what examples teach


# --- reading the files ----------------------------------------------------------------------------------


def load_lexicon(files: Mapping[str, Path]) -> Lexicon:
    """Compile phrase files; a fault in a file raises ValueError that names file and line."""
    lines = tuple(line for language, path in files.items() for line in _read(language, path))
    lexicon = Lexicon(
        lines=lines,
        graph=Graph(*(_phrases(language, lines) for language in files)),
        commands=_commands(lines),
        features=features_of({language: _samples(language, lines) for language in files}),
        vocabulary=_vocabulary(lines),
        scripts={language: usual_script(_examples(language, lines)) for language in files},
        many={KIN.get(language, language): Cue(language, "many") for language in files},
    )
    _folded_word.cache_clear()
    silent = [fault for line in lines for fault in _silent_examples(line, lexicon)]
    if silent:
        raise ValueError("\n".join(silent))
    return lexicon


def _read(language: str, path: Path) -> Iterator[Line]:
    """The lines of one file: `concept: phrase, phrase` and below it `> example`."""
    entry: Line | None = None
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = raw.strip()
        if text.startswith(">") and entry:
            entry = replace(entry, examples=(*entry.examples, text[1:].strip()))
        elif text and not text.startswith("#"):
            if entry:
                yield _whole(entry)
            entry = _entry(language, f"{path.parent.name}/{path.name}:{number}", number, text)
    if entry:
        yield _whole(entry)


def _entry(language: str, place: str, number: int, text: str) -> Line:
    concept, colon, phrases = (part.strip() for part in text.partition(":"))
    if not colon:
        raise ValueError(f"{place}: expected `concept: phrase, phrase` or `> example`, found {text!r}")
    if concept not in CONCEPTS and not re.fullmatch(r"name\.[a-z]{2,3}(-Latn)?", concept):
        raise ValueError(f"{place}: there is no concept {concept!r}; see the list in content/phrases.txt")
    split = [phrase.strip() for phrase in re.split("[,،，、]", phrases) if phrase.strip()]
    for phrase in split:
        if prod(word.count("|") + 1 for word in phrase.split()) > MOST_CHOICES:
            raise ValueError(
                f"{place}: {phrase!r} stands for more than {MOST_CHOICES} phrases; use a star or two lines"
            )
    return Line(place, number, language, concept, tuple(split), ())


def _whole(line: Line) -> Line:
    if not line.phrases:
        raise ValueError(f"{line.place}: {line.concept} has no phrase")
    if not line.examples:
        raise ValueError(f"{line.place}: {line.concept} has no example; write one below it: > example")
    return line


def _phrases(language: str, lines: Iterable[Line]) -> Iterator[tuple[list[list[Symbols]], Cue]]:
    return (phrase for line in lines if line.language == language for phrase in _compiled(line))


def _compiled(line: Line) -> Iterator[tuple[list[list[Symbols]], Cue]]:
    """The phrases of a line as the graph takes them: for each word its choices, for each choice its symbols."""
    cue = Cue(line.language, line.concept, line.number)
    mark = MARKS.get(line.language, "")
    for phrase in line.phrases:
        slots = [[_symbols(choice, mark) for choice in word.split("|")] for word in phrase.replace("*", " * ").split()]
        symbols = [symbol for choices in slots for choice in choices for symbol in choice if symbol != GAP]
        if not symbols:
            raise ValueError(f"{line.place}: {phrase!r} has no letters")
        if not any(_long_enough(symbol.removeprefix(mark)) for symbol in symbols):
            raise ValueError(f"{line.place}: {phrase!r} is too short to look for")
        yield slots, cue


@cache
def _symbols(word: str, mark: str) -> Symbols:
    """What a word of a phrase asks for; it may fold into several words, as `d'alcool-` and every Chinese one do."""
    if word == GAP:
        return (GAP,)
    words = _folded_word(word).split()
    if mark == SOUND:
        words = [romanise(each) for each in words]
    if words and word.endswith("-"):
        words[-1] = _stem(_folded_word(word).split()[-1], mark) + "-"
    if words and word.startswith("-"):
        words[0] = "-" + words[0]
    return tuple(mark + each for each in words)


def _stem(word: str, mark: str) -> str:
    """How a beginning sounds: what is said of the ends of words does not hold for it."""
    return romanise(word + "x")[:-1] if mark == SOUND else word


@cache
def _folded_word(word: str) -> str:
    """A word of the files folded; thousands of phrases share a few words, and are compiled in a tenth of the time."""
    return fold_words(word)


def _samples(language: str, lines: Iterable[Line]) -> Iterator[str]:
    """What a language looks like: its example sentences, and each word of its phrases once a line."""
    for line in lines:
        if line.language == language:
            yield from (*line.examples, " ".join(sorted(line.words())))


def _examples(language: str, lines: Iterable[Line]) -> Iterator[str]:
    return (example for line in lines if line.language == language for example in line.examples)


def _long_enough(symbol: str) -> bool:
    """Open stems need three letters; whole words may be short, and a Chinese character is a word."""
    return not symbol.endswith("-") or len(symbol.strip("-")) >= 3 or ord(max(symbol)) > 0x3000


def _commands(lines: Iterable[Line]) -> dict[str, tuple[str, ...]]:
    commands: dict[str, dict[str, None]] = defaultdict(dict)
    for line in lines:
        if line.concept in COMMANDS or line.concept.startswith(NAME):
            for phrase in line.spelled():
                commands[fold_words(phrase)][line.concept] = None
                if line.language in ROMANISED:
                    commands[romanise(fold_words(phrase))][line.concept] = None
    return {phrase: tuple(concepts) for phrase, concepts in commands.items()}


def _vocabulary(lines: Iterable[Line]) -> dict[str, dict[str, frozenset[str]]]:
    """Words of six letters or more and the concepts they stand in; a stem gives the words of its examples."""
    known: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for line in lines:
        for word in line.words().union(*(example.split() for example in line.examples)):
            if "-" not in (word[0], word[-1]):  # a stem is no word
                known[line.language].setdefault(_folded_word(word), frozenset())
    ordered = {language: sorted(words) for language, words in known.items()}
    for line in lines:
        words = known[line.language]
        for word in line.words():
            for whole in _forms(word, ordered[line.language]):
                words[whole] |= {line.concept}
    return {language: {w: words[w] for w in words if len(w) >= 6 and " " not in w} for language, words in known.items()}


def _forms(word: str, words: Sequence[str]) -> Sequence[str]:
    """The words, of these in order, that a word or a stem of a phrase stands for."""
    if word.startswith("-"):
        return []
    stem = _folded_word(word)
    if not word.endswith("-"):
        return [stem]
    return words[bisect_left(words, stem) : bisect_right(words, f"{stem}\U0010ffff")]


def _silent_examples(line: Line, lexicon: Lexicon) -> Iterator[str]:
    """A phrase that exists is not a phrase that fires: the examples in which no phrase of the line is found."""
    for example in line.examples:
        found = {(hit.cue.language, hit.cue.line) for hit in find(fold(example), lexicon)}
        if (line.language, line.number) not in found:
            yield f"{line.place}: no phrase of {line.concept} is found in {example!r}"


# --- finding cues ---------------------------------------------------------------------------------------


def find(folded: Folded, lexicon: Lexicon) -> list[Found]:
    """Every phrase of every language in a text, in one pass."""
    return list(dict.fromkeys(Found(*hit) for hit in lexicon.graph.find(folded.words, folded.clauses)))
