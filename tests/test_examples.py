"""The open half of the independent texts: no regression in what is understood. See tests/understanding/README.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ivr.catalogue import Catalogue
from ivr.understanding import understand

OPEN = Path(__file__).parent / "understanding/open.jsonl"
TEXTS = [json.loads(line) for line in OPEN.read_text(encoding="utf-8").splitlines()]


LEAST_URGENT = 0.97  # of the emergencies; reached once phrases had been mended after these very texts


def share(right: list[bool]) -> float:
    return sum(right) / len(right)


def urgent(catalogue: Catalogue, text: str) -> bool:
    return "urgent" in understand(text, None, catalogue.lexicon).intents


@pytest.fixture(scope="module")
def texts(catalogue: Catalogue) -> list[dict[str, object]]:
    return [row for row in TEXTS if row["lang"] in catalogue.languages]


def test_emergencies_are_seen(catalogue: Catalogue, texts: list[dict[str, object]]) -> None:
    seen = [urgent(catalogue, str(row["text"])) for row in texts if row["intent"] == "urgent"]
    assert share(seen) >= LEAST_URGENT


def test_few_texts_are_taken_for_an_emergency(catalogue: Catalogue, texts: list[dict[str, object]]) -> None:
    calm = [row for row in texts if row["intent"] != "urgent" and "urgent" not in str(row["also_ok"])]
    assert share([urgent(catalogue, str(row["text"])) for row in calm if not row.get("chatter")]) <= 0.05
    assert share([urgent(catalogue, str(row["text"])) for row in calm if row.get("chatter")]) <= 0.01
