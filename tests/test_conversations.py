"""Conversations, replayed line by line through the front door: the whole dialogue is compared.

Write the `>` lines of a new file by hand, run `REWRITE=1 pytest tests/test_conversations.py`, and read what came.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from ivr.phone import play

from .conftest import phone

HERE = Path(__file__).parent / "conversations"


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_conversation(path: Path, make_app: Callable[..., Flask]) -> None:
    script = path.read_text(encoding="utf-8")
    told = dict(line.removeprefix("# set ").split("=") for line in script.splitlines() if line.startswith("# set "))
    app = make_app(**told)
    heard = play(script, lambda number, country: phone(app, number, country))
    if os.environ.get("REWRITE"):
        path.write_text(heard, encoding="utf-8")
    assert heard == script
