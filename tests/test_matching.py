"""The graph of phrases finds what a plain search finds, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.matching import GAP, REACH, Graph

WORDS = st.sampled_from(["no", "pulse", "pulses", "a", "b", "impulse"])
SYMBOLS = st.sampled_from(["no", "puls-", "-pulse", "-uls-", "a", "b"])
PHRASES = st.lists(st.one_of(SYMBOLS, st.just(GAP)), min_size=1, max_size=4)


def fits(symbol: str, word: str) -> bool:
    stem = symbol.strip("-")
    if symbol.startswith("-"):
        return stem in word if symbol.endswith("-") else word.endswith(stem)
    return word.startswith(stem) if symbol.endswith("-") else word == stem


def plain_search(phrase: list[str], words: list[str], clauses: list[int]) -> set[tuple[int, int]]:
    """First and last word of every place where the phrase stands, tried one by one."""
    found: set[tuple[int, int]] = set()

    def walk(left: list[str], at: int, first: int, spare: int) -> None:
        if not left:
            found.add((first, at - 1))
            return
        symbol, *rest = left
        for place in range(at, min(at + spare + 1, len(words))):
            same = spare == 0 or all(a == b for a, b in pairwise(clauses[at - 1 : place + 1]))
            if same and fits(symbol, words[place]):
                following = len(rest) > 0 and rest[0] == GAP
                walk(rest[1:] if following else rest, place + 1, first, REACH if following else 0)

    for start in range(len(words)):
        walk(phrase, start, start, 0)
    return found


def neat(phrase: list[str]) -> list[str]:
    """Without a star at either end or beside another."""
    stars = [n for n, symbol in enumerate(phrase) if symbol == GAP and (n == 0 or phrase[n - 1] == GAP)]
    kept = [symbol for n, symbol in enumerate(phrase) if n not in stars]
    return kept[:-1] if kept and kept[-1] == GAP else kept


@given(st.lists(PHRASES, max_size=6), st.lists(st.tuples(WORDS, st.booleans()), max_size=12))
def test_the_graph_finds_what_a_plain_search_finds(phrases: list[list[str]], text: list[tuple[str, bool]]) -> None:
    phrases = [phrase for phrase in map(neat, phrases) if phrase]
    words = [word for word, _ in text]
    clauses = [sum(stop for _, stop in text[:at]) for at in range(len(text))]
    graph = Graph(([[(symbol,)] for symbol in phrase], number) for number, phrase in enumerate(phrases))
    found = set(graph.find(words, clauses))
    expected = {(n, *span) for n, phrase in enumerate(phrases) for span in plain_search(phrase, words, clauses)}
    assert found == expected


@pytest.mark.parametrize("text", ["cant breathe", "cant even breathe", "cannot breathe", "cannot even breathe"])
def test_a_choice_of_words_may_be_no_word(text: str) -> None:
    graph = Graph([([[("cant",), ("cannot",)], [(), ("even",)], [("brea-",)]], "breathing")])
    words = text.split()
    assert list(graph.find(words, [0] * len(words))) == [("breathing", 0, len(words) - 1)]


def test_romanised_words_are_compared_as_they_sound_and_arabic_ones_without_what_is_joined() -> None:
    graph = Graph([([[("~sans",)], [("~nahi",)]], "hi"), ([[("^حبوب",)]], "ar")])
    assert list(graph.find(["saans", "nhi"], [0, 0])) == [("hi", 0, 1)]
    assert list(graph.find(["والحبوب"], [0])) == list(graph.find(["حبوب"], [0])) == [("ar", 0, 0)]
    assert list(graph.find(["نحبوب"], [0])) == []
