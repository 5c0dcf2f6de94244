"""What a text means: an intent, and the words that decided it.

One pass over the text finds every phrase of every language; then five layers, the first answer wins:
commands, strong urgent, weak urgent, topics, and for what is left one wrong letter in a longer word.
The words live in content/phrases.txt and locales/*/phrases.txt; here live only the concepts and how they combine.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import log, prod
from pathlib import Path

import ahocorasick
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from ivr.folding import Folded, fold, fold_words, romanise

LABELS = (
    "uses", "benefits", "side_effects", "dosage", "warnings", "stopping",
    "urgent", "menu", "language", "country", "more", "report", "stop", "unknown",
)  # fmt: skip
KINDS = ("general", "overdose", "withdrawal", "pump", "self_harm")
LANGUAGES = ("en", "es", "fr", "pt", "ar", "hi", "hi-Latn", "bn", "ur", "ur-Latn", "sw", "zh", "ru", "vi")
ROMANISED = ("hi-Latn", "ur-Latn")
ARABIC_PREFIXES = ("و", "ف", "ب", "ل", "ال", "وال", "بال", "فال", "لل")

# The order breaks ties: the more it can hurt to miss a topic, the earlier it stands.
TOPICS = ("stopping", "warnings", "side_effects", "dosage", "benefits", "uses")
KEYS = {
    "0": "urgent", "1": "uses", "2": "benefits", "3": "side_effects", "4": "dosage",
    "5": "warnings", "6": "stopping", "7": "more", "8": "unknown", "9": "language",
}  # fmt: skip

# --- concepts -------------------------------------------------------------------------------------------

COMMANDS = ("menu", "more", "language", "country", "report", "stop")
NAMES = {f"name.{tag}": tag for tag in LANGUAGES if tag not in ROMANISED}
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
FRAMES = ("asking", "history", "noise", "idiom", "negation", "but", "now", "habit", "daily")
# How much a concept speaks for each topic: 2 decides, 1 needs company.
WEIGHTS: dict[str, dict[str, int]] = {
    **{topic: {topic: 2} for topic in TOPICS},
    **{f"{topic}_hint": {topic: 1} for topic in TOPICS},
    "symptom": {"side_effects": 2},
    "condition": {"benefits": 1, "uses": 1},
}
DECIDED = 2
MOST_CHOICES = 64  # phrases that one phrase with alternatives may stand for
FIRST_WORDS = 40  # where a wrong letter is looked for
SAID = frozenset([*WEIGHTS, "drug", "pill", "polite"])  # what a text may consist of for a hint to be enough
OTHERS = ("chatter", "leave")
URGENT = frozenset([*STRONG, *WEAK, *PARTS])
CONCEPTS = frozenset(
    [*COMMANDS, *NAMES, *FILLERS, *STRONG, *WEAK, *PARTS, *FRAMES, *WEIGHTS, *OTHERS],
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
    Combination(("cant", "respond"), "general", within=5, weak=True),
    Combination(("cant", "knows"), "general", within=6, weak=True),
    Combination(("cant", "urinate"), "general", within=7, weak=True),
    Combination(("breathe", "badly"), "general", within=8, weak=True),
    Combination(("pulse", "badly"), "general", within=8, weak=True),
    Combination(("pulse", "many"), "general", within=5, weak=True),
    Combination(("sees", "unreal"), "general", within=8, weak=True),
    Combination(("face", "swell"), "general", within=6, weak=True),
    Combination(("face", "blue"), "general", within=5, weak=True),
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


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a text means, in which language it is written, and why we think so."""

    intents: tuple[str, ...]
    kind: str | None = None
    language: str | None = None
    layer: str = "unknown"
    rule: str = ""
    words: tuple[str, ...] = ()
    danger: bool = False
    nearest: tuple[str, ...] = ()
    chosen: str | None = None
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Cue:
    """One phrase of one line of one file: pieces of folded text, with at most so many words between."""

    language: str
    concept: str
    pieces: tuple[str, ...]
    gaps: tuple[int, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Found:
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
    phrases: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finder:
    """All pieces of some cues in one automaton; a cue is looked at when its last piece is met."""

    automaton: ahocorasick.Automaton
    endings: Mapping[str, tuple[Cue, ...]]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The phrase files of all languages, compiled once."""

    lines: tuple[Line, ...]
    plain: Finder
    roman: Finder
    commands: Mapping[str, tuple[str, ...]]  # whole message -> concepts
    features: Mapping[str, Mapping[str, float]]  # letters -> how usual in each language
    vocabulary: Mapping[str, Mapping[str, frozenset[str]]]  # language -> longer word -> concepts
    languages: tuple[str, ...] = field(default=())


# --- reading the files ----------------------------------------------------------------------------------


def load_lexicon(files: Mapping[str, Path]) -> Lexicon:
    """Compile phrase files; a fault in a file raises ValueError that names file and line."""
    lines = tuple(line for language, path in files.items() for line in _read(language, path))
    cues = [cue for line in lines for cue in _cues(line)]
    lexicon = Lexicon(
        lines=lines,
        plain=_finder(cue for cue in cues if cue.language not in ROMANISED),
        roman=_finder(cue for cue in cues if cue.language in ROMANISED),
        commands=_commands(lines),
        features=_features(lines),
        vocabulary=_vocabulary(lines),
        languages=tuple(files),
    )
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
            entry = _entry(language, f"{path}:{number}", number, text)
    if entry:
        yield _whole(entry)


def _entry(language: str, place: str, number: int, text: str) -> Line:
    concept, colon, phrases = (part.strip() for part in text.partition(":"))
    if not colon:
        raise ValueError(f"{place}: expected `concept: phrase, phrase` or `> example`, found {text!r}")
    if concept not in CONCEPTS:
        raise ValueError(f"{place}: there is no concept {concept!r}; see the list in content/phrases.txt")
    split = [phrase.strip() for phrase in re.split("[,،，、]", phrases) if phrase.strip()]
    return Line(place, number, language, concept, tuple(one for phrase in split for one in _chosen(place, phrase)), ())


def _chosen(place: str, phrase: str) -> Iterator[str]:
    """`peux pas|plus |de respir-`: each word chosen from its alternatives; an empty one leaves the word out."""
    choices = [word.split("|") for word in phrase.split()]
    if prod(map(len, choices)) > MOST_CHOICES:
        raise ValueError(f"{place}: {phrase!r} stands for more than {MOST_CHOICES} phrases; use a star or two lines")
    yield from (" ".join(filter(None, words)) for words in product(*choices))


def _whole(line: Line) -> Line:
    if not line.phrases:
        raise ValueError(f"{line.place}: {line.concept} has no phrase")
    if not line.examples:
        raise ValueError(f"{line.place}: {line.concept} has no example; write one below it: > example")
    return line


def _cues(line: Line) -> Iterator[Cue]:
    for phrase in line.phrases:
        yield _cue(line, phrase)


def _cue(line: Line, phrase: str) -> Cue:
    """`no * respir-` -> pieces ' no ' and ' respir' with up to three words between."""
    pieces: list[str] = []
    gaps: list[int] = []
    for loose in phrase.split("*"):
        for number, piece in enumerate(_pieces(line, loose)):
            gaps += [0 if number else 3] if pieces else []
            pieces.append(piece)
    if not pieces or not any(_long_enough(piece) for piece in pieces):
        raise ValueError(f"{line.place}: {phrase!r} is too short to look for")
    return Cue(line.language, line.concept, tuple(pieces), tuple(gaps), line.number)


def _pieces(line: Line, phrase: str) -> Iterator[str]:
    """Runs of words; a word with a hyphen ends its run, since anything may follow there."""
    run: list[str] = []
    for word in phrase.split():
        if word.startswith("-") and run:
            yield f" {' '.join(run)} "
            run = []
        run.append(word)
        if word.endswith("-"):
            yield _piece(line, run)
            run = []
    if run:
        yield _piece(line, run)


def _piece(line: Line, run: list[str]) -> str:
    words = fold_words(" ".join(run))
    if line.language in ROMANISED:
        words = romanise(words)
    if not words:
        raise ValueError(f"{line.place}: {' '.join(run)!r} has no letters")
    return f"{'' if run[0].startswith('-') else ' '}{words}{'' if run[-1].endswith('-') else ' '}"


def _long_enough(piece: str) -> bool:
    """Open stems need three letters; whole words may be short, and a Chinese character is a word."""
    return piece.endswith(" ") or len(piece.strip()) >= 3 or ord(max(piece)) > 0x3000


def _finder(cues: Iterable[Cue]) -> Finder:
    endings: dict[str, list[Cue]] = defaultdict(list)
    spellings: dict[str, dict[str, None]] = defaultdict(dict)
    for cue in cues:
        for piece in cue.pieces:
            for spelling in _spellings(piece, cue.language):
                spellings[spelling][piece] = None
        endings[cue.pieces[-1]].append(cue)
    automaton = ahocorasick.Automaton()
    for spelling, pieces in spellings.items():
        automaton.add_word(spelling, (spelling, tuple(pieces)))
    if endings:
        automaton.make_automaton()
    return Finder(automaton, {piece: tuple(found) for piece, found in endings.items()})


def _spellings(piece: str, language: str) -> Iterator[str]:
    """Arabic writes and, so, with, to and the in one word with the next; a word is looked for with and without."""
    yield piece
    if language == "ar" and piece.startswith(" "):
        yield from (f" {prefix}{piece[1:]}" for prefix in ARABIC_PREFIXES)


def _commands(lines: Iterable[Line]) -> dict[str, tuple[str, ...]]:
    commands: dict[str, dict[str, None]] = defaultdict(dict)
    for line in lines:
        if line.concept in {*COMMANDS, *NAMES}:
            for phrase in line.phrases:
                commands[fold_words(phrase)][line.concept] = None
    return {phrase: tuple(concepts) for phrase, concepts in commands.items()}


def _vocabulary(lines: Iterable[Line]) -> dict[str, dict[str, frozenset[str]]]:
    """Words of six letters or more and the concepts they stand in; a stem gives the words of its examples."""
    known: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for line in lines:
        for word in {word for phrase in (*line.phrases, *line.examples) for word in phrase.split()}:
            if "-" not in (word[0], word[-1]):  # a stem is no word
                known[line.language].setdefault(fold_words(word), frozenset())
    for line in lines:
        words = known[line.language]
        for word in {word for phrase in line.phrases for word in phrase.split()}:
            for whole in _forms(word, words):
                words[whole] |= {line.concept}
    return {language: {w: words[w] for w in words if len(w) >= 6 and " " not in w} for language, words in known.items()}


def _forms(word: str, words: Iterable[str]) -> list[str]:
    if word.startswith("-"):
        return []
    stem = fold_words(word)
    return [whole for whole in words if whole.startswith(stem)] if word.endswith("-") else [stem]


def _silent_examples(line: Line, lexicon: Lexicon) -> Iterator[str]:
    """A phrase that exists is not a phrase that fires: the examples in which no phrase of the line is found."""
    for example in line.examples:
        found = {(hit.cue.language, hit.cue.line) for hit in _find(fold(example), lexicon)}
        if (line.language, line.number) not in found:
            yield f"{line.place}: no phrase of {line.concept} is found in {example!r}"


# --- finding cues ---------------------------------------------------------------------------------------


def _find(folded: Folded, lexicon: Lexicon) -> list[Found]:
    line = folded.line
    found = _scan(line, folded.clauses, lexicon.plain)
    if lexicon.roman.endings:
        found += _scan(romanise(line), folded.clauses, lexicon.roman)
    return found


def _scan(line: str, clauses: Sequence[int], finder: Finder) -> list[Found]:
    if not line or not finder.endings:
        return []
    starts = [place for place, letter in enumerate(line) if letter == " "]
    spots: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for end, (spelling, pieces) in finder.automaton.iter(line):
        begin = end - len(spelling) + 1 + (spelling[0] == " ")
        span = (bisect_right(starts, begin) - 1, bisect_right(starts, end - (spelling[-1] == " ")) - 1)
        for piece in pieces:
            spots[piece].append(span)
    return [
        Found(cue, first, last)
        for piece in spots
        for cue in finder.endings.get(piece, ())
        for first, last in _chained(cue, spots, clauses)
    ]


def _chained(cue: Cue, spots: Mapping[str, list[tuple[int, int]]], clauses: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where all pieces of a cue stand in order, near enough and in one clause."""
    if not all(piece in spots for piece in cue.pieces):
        return
    for first, last in spots[cue.pieces[-1]]:
        begin: int | None = first
        for piece, gap in zip(reversed(cue.pieces[:-1]), reversed(cue.gaps), strict=True):
            begin = _before(spots[piece], begin, gap, clauses)
            if begin is None:
                break
        if begin is not None:
            yield begin, last


def _before(spans: list[tuple[int, int]], word: int | None, gap: int, clauses: Sequence[int]) -> int | None:
    """The first word of the nearest span that ends just before this word."""
    if word is None:
        return None
    at = bisect_right(spans, (word, -1)) - 1
    if at < 0:
        return None
    first, last = spans[at]
    near = word - last - 1 <= gap and last < word
    return first if near and clauses[first] == clauses[word] else None


# --- telling the language -------------------------------------------------------------------------------

BLOCKS = (
    (0x0250, "Latin"), (0x0400, ""), (0x0530, "Cyrillic"), (0x0600, ""), (0x0780, "Arabic"), (0x0900, ""),
    (0x0980, "Devanagari"), (0x0A00, "Bengali"), (0x1E00, ""), (0x1F00, "Latin"), (0x3400, ""), (0xA000, "Han"),
    (0xFB50, ""), (0xFE00, "Arabic"), (0xFE70, ""), (0xFF00, "Arabic"), (0x110000, ""),
)  # fmt: skip
LIMITS = tuple(limit for limit, _ in BLOCKS)
SCRIPTS = {
    "Latin": ("en", "es", "fr", "pt", "hi-Latn", "ur-Latn", "sw", "vi"),
    "Arabic": ("ar", "ur"),
    "Devanagari": ("hi",),
    "Bengali": ("bn",),
    "Han": ("zh",),
    "Cyrillic": ("ru",),
}
FLOOR = 2e-5  # how usual we take letters to be that a language's file never shows
TELLS = 1.5  # below this lead, a text does not tell its language
WORD = re.compile(r"[^\W\d_]+")
READ = 120  # letters that are enough to tell


def _script(text: str) -> str:
    """The script of most letters; others count double beside Latin, where a medicine's name is often borrowed."""
    if text.isascii():
        return "Latin"
    letters = (ord(letter) for letter in text[:READ] if letter.isalpha())
    counts = Counter(BLOCKS[bisect_right(LIMITS, letter)][1] for letter in letters)
    counts.pop("", None)
    return max(counts, key=lambda script: counts[script] * (1 if script == "Latin" else 2), default="")


def _language(text: str, remembered: str | None, lexicon: Lexicon) -> str | None:
    if sum(map(str.isalpha, text[:READ])) < 3 and text.isascii():
        return None
    possible = [tag for tag in SCRIPTS.get(_script(text), ()) if tag in lexicon.languages]
    if len(possible) < 2:
        return possible[0] if possible and not text.isascii() else None
    scores = dict.fromkeys(lexicon.languages, 0.0)
    for word in WORD.findall(text[:READ].casefold()):
        for evidence in _evidence(f" {word} ", lexicon.features):
            for tag, usual in evidence.items():
                scores[tag] += usual
    return _leader({tag: scores[tag] for tag in possible}, remembered)


def _leader(scores: Mapping[str, float], remembered: str | None) -> str | None:
    best, second = sorted(scores, key=lambda tag: -scores[tag])[:2]
    if remembered and remembered in scores and scores[best] - scores[remembered] < TELLS:
        return remembered if scores[best] > 0 else None
    return best if scores[best] - scores[second] >= TELLS else None


def _evidence(word: str, features: Mapping[str, Mapping[str, float]]) -> Iterator[Mapping[str, float]]:
    """A word known to any language has all its evidence added up already; another is looked at in threes."""
    if word in features:
        yield features[word]
    else:
        yield from (features[letters] for letters in _threes(word) if letters in features)


def _letters(text: str) -> Iterator[str]:
    """Whole words and runs of three letters, as typed but for case."""
    for word in WORD.findall(text.casefold()):
        yield f" {word} "
        yield from _threes(f" {word} ")


def _threes(word: str) -> Iterator[str]:
    return (word[at : at + 3] for at in range(len(word) - 2))


def _features(lines: Iterable[Line]) -> dict[str, dict[str, float]]:
    """How much each word or run of letters speaks for each language, in logarithms above the floor."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        for text in (*line.examples, *line.phrases):
            counts[line.language].update(_letters(text))
            counts[line.language].update(_letters(fold_words(text)))
    features: dict[str, dict[str, float]] = defaultdict(dict)
    for language, seen in counts.items():
        total = sum(seen.values())
        for feature, count in seen.items():
            features[feature][language] = log(1 + count / total / FLOOR)
    threes = {letters: evidence for letters, evidence in features.items() if len(letters) == 3}
    return {**{word: _sum(word, features) for word in features}, **threes}


def _sum(word: str, features: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    total = Counter(features[word])
    for letters in _threes(word):
        total.update(features[letters])
    return dict(total)


# --- understanding --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """One text with all that was found in it."""

    text: str
    folded: Folded
    found: Mapping[str, Mapping[str, list[Found]]]  # by language and concept
    language: str | None
    remembered: str | None
    lexicon: Lexicon

    def of(self, *concepts: str) -> list[Found]:
        return [hit for hits in self.found.values() for concept in concepts for hit in hits.get(concept, ())]

    def words(self, hits: Iterable[Found]) -> tuple[str, ...]:
        return tuple(" ".join(self.folded.words[hit.first : hit.last + 1]) for hit in hits)

    def clause(self, hit: Found) -> int:
        return self.folded.clauses[hit.last]


def understand(text: str, language: str | None, lexicon: Lexicon) -> Understanding:
    """The meaning of one text; `language` is the remembered one and decides only what the text leaves open."""
    reading = _reading(text, fold(text), language, lexicon)
    layers = (_key, _country, _command, _strong, _courteous, _weak, _leave, _topic, _fuzzy)
    answers = (answer for layer in layers if (answer := layer(reading)))
    return replace(next(answers, _unknown(reading)), language=reading.language)


def _reading(text: str, folded: Folded, remembered: str | None, lexicon: Lexicon) -> Reading:
    found = _unmasked([*_find(folded, lexicon), *_numbers(folded, lexicon)], folded)
    found += _amounts(found)
    found += [_scene(rule, group) for rule, group in _combined(_sorted(found), weak=True)]
    folded = replace(folded, clauses=_clauses(folded, found))
    return Reading(text, folded, _sorted(found), _language(text, remembered, lexicon), remembered, lexicon)


def _sorted(found: Iterable[Found]) -> dict[str, dict[str, list[Found]]]:
    by_language: dict[str, dict[str, list[Found]]] = {}
    for hit in found:
        by_language.setdefault(hit.cue.language, {}).setdefault(hit.cue.concept, []).append(hit)
    return by_language


def _clauses(folded: Folded, found: Iterable[Found]) -> tuple[int, ...]:
    """A "but" begins a new clause as a full stop does."""
    breaks = sorted({hit.first for hit in found if hit.concept == "but"})
    return tuple(clause * 1000 + bisect_right(breaks, at) for at, clause in enumerate(folded.clauses))


def _amounts(found: Iterable[Found]) -> list[Found]:
    """A number that counts pills: "30 of her pills", or right behind as in "vidonge 30"."""
    pills = [hit for hit in found if hit.concept in {"pill", "drug"}]
    return [
        Found(replace(many.cue, concept="amount"), min(many.first, pill.first), max(many.last, pill.last))
        for many in found
        if many.concept == "many"
        for pill in pills
        if many.cue.language == pill.cue.language and (0 < pill.first - many.last <= 4 or many.first - pill.last == 1)
    ]


def _unmasked(found: list[Found], folded: Folded) -> list[Found]:
    """An idiom speaks for its words: in "this heat is killing me" nobody is dying."""
    clauses = folded.clauses
    idioms = [hit for hit in found if hit.concept == "idiom" and clauses[hit.first] == clauses[hit.last]]
    if not idioms:
        return found
    masked = URGENT | {"symptom"}
    return [hit for hit in found if hit.concept not in masked or not any(idiom.meets(hit) for idiom in idioms)]


def _numbers(folded: Folded, lexicon: Lexicon) -> list[Found]:
    """Four or more of anything is many; a year or a weight in milligrams is not."""
    return [
        Found(Cue(language, "many", (word,), (), 0), at, at)
        for at, word in enumerate(folded.words)
        if word.isdecimal() and len(word) < 4 and int(word) >= 4 and not _weighed(folded.words[at + 1 : at + 2])
        for language in lexicon.languages
    ]


def _weighed(unit: tuple[str, ...]) -> bool:
    """10 mg is one tablet; times, days and hours are not pills either."""
    return bool(unit) and unit[0] in {"mg", "mcg", "ml"}


# Commands: the whole message and nothing less.


def _key(reading: Reading) -> Understanding | None:
    if reading.text.strip() == "#":
        return Understanding(("menu",), layer="command", rule="#", words=("#",))
    words = _without(reading, "polite", "press")
    if len(words) != 1:
        return None
    spoken = {hit.concept.removeprefix("key.") for hit in reading.of(*SPOKEN_KEYS)}
    key = words[0] if words[0].isdecimal() else spoken.pop() if len(spoken) == 1 else ""
    intent = KEYS.get(key)
    if intent is None:
        return None
    kind = "general" if intent == "urgent" else None
    return Understanding((intent,), kind, layer="command", rule=f"key.{key}", words=tuple(words))


def _without(reading: Reading, *concepts: str) -> list[str]:
    """The words of the text that these concepts do not cover."""
    covered = {word for hit in reading.of(*concepts) for word in range(hit.first, hit.last + 1)}
    return [word for at, word in enumerate(reading.folded.words) if at not in covered]


def _country(reading: Reading) -> Understanding | None:
    """The first words of a short message name the command, the rest is its argument, as typed."""
    words = reading.folded.words
    typed = [word for word in reading.text.split() if any(letter.isalnum() for letter in word)]
    for length in range(1, 5 if len(typed) <= 5 else 1):
        phrase = " ".join(words[:length])
        if "country" in reading.lexicon.commands.get(phrase, ()):
            spaced = len(typed) > 1 or len(words) <= length  # Chinese has no space before the name
            argument = " ".join(typed[length:]) if spaced else reading.text.strip()[length:]
            return Understanding(("country",), layer="command", rule="country", words=(phrase,), argument=argument)
    return None


def _command(reading: Reading, *dropped: str) -> Understanding | None:
    """What is left without these words is a command from end to end."""
    phrase = " ".join(_without(reading, *dropped))
    for concept in reading.lexicon.commands.get(phrase, ()):
        chosen = NAMES.get(concept)
        if concept != "stop" or "wanting" not in dropped:  # "please stop" leaves, "I want to stop" asks
            intent = "language" if chosen else concept
            return Understanding((intent,), layer="command", rule=concept, words=(phrase,), chosen=chosen)
    return None


def _courteous(reading: Reading) -> Understanding | None:
    """A command with please and thank you around it; after the emergencies, since "I need help now" is one."""
    return (
        _command(reading, "polite")
        or _command(reading, "polite", "wanting")
        or _command(reading, "polite", "wanting", "speak")
    )


# Urgent: strong words, combinations of words, then the weaker ones in their frame.


def _strong(reading: Reading) -> Understanding | None:
    together = [(rule.rule, rule.kind, group) for rule, group in _combined(reading.found, weak=False)]
    alone = [(hit.concept, STRONG[hit.concept], (hit,)) for hit in reading.of(*STRONG)]
    return _urgent(reading, "strong", [*together, *alone])


def _combined(
    found: Mapping[str, Mapping[str, list[Found]]], weak: bool
) -> Iterator[tuple[Combination, tuple[Found, ...]]]:
    """The combinations that stand in the text, each within one language."""
    for hits in found.values():
        for combination in (each for concept in hits for each in BEGINNINGS.get(concept, ())):
            if combination.weak != weak or not all(concept in hits for concept in combination.concepts):
                continue
            group = _together(combination, hits)
            if group and not any(frame in hits for frame in combination.unless):
                yield combination, group


def _together(combination: Combination, hits: Mapping[str, list[Found]]) -> tuple[Found, ...]:
    """For each place of the first concept the nearest of the others; empty when they stand too far apart."""
    for anchor in hits[combination.concepts[0]]:
        group = [anchor]
        for concept in combination.concepts[1:]:
            apart = [hit for hit in hits[concept] if not any(hit.meets(other) for other in group)]
            if apart:
                group.append(min(apart, key=lambda hit: abs(hit.first - anchor.first)))
        reach = max(hit.last for hit in group) - min(hit.first for hit in group)
        if len(group) == len(combination.concepts) and reach < combination.within:
            return tuple(group)
    return ()


def _weak(reading: Reading) -> Understanding | None:
    fired = [hit for hit in reading.of(*WEAK) if not _framed(hit, reading)]
    return _urgent(reading, "weak", [(_rule(hit), WEAK[hit.concept], (hit,)) for hit in fired])


def _scene(combination: Combination, group: Sequence[Found]) -> Found:
    """A weak combination counts as one danger word that reaches from its first word to its last."""
    cue = replace(group[0].cue, concept="scene", pieces=combination.concepts)
    return Found(cue, min(hit.first for hit in group), max(hit.last for hit in group))


def _rule(hit: Found) -> str:
    return "*".join(hit.cue.pieces) if hit.concept == "scene" else hit.concept


def _framed(hit: Found, reading: Reading) -> bool:
    if reading.of("noise"):
        return True
    clause = reading.clause(hit)
    tongues = {hit.cue.language, reading.language or hit.cue.language}
    spoken = [each for each in reading.of("negation", "history", "now", "asking") if each.cue.language in tongues]
    if any(each.concept == "negation" and 0 < hit.first - each.last <= 3 for each in spoken):
        return True
    frames = {each.concept for each in spoken if reading.clause(each) == clause and not hit.holds(each)}
    if "history" in frames:
        return True
    asked = bool(reading.folded.asked) and len(reading.folded.words) <= 3
    return "now" not in frames and (asked or "asking" in frames)


def _urgent(reading: Reading, layer: str, fired: list[tuple[str, str, tuple[Found, ...]]]) -> Understanding | None:
    if not fired:
        return None
    order = ("overdose", "self_harm", "pump", "withdrawal", "general")
    rule, kind, hits = min(fired, key=lambda each: order.index(each[1]))
    topics = [topic for topic in _topics(reading)[0] if topic != "side_effects"]
    return Understanding(("urgent", *topics[:1]), kind, layer=layer, rule=rule, words=reading.words(hits))


# Everything else.


def _leave(reading: Reading) -> Understanding | None:
    """A fixed phrase about the messages, in a short text that does not speak of the medicine."""
    leaving = reading.of("leave")
    if not leaving or len(reading.folded.words) > 12 or reading.of("drug", "pill"):
        return None
    return Understanding(("stop",), layer="command", rule="leave", words=reading.words(leaving))


def _topic(reading: Reading) -> Understanding | None:
    topics, hits = _topics(reading)
    if not topics and not _without(reading, "drug", "pill", "polite"):
        topics, hits = ("uses",), reading.of("drug")  # the bare name of the medicine
    if not topics or not hits:
        return None
    rule = "+".join(dict.fromkeys(hit.concept for hit in hits))
    return Understanding(topics, layer="topic", rule=rule, words=reading.words(hits), danger=bool(reading.of(*WEAK)))


def _topics(reading: Reading) -> tuple[tuple[str, ...], list[Found]]:
    """At most two topics, in order of strength, and the cues that speak for them."""
    for hits, scores in _by_language(reading):
        decided = sorted((t for t in scores if scores[t] >= DECIDED), key=lambda t: (-scores[t], TOPICS.index(t)))
        if decided:
            near = [topic for topic in decided[:2] if scores[topic] >= scores[decided[0]] / 2]
            return tuple(near), [hit for each in hits.values() for hit in each if _speaks_for(hit, near)]
    return (), []


def _speaks_for(hit: Found, topics: Iterable[str]) -> bool:
    return hit.concept in WEAK or not WEIGHTS.get(hit.concept, {}).keys().isdisjoint(topics)


def _by_language(reading: Reading) -> Iterator[tuple[Mapping[str, list[Found]], dict[str, int]]]:
    """Cues and scores of the text's own language first, then of the remembered one, then of any other."""
    first = [tag for tag in dict.fromkeys((reading.language, reading.remembered)) if tag in reading.found]
    for tag in first:
        yield reading.found[str(tag)], _scores(reading.found[str(tag)], reading)
    rest = [(hits, _scores(hits, reading)) for tag, hits in reading.found.items() if tag not in first]
    yield from sorted(rest, key=lambda each: -sum(each[1].values()))


def _scores(concepts: Mapping[str, list[Found]], reading: Reading) -> dict[str, int]:
    """The weight of all cues; a word counts once, in the longest phrase around it."""
    weighed = [hit for concept in concepts if concept in WEIGHTS for hit in concepts[concept]]
    scores: dict[str, int] = {}
    if (
        not WEAK.keys().isdisjoint(concepts) and "noise" not in concepts
    ):  # "can it cause fits": effects; "I had fits years ago": warnings
        past = "history" in concepts and "asking" not in concepts
        scores["warnings" if past else "side_effects"] = 2 if "asking" in concepts else 1
    taken: set[tuple[str, int]] = set()
    for hit in sorted(_outermost(weighed), key=lambda hit: -max(WEIGHTS[hit.concept].values())):
        for topic, weight in WEIGHTS[hit.concept].items():
            words = {(topic, word) for word in range(hit.first, hit.last + 1)}
            if taken.isdisjoint(words):
                taken |= words
                scores[topic] = scores.get(topic, 0) + weight
    if scores and ("drug" in concepts or "pill" in concepts or _is_all(concepts, reading)):
        scores = {topic: weight + 1 for topic, weight in scores.items()}
    return scores


def _is_all(concepts: Mapping[str, list[Found]], reading: Reading) -> bool:
    """Whether the text says nothing but cues and courtesy."""
    said = [hit for concept in concepts if concept in SAID for hit in concepts[concept]]
    return len({word for hit in said for word in range(hit.first, hit.last + 1)}) == len(reading.folded.words)


def _outermost(hits: Iterable[Found]) -> Iterator[Found]:
    """Longer phrases speak for the words in them; the very same words may still speak for two topics."""
    begin, end = -1, -1
    for hit in sorted(hits, key=lambda hit: (hit.first, -hit.last)):
        if hit.last > end or (hit.first, hit.last) == (begin, end):
            begin, end = hit.first, hit.last
            yield hit


def _fuzzy(reading: Reading) -> Understanding | None:
    """One wrong letter in a longer word, when the words it could be all speak for the same topic."""
    words = list(reading.folded.words)
    danger = False
    for at, word in enumerate(words):
        likely = _likely(word, reading) if len(word) >= 6 and at < FIRST_WORDS else {}
        concepts = {concept for each in likely.values() for concept in each}
        danger = danger or not concepts.isdisjoint({*STRONG, *WEAK})
        if likely and len({topic for concept in concepts for topic in WEIGHTS.get(concept, {"": 0})}) == 1:
            words[at] = next(iter(likely))
    if tuple(words) == reading.folded.words and not danger:
        return None
    mended = Folded(tuple(words), reading.folded.clauses, reading.folded.asked)
    again = _reading(reading.text, mended, reading.remembered, reading.lexicon)
    answer = None if again.of(*STRONG, *WEAK) else _topic(again)
    sure = answer and (len(words) <= 2 or set(answer.intents) & set(_unknown(reading).nearest) or reading.of("drug"))
    answer = replace(answer, layer="fuzzy") if answer and sure else _unknown(reading)
    return replace(answer, danger=answer.danger or danger)


def _likely(word: str, reading: Reading) -> dict[str, frozenset[str]]:
    """The known words one letter away, in the text's language or else in the remembered one."""
    known = reading.lexicon.vocabulary.get(reading.language or reading.remembered or "en", {})
    if word in known:
        return {}
    near = process.extract(word, known.keys(), scorer=Levenshtein.distance, score_cutoff=1, limit=5)
    return {each: known[each] for each, _, _ in near}


def _unknown(reading: Reading) -> Understanding:
    tallies = [scores for _, scores in _by_language(reading)]
    scores = max(tallies, key=lambda tally: sum(tally.values()), default={})
    nearest = sorted(scores, key=lambda topic: (-scores[topic], TOPICS.index(topic)))[:2]
    return Understanding(("unknown",), danger=bool(reading.of(*WEAK)), nearest=tuple(nearest))
