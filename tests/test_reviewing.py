"""Sign-off: bound to the words, and gone for exactly those that change."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from ivr.answering import answer
from ivr.catalogue import Catalogue, load_catalogue
from ivr.content import ContentError, Source
from ivr.model import Message
from ivr.reviewing import approve, unapproved
from ivr.settings import HOME

DAY = date(2026, 11, 22)


@pytest.fixture
def words(tmp_path: Path) -> tuple[Path, Path]:
    content, locales = tmp_path / "content", tmp_path / "locales"
    shutil.copytree(HOME / "content", content)
    shutil.copytree(HOME / "locales", locales)
    return content, locales


def test_nobody_has_signed_the_shipped_words(catalogue: Catalogue) -> None:
    assert not catalogue.approved


def test_a_signature_falls_away_for_exactly_the_sentence_that_changed(words: tuple[Path, Path]) -> None:
    content, locales = words
    assert approve(Source(content, locales), "es", "A. Nurse", DAY) == len(unapproved(Source(content, locales), "en"))
    assert unapproved(Source(content, locales), "es") == []
    path = locales / "es/LC_MESSAGES/messages.po"
    po = path.read_text(encoding="utf-8")
    changed = po.replace('msgid "It relaxes muscles."\nmsgstr "', 'msgid "It relaxes muscles."\nmsgstr "Ahora ')
    assert changed != po
    path.write_text(changed, encoding="utf-8")
    assert unapproved(Source(content, locales), "es") == ["It relaxes muscles."]
    assert approve(Source(content, locales), "es", "B. Doctor", DAY) == 1
    signed = (locales / "es/review.toml").read_text(encoding="utf-8")
    assert signed.count("B. Doctor, 2026-11-22") == 1


def test_an_untranslated_language_cannot_be_signed(words: tuple[Path, Path]) -> None:
    content, locales = words
    (locales / "es/LC_MESSAGES/messages.po").unlink()
    with pytest.raises(ValueError, match="not translated yet"):
        approve(Source(content, locales), "es", "A. Nurse", DAY)


def test_with_reviewed_only_nothing_unsigned_is_offered_but_urgent_words_are_never_withheld(
    words: tuple[Path, Path],
) -> None:
    content, locales = words
    with pytest.raises(ContentError, match="nobody has approved"):
        load_catalogue(content, locales).narrowed((), reviewed_only=True)
    approve(Source(content, locales), "en", "A. Doctor", DAY)
    catalogue = load_catalogue(content, locales).narrowed((), reviewed_only=True)
    assert list(catalogue.languages) == ["en"]
    reply = answer(Message("sms", "no puede respirar", country="MX"), catalogue)
    assert [sentence.text[:15] for sentence in reply.said] == ["Call 911 (Mexic", "Llame al 911 (M"]
    assert answer(Message("sms", "efectos", country="MX"), catalogue).language == "en"
