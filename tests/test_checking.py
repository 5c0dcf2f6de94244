"""ivr check finds what it promises to find: each rule is broken once, in a copy of the words."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from ivr.checking import Check
from ivr.settings import HOME


@pytest.fixture
def words(tmp_path: Path) -> Path:
    shutil.copytree(HOME / "content", tmp_path / "content")
    shutil.copytree(HOME / "locales", tmp_path / "locales")
    return tmp_path


def found(words: Path, today: date | None = None) -> str:
    check = Check(words / "content", words / "locales", today)
    return "\n".join(f"{finding.where}: {finding.what}" for finding in check.findings())


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_words_are_without_a_finding(words: Path) -> None:
    assert found(words) == ""


ENGLISH = [
    ("topics/dosage.toml", "Your doctor sets your dose.", "Take 10 of them.", "amount: '1'"),
    ("topics/dosage.toml", "Your doctor sets your dose.", "Take two tablets at night.", "amount: 'two tablets'"),
    ("topics/uses.toml", "It relaxes muscles.", "It is safe.", "safe: 'safe'"),
    ("topics/side_effects.toml", "Alcohol makes it worse.", "Serious reactions are rare.", "safe: 'rare'"),
    ("topics/uses.toml", "Spasms may be fewer", "Convulsions may be fewer", "seizure: 'Convuls'"),
    ("topics/stopping.toml", 'label = "running out"', 'label = "stopping"', "begins with a word that carriers keep"),
    ("topics/uses.toml", '"S12", ', "", "no paragraph rests on S12"),
    ("topics/uses.toml", '"S12"', '"S99"', "there is no source S99"),
    ("urgent.toml", "Rash, confused", "A rash that itches, confused", "2 segments of GSM-7, over 1"),
    (
        "urgent.toml",
        "Call {number} ({country})",
        "Quickly pick up a telephone and then call {number} ({country})",
        "first 40",
    ),
    ("prompts.toml", "information. We cannot", "information, and nothing else. We cannot", "seconds, over 20"),
    (
        "urgent.toml",
        "Get help now.",
        "Get help now, at once, this minute, and please do not wait any longer.",
        "seconds, over 25",
    ),
    ("languages.toml", "Polly.Joanna-Neural", "Polly.Sana", "Polly.Sana is not in voices.txt"),
    ("rules.toml", "longest = 6.0", "longest = 3.0", "over 3.0"),
]


@pytest.mark.parametrize(("file", "old", "new", "finding"), ENGLISH, ids=[row[3] for row in ENGLISH])
def test_a_broken_rule_is_found(words: Path, file: str, old: str, new: str, finding: str) -> None:
    edit(words / "content" / file, old, new)
    assert finding in found(words)


def test_a_warning_left_out_of_a_topic_is_found(words: Path) -> None:
    edit(words / "content/topics/warnings.toml", 'always = ["do_not_stop"]', "always = []")
    assert "does not say: do not stop suddenly" in found(words)


def test_a_reworded_english_sentence_makes_its_translations_outdated(words: Path) -> None:
    edit(words / "content/topics/uses.toml", "It relaxes muscles.", "It relaxes tight muscles.")
    check = Check(words / "content", words / "locales")
    assert "es" not in check.catalogue.languages
    assert check.catalogue.incomplete["es"] == ("It relaxes tight muscles.",)
    assert "run ivr translate extract" in found(words)


def test_a_missing_urgent_translation_is_a_fault_of_its_own(words: Path) -> None:
    path = words / "locales/es/LC_MESSAGES/messages.po"
    edit(path, 'msgid "Get help now."\n', '#, fuzzy\nmsgid "Get help now."\n')
    assert "an urgent or stopping sentence is missing: 'Get help now.'" in found(words)


def test_a_misspelt_placeholder_is_found(words: Path) -> None:
    path = words / "locales/es/LC_MESSAGES/messages.po"
    edit(path, "oprima {key}", "oprima {kay}")
    assert "placeholders differ" in found(words)


def test_numbers_are_confirmed_every_year(words: Path) -> None:
    assert "countries.csv KE: last checked on" in found(words, date(2027, 12, 1))


def test_a_number_of_low_confidence_is_never_given(words: Path) -> None:
    edit(words / "content/countries.csv", "ET,,", "ET,907,")
    assert "countries.csv ET: a number of low confidence" in found(words)
