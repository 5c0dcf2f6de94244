"""gettext catalogues through Babel: no dates and no line numbers, so that a diff shows only words."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from ivr.content import NUMBERED, Source, locale_folder, read_translations

_HEADER = 'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
LONGEST = {  # characters, placeholders at their longest; per kind of string
    "sms" + NUMBERED: "at most 2 segments: 306 characters, or 201 in scripts outside GSM-7, with {country} filled in",
    "sms_none": "one segment if it can be: 160 characters, or 201 in scripts outside GSM-7",
    "label": "a few words: it stands in a list",
    "invitation": "a few words: the whole spoken menu lasts 20 seconds",
}


def template(source: Source) -> Catalog:
    """All English strings, each once, with its sources, its notes and the longest it may be."""
    comments: dict[str, dict[str, None]] = {}
    for entry in source.entries():
        sources = f"Sources: {' '.join(entry.sources)}" if entry.sources else ""
        limit = LONGEST.get(entry.where.rpartition(" ")[2], "")
        told = comments.setdefault(entry.text, {})
        told |= dict.fromkeys(line for line in (entry.where, sources, entry.note, limit) if line)
    pot = Catalog()
    for text, lines in comments.items():
        pot.add(text, auto_comments=list(lines))
    return pot


def rendered(catalog: Catalog, language: str) -> str:
    out = BytesIO()
    write_po(out, catalog, no_location=True, omit_header=True, width=100, ignore_obsolete=True)
    return _HEADER.format(language=language) + out.getvalue().decode()


def extract(content: Path, locales: Path) -> Path:
    """Write locales/messages.pot anew from content/."""
    path = locales / "messages.pot"
    path.write_text(rendered(template(Source(content, locales)), ""), encoding="utf-8")
    return path


def update(content: Path, locales: Path, language: str) -> Path:
    """Bring one language's catalogue up to date: new strings empty, reworded ones doubtful (fuzzy)."""
    catalog = read_translations(language, locales)
    catalog.update(template(Source(content, locales)), update_creation_date=False)
    path = locale_folder(locales, language) / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rendered(catalog, language), encoding="utf-8")
    return path


def outdated(content: Path, locales: Path) -> bool:
    """Whether messages.pot differs from what content/ says now."""
    path = locales / "messages.pot"
    return not path.exists() or path.read_text(encoding="utf-8") != rendered(template(Source(content, locales)), "")
