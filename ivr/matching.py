"""Where phrases stand in a text: all phrases of all languages as one graph of words, walked once along the text.

A symbol is what one word of a phrase asks for: `fever` that very word, `brea-` a beginning, `-meza` an ending,
`-meza-` an inside. A mark before it says how the word must be read: romanised Hindi and Urdu as they sound,
Arabic also without the little words that it writes together with the next.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from ivr.folding import romanise

GAP = "*"
REACH = 3  # words that may stand where the star is
ADJACENT = -1
SOUND, JOINED = "~", "^"  # marks: as it sounds; with or without a joined prefix
ARABIC_PREFIXES = ("و", "ف", "ب", "ل", "ال", "وال", "بال", "فال", "لل")
_ENDS = ""

Label = TypeVar("Label", bound=Hashable)

Symbols = tuple[str, ...]
Raw = dict[Any, Any]  # symbol -> Raw; under _ENDS the labels
Slots = Sequence[Sequence[Symbols]]  # for each word of a phrase its choices; a choice may be several words, or none


@dataclass(frozen=True, slots=True, eq=False)
class Node(Generic[Label]):
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
            root: Node[Label] = _settled(_grown(phrases), {})
            known.update(_symbols_of(root, set()))
            for symbol, node in root.steps.items():
                self._roots[symbol] = (*self._roots.get(symbol, ()), node)
        self._known = frozenset(known)
        tails = {symbol.lstrip(SOUND + JOINED) for symbol in self._known}
        self._ends = _sizes(tail for tail in tails if tail[0] == "-" != tail[-1])
        self._insides = _sizes(tail for tail in tails if tail[0] == "-" == tail[-1])
        self.symbols = lru_cache(maxsize=32768)(self._symbols)

    def find(self, words: Sequence[str], clauses: Sequence[int]) -> Iterator[tuple[Label, int, int]]:
        """Each label with the first and the last word of its phrase; no gap reaches over the end of a clause."""
        standing: list[tuple[Node[Label], int, int]] = []
        for at, word in enumerate(words):
            symbols = self.symbols(word)
            reached = [(node, at) for symbol in symbols for node in self._roots.get(symbol, ())]
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

    def _symbols(self, word: str) -> Symbols:
        possible = (symbol for mark, spelling in _spellings(word) for symbol in self._possible(mark, spelling))
        return tuple(symbol for symbol in possible if symbol in self._known)

    def _possible(self, mark: str, word: str) -> Iterator[str]:
        yield mark + word
        yield from (f"{mark}{word[:size]}-" for size in range(1, min(len(word), 40) + 1))
        yield from (f"{mark}-{word[-size:]}" for size in self._ends if size <= len(word))
        insides = (word[at : at + size] for size in self._insides for at in range(len(word) - size + 1))
        yield from (f"{mark}-{inside}-" for inside in dict.fromkeys(insides))


def _spellings(word: str) -> Iterator[tuple[str, str]]:
    yield "", word
    yield JOINED, word
    if word.isascii():
        yield SOUND, romanise(word)
    else:
        yield from ((JOINED, word[len(each) :]) for each in ARABIC_PREFIXES if word.startswith(each))


def _sizes(symbols: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({len(symbol.strip("-")) for symbol in symbols}))


def _grown(phrases: Iterable[tuple[Slots, Label]]) -> Raw:
    root: Raw = {}
    for slots, label in phrases:
        ends = [root]
        for choices in slots:
            ends = [_along(end, symbols) for end in ends for symbols in choices]
        for end in ends:
            end.setdefault(_ENDS, {})[label] = {}
    return root


def _along(node: Raw, symbols: Symbols) -> Raw:
    for symbol in symbols:
        node = node.setdefault(symbol, {})
    return node


def _settled(raw: Raw, same: dict[Hashable, Node[Label]]) -> Node[Label]:
    """The node for this branch; one that looks the same is used again."""
    steps = {symbol: _settled(branch, same) for symbol, branch in raw.items() if symbol not in (_ENDS, GAP)}
    gap = _settled(raw[GAP], same) if GAP in raw else None
    labels = tuple(raw.get(_ENDS, ()))
    key = (labels, id(gap), frozenset((symbol, id(node)) for symbol, node in steps.items()))
    return same.setdefault(key, Node(steps, labels, gap))


def _symbols_of(node: Node[Any], seen: set[int]) -> Iterator[str]:
    if id(node) not in seen:
        seen.add(id(node))
        yield from node.steps
        for following in (*node.steps.values(), *filter(None, [node.gap])):
            yield from _symbols_of(following, seen)
