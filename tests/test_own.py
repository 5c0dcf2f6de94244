"""An operator's own folder over the shipped words: one sentence, one number, never half a message."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ivr.answering import answer
from ivr.catalogue import Catalogue, load_catalogue
from ivr.checking import Check
from ivr.content import ContentError, Source
from ivr.model import Message
from ivr.reviewing import approve, unapproved
from ivr.settings import HOME

CONTENT, LOCALES = HOME / "content", HOME / "locales"
HEADER = "country,call,poison,advice,report,confidence,checked_on,source\n"
WELCOME = '["It relaxes muscles."]\nen = "Our clinic says: it relaxes muscles."\n'
WELCOME += 'es = "Nuestra clínica dice: relaja los músculos."\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "words.toml").write_text(WELCOME, encoding="utf-8")
    return tmp_path


def said(words: str, language: str, catalogue: Catalogue, country: str = "KE") -> str:
    return " ".join(sentence.text for sentence in answer(Message("sms", words, (language,), country), catalogue).said)


def test_her_sentence_takes_the_place_of_ours_in_the_languages_she_gives(folder: Path) -> None:
    catalogue = load_catalogue(own=folder)
    assert "Our clinic says: it relaxes muscles." in said("1", "en", catalogue)
    assert "Nuestra clinica dice" in said("1", "es", catalogue)
    assert "clinic" not in said("1", "ru", catalogue)


def test_her_number_takes_the_place_of_ours(folder: Path) -> None:
    row = "KE,0800 500,,,,high,2026-11-20,Ministry of Health letter of 20 November 2026\n"
    (folder / "countries.csv").write_text(HEADER + row, encoding="utf-8")
    catalogue = load_catalogue(own=folder)
    assert said("0", "en", catalogue).startswith("Call 0800 500 (Kenya)")
    assert said("0", "en", catalogue, "MX").startswith("Call 911 (Mexico)")


def test_an_urgent_sentence_is_changed_in_every_language_on_offer_or_not_at_all(folder: Path) -> None:
    urgent = '["Do not stop baclofen suddenly."]\nen = "Never stop baclofen suddenly."\n'
    (folder / "words.toml").write_text(urgent, encoding="utf-8")
    with pytest.raises(ContentError, match=r"an urgent or stopping sentence; give it in es, .*ar"):
        load_catalogue(own=folder)
    english = load_catalogue(own=folder, wanted=("en",))
    assert "Never stop baclofen suddenly." in said("3", "en", english)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ('["It heals muscles."]\nen = "x"\n', "has no sentence 'It heals muscles.'"),
        ('["It relaxes muscles."]\nxx = "x"\n', "there is no language xx"),
        ('["It relaxes muscles."]\nen = ""\n', "needs words"),
        ('["It relaxes muscles."]\nen = "It relaxes {muscles}."\n', "needs words"),
        ('["It relaxes muscles."\n', "words.toml"),
    ],
)
def test_a_fault_in_her_words_is_named(folder: Path, words: str, complaint: str) -> None:
    (folder / "words.toml").write_text(words, encoding="utf-8")
    with pytest.raises(ContentError, match=complaint):
        load_catalogue(own=folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="there is no folder"):
        load_catalogue(own=tmp_path / "lost")


def test_her_words_are_checked_like_ours(folder: Path) -> None:
    words = '["It relaxes muscles."]\nen = "It is safe: 10 mg relax muscles."\n'
    (folder / "words.toml").write_text(words, encoding="utf-8")
    found = [f"{finding.where} {finding.what}" for finding in Check(CONTENT, LOCALES, own=folder).findings()]
    assert any("amount" in fault for fault in found) and any("safe" in fault for fault in found)


def test_her_changed_words_are_signed_in_her_own_folder(folder: Path) -> None:
    source = Source(CONTENT, LOCALES, folder)
    assert approve(source, "es", "A. Nurse", date(2026, 11, 22)) > 100
    assert unapproved(source, "es") == []
    assert (folder / "review/es.toml").exists()
    (folder / "words.toml").write_text(WELCOME.replace("Nuestra", "La"), encoding="utf-8")
    assert unapproved(Source(CONTENT, LOCALES, folder), "es") == ["It relaxes muscles."]


@pytest.mark.parametrize(
    ("name", "code"), [("COUNTRY UAE", "AE"), ("COUNTRY united arab emirates", "AE"), ("COUNTRY Emiratos Árabes", "AE")]
)
def test_a_country_is_known_by_its_long_and_its_short_name(catalogue: Catalogue, name: str, code: str) -> None:
    assert answer(Message("sms", name, ("en",)), catalogue).country == code
