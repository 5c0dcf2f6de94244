"""Where phrases stand in a text: all phrases of all languages as one graph of words, walked once along the text.

A symbol is what one word of a phrase asks for: `fever` that very word, `brea-` a beginning, `-meza` an ending,
`-meza-` an inside. A mark before it says how the word must be read: romanised Hindi and Urdu as they sound,
Arabic also without the little words that it writes together with the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from ivr.folding import romanise

GAP = "*"
REACH = 3  # words that may stand where the star is
ADJACENT = -1
SOUND, JOINED = "~", "^"  # marks: as it sounds; with or without a joined prefix
ARABIC_PREFIXES = ("و", "ف", "ب", "ل", "ال", "وال", "بال", "فال", "لل")

Label = TypeVar("Label", bound=Hashable)

Symbols = tuple[str, ...]
Slots = Sequence[Sequence[Symbols]]  # for each word of a phrase its choices; a choice may be several words, or none


class Node(NamedTuple, Generic[Label]):
    """Where one stands after some words of a phrase: what may follow, and what is complete."""

    steps: Mapping[str, Node[Label]]
    labels: tuple[Label, ...]
    gap: Node[Label] | None


class Graph(Generic[Label]):
    """Phrases with a label each, file by file. Equal ends of phrases are kept once: a tenth of the list remains."""

    def __init__(self, *files: Iterable[tuple[Slots, Label]]) -> None:
        self._roots: dict[str, tuple[Node[Label], ...]] = {}
        known: set[str] = set()
        for phrases in files:
            ends: _Ends[Label] = _Ends()
            root = ends.node(tuple(dict.fromkeys(ends.of(phrase, label) for phrase, label in phrases)))
            known |= ends.symbols
            for symbol, node in root.steps.items():
                self._roots[symbol] = (*self._roots.get(symbol, ()), node)
        self.__setstate__((self._roots, tuple(_Shapes.of(mark, known) for mark in ("", JOINED, SOUND))))

    def __getstate__(self) -> tuple[Any, ...]:
        return self._roots, self._shapes

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._roots, self._shapes = state
        self.met = lru_cache(maxsize=32768)(self._met)

    def find(self, words: Sequence[str], clauses: Sequence[int]) -> Iterator[tuple[Label, int, int]]:
        """Each label with the first and the last word of its phrase; no gap reaches over the end of a clause."""
        standing: list[tuple[Node[Label], int, int]] = []
        for at, word in enumerate(words):
            symbols, begun = self.met(word)
            reached = [(node, at) for node in begun]
            waiting: list[tuple[Node[Label], int, int]] = []
            for node, first, spare in standing:
                if spare != ADJACENT and clauses[at] != clauses[at - 1]:
                    continue
                reached += [(node.steps[symbol], first) for symbol in symbols if symbol in node.steps]
                if spare > 0:
                    waiting.append((node, first, spare - 1))
            for node, first in reached:
                for label in node.labels:
                    yield label, first, at
                if node.steps:
                    waiting.append((node, first, ADJACENT))
                if node.gap:
                    waiting.append((node.gap, first, REACH))
            standing = waiting

    def _met(self, word: str) -> tuple[Symbols, tuple[Node[Label], ...]]:
        """What asks for this word, and where one stands after it as the first of a phrase."""
        plain, joined, sound = self._shapes
        symbols = [*plain.fitting(word), *joined.fitting(word)]
        if word.isascii():
            symbols += sound.fitting(romanise(word))
        else:
            for each in ARABIC_PREFIXES:
                if word.startswith(each):
                    symbols += joined.fitting(word[len(each) :])
        return tuple(symbols), tuple(node for symbol in symbols for node in self._roots.get(symbol, ()))


@dataclass(frozen=True, slots=True)
class _Shapes:
    """The symbols under one mark, and how long their beginnings, endings and insides are."""

    mark: str
    known: frozenset[str]
    beginnings: tuple[int, ...]
    endings: tuple[int, ...]
    insides: tuple[int, ...]

    @classmethod
    def of(cls, mark: str, symbols: Iterable[str]) -> _Shapes:
        known = [symbol.lstrip(SOUND + JOINED) for symbol in symbols if _mark(symbol) == mark]
        return cls(
            mark,
            frozenset(known),
            _sizes(symbol for symbol in known if symbol[0] != "-" == symbol[-1]),
            _sizes(symbol for symbol in known if symbol[0] == "-" != symbol[-1]),
            _sizes(symbol for symbol in known if symbol[0] == "-" == symbol[-1]),
        )

    def fitting(self, word: str) -> list[str]:
        """The symbols that this word is what they ask for: whole, then by its beginning, its ending, its inside."""
        size = len(word)
        possible = [word]
        possible += [word[:each] + "-" for each in self.beginnings if each <= size]
        possible += ["-" + word[-each:] for each in self.endings if each <= size]
        insides = [word[at : at + each] for each in self.insides for at in range(size - each + 1)]
        possible += [f"-{inside}-" for inside in dict.fromkeys(insides)]
        return [self.mark + symbol for symbol in possible if symbol in self.known]


def _mark(symbol: str) -> str:
    return symbol[0] if symbol[0] in (SOUND, JOINED) else ""


def _sizes(symbols: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({len(symbol.strip("-")) for symbol in symbols}))


class _Ends(Generic[Label]):
    """The ends of one file's phrases, each kept once and known by a number; a node is where some of them may follow.

    So no phrase is ever written out choice by choice: what follows a choice is the same end for all of it.
    """

    def __init__(self) -> None:
        self.symbols: set[str] = set()
        self._numbers: dict[Hashable, int] = {}
        self._ends: list[tuple[tuple[Symbols, ...], Any]] = []
        self._nodes: dict[tuple[int, ...], Node[Label]] = {}

    def of(self, slots: Slots, label: Label) -> int:
        """The number of a whole phrase."""
        end = self._numbered((), label)
        for choices in reversed(slots):
            end = self._numbered(tuple(choices), end)
        return end

    def node(self, ends: tuple[int, ...]) -> Node[Label]:
        if ends not in self._nodes:
            labels: dict[Label, None] = {}
            steps: defaultdict[str, dict[int, None]] = defaultdict(dict)
            for end in ends:
                self._follow(end, labels, steps)
            gap = steps.pop(GAP, None)
            self.symbols.update(steps)
            following = {symbol: self.node(tuple(after)) for symbol, after in steps.items()}
            self._nodes[ends] = Node(following, tuple(labels), self.node(tuple(gap)) if gap else None)
        return self._nodes[ends]

    def _follow(self, end: int, labels: dict[Label, None], steps: Mapping[str, dict[int, None]]) -> None:
        """Where one more word leads from here; a choice of no word leads on at once."""
        choices, following = self._ends[end]
        if not choices:
            labels[following] = None
        for choice in choices:
            if choice:
                symbol, *rest = choice
                steps[symbol][self._numbered((tuple(rest),), following) if rest else following] = None
            else:
                self._follow(following, labels, steps)

    def _numbered(self, choices: tuple[Symbols, ...], following: Any) -> int:
        """The number of an end: `choices` and the number of what follows them, or none and the label."""
        end = (choices, following)
        if end not in self._numbers:
            self._numbers[end] = len(self._ends)
            self._ends.append(end)
        return self._numbers[end]
