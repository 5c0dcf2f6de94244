"""The static bundle: each document is one that Twilio executes by itself, the urgent message first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from flask import Flask

from ivr.fallback import export
from ivr.line import the_line
from ivr.phone import Answered, Phone


@pytest.fixture
def bundle(app: Flask, tmp_path: Path) -> Path:
    export(the_line(app), tmp_path / "bundle")
    return tmp_path / "bundle"


def phone_of(folder: Path, country: str) -> Phone:
    """A phone whose carrier answers from the files alone: no line of ours is there."""

    def send(_method: str, url: str, _form: Mapping[str, str], _headers: Mapping[str, str]) -> Answered:
        path = folder / country / f"{url.rpartition('/')[2]}.xml"
        return Answered(200, {"Content-Type": "text/xml"}, path.read_bytes())

    return Phone(send, "https://bins.example.org")


def test_every_country_has_both_documents_and_each_is_executed(bundle: Path) -> None:
    countries = sorted(path.name for path in bundle.iterdir())
    assert len(countries) > 90
    for country in countries:
        phone = phone_of(bundle, country)
        assert 1 <= len(phone.text("help")) <= 3
        call = phone.call()
        assert call.over
        assert call.lines[-1] == "(hangs up)"


def test_the_number_and_the_hospital_come_first_then_that_the_line_does_not_work(bundle: Path) -> None:
    texts = [text.body for text in phone_of(bundle, "KE").text("help")]
    assert texts[0].startswith("Piga 999 (Kenya)")  # Swahili is official there, and so is English
    assert any(text.startswith("Call 999 (Kenya)") for text in texts)
    assert all("\n" in text for text in texts)
    heard = phone_of(bundle, "KE").call().lines
    assert heard[:2] == ["[en] Get help now.", "[en] Call nine nine nine in Kenya, or go to the nearest hospital."]
    assert heard[-2] == "[en] Our information line is not working now. Please try again later."


def test_where_no_number_is_known_the_hospital_is_named(bundle: Path) -> None:
    assert "nearest hospital" in phone_of(bundle, "ZZ").text("help")[0].body[:40]
