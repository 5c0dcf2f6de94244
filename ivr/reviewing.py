"""Sign-off: a named person approves a language; the approval is bound to the very words, English and translated."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from ivr.content import SOURCE, Source, locale_folder, wordings


def review_file(source: Source, language: str) -> Path:
    """Where a language is signed: beside its words, or in the folder of an operator who has her own."""
    if source.own.folder:
        return source.own.folder / "review" / f"{language}.toml"
    return _shipped_review(source, language)


def _shipped_review(source: Source, language: str) -> Path:
    return (source.folder if language == SOURCE else locale_folder(source.locales, language)) / "review.toml"


def _pairs(source: Source, language: str) -> Iterator[tuple[str, str]]:
    """Each English sentence of the line, once, with its words in this language (empty where there are none)."""
    known = wordings(source, language)
    for text in dict.fromkeys(entry.text for entry in source.entries()):
        yield text, known.get(text, "")


def fingerprint(english: str, translated: str) -> str:
    return hashlib.sha256(f"{english}\0{translated}".encode()).hexdigest()[:16]


def approvals(source: Source, language: str) -> dict[str, str]:
    """Fingerprints that someone has signed, each with "name, date"."""
    signed: dict[str, str] = {}
    for path in (_shipped_review(source, language), review_file(source, language)):
        signed |= tomllib.loads(path.read_text(encoding="utf-8"))["approved"] if path.exists() else {}
    return signed


def unapproved(source: Source, language: str) -> list[str]:
    """The English of every sentence whose present words nobody has signed in this language."""
    signed = approvals(source, language)
    return [english for english, words in _pairs(source, language) if fingerprint(english, words) not in signed]


def approve(source: Source, language: str, name: str, today: date) -> int:
    """Sign all present words of a language. What was signed before keeps its name; words that are gone fall away.

    Returns how many sentences were newly signed. Raises ValueError where a sentence is not translated yet.
    """
    pairs = list(_pairs(source, language))
    if untranslated := [english for english, translated in pairs if not translated]:
        raise ValueError(f"{language}: {len(untranslated)} sentences are not translated yet: {untranslated[0]!r}")
    before = approvals(source, language)
    signed = {fingerprint(*pair): before.get(fingerprint(*pair), f"{name}, {today}") for pair in pairs}
    lines = [f'{key} = "{who}"' for key, who in sorted(signed.items())]
    path = review_file(source, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# Written by ivr review approve.\n[approved]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return len(signed.keys() - before.keys())
