"""Sign-off: a named person approves a language; the approval is bound to the very words, English and translated."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from ivr.content import SOURCE, Source, locale_folder, read_translations


def review_file(content: Path, locales: Path, language: str) -> Path:
    folder = content if language == SOURCE else locale_folder(locales, language)
    return folder / "review.toml"


def _pairs(source: Source, locales: Path, language: str) -> Iterator[tuple[str, str]]:
    """Each English sentence of the line, once, with its words in this language (empty where there are none)."""
    known = {str(entry.id): str(entry.string) for entry in read_translations(language, locales) if entry.id}
    for text in dict.fromkeys(entry.text for entry in source.entries()):
        yield text, text if language == SOURCE else known.get(text, "")


def fingerprint(english: str, translated: str) -> str:
    return hashlib.sha256(f"{english}\0{translated}".encode()).hexdigest()[:16]


def approvals(content: Path, locales: Path, language: str) -> dict[str, str]:
    """Fingerprints that someone has signed, each with "name, date"."""
    path = review_file(content, locales, language)
    return tomllib.loads(path.read_text(encoding="utf-8"))["approved"] if path.exists() else {}


def unapproved(content: Path, locales: Path, language: str, source: Source | None = None) -> list[str]:
    """The English of every sentence whose present words nobody has signed in this language."""
    signed = approvals(content, locales, language)
    pairs = _pairs(source or Source(content), locales, language)
    return [english for english, translated in pairs if fingerprint(english, translated) not in signed]


def approve(content: Path, locales: Path, language: str, name: str, today: date) -> int:
    """Sign all present words of a language. What was signed before keeps its name; words that are gone fall away.

    Returns how many sentences were newly signed. Raises ValueError where a sentence is not translated yet.
    """
    pairs = list(_pairs(Source(content), locales, language))
    if untranslated := [english for english, translated in pairs if not translated]:
        raise ValueError(f"{language}: {len(untranslated)} sentences are not translated yet: {untranslated[0]!r}")
    before = approvals(content, locales, language)
    signed = {fingerprint(*pair): before.get(fingerprint(*pair), f"{name}, {today}") for pair in pairs}
    lines = [f'{key} = "{who}"' for key, who in sorted(signed.items())]
    path = review_file(content, locales, language)
    path.write_text("# Written by ivr review approve.\n[approved]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return len(signed.keys() - before.keys())
