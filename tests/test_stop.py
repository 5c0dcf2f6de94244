"""The word "stop": what leaves the messages, and what asks about leaving the medicine. Never one for the other."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from ivr.catalogue import Catalogue
from ivr.understanding import understand

PATTERNS = {path.stem: path for path in sorted((Path(__file__).parent / "understanding" / "stop").glob("*.txt"))}
RIGHT = {"medicine": ("stopping", "urgent"), "messages": ("stop",)}


def sentences(path: Path) -> list[tuple[str, str]]:
    """`medicine: I|my mother want|wants to stop` gives each choice in turn, with what it is about."""
    found: list[tuple[str, str]] = []
    for line in filter(str.strip, path.read_text(encoding="utf-8").splitlines()):
        if not line.startswith("#"):
            about, _, pattern = line.partition(":")
            choices = [word.split("|") for word in pattern.split()]
            found += [(about.strip(), " ".join(filter(None, words))) for words in product(*choices)]
    return found


def test_every_language_has_its_patterns(catalogue: Catalogue) -> None:
    assert set(PATTERNS) == set(catalogue.languages)


@pytest.mark.parametrize("language", PATTERNS)
def test_leaving_the_messages_is_never_taken_for_leaving_the_medicine(catalogue: Catalogue, language: str) -> None:
    texts = sentences(PATTERNS[language])
    assert len(texts) >= 200
    wrong = [text for about, text in texts if understand(text, None, catalogue.lexicon).intents[0] not in RIGHT[about]]
    assert wrong == []
