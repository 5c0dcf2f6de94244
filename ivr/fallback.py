"""What Twilio answers by itself when no computer of ours does: static TwiML, the urgent message first."""

from __future__ import annotations

from pathlib import Path

from babel.languages import get_official_languages

from ivr.catalogue import Catalogue
from ivr.content import SOURCE
from ivr.line import Line
from ivr.model import Sentence
from ivr.sms import render
from ivr.voice import NOWHERE, farewell, prompt
from ivr.wording import Wording

MOST_LANGUAGES = 3  # who listens or pays for a text waits for his own through the others


def export(line: Line, folder: Path) -> list[Path]:
    """Write <country>/voice.xml and <country>/sms.xml for each country of the table, and ZZ/ for any other.

    They need neither our host nor our code. A recording is used only from AUDIO_BASE_URL, since our host may be down.
    """
    written = []
    for country in (None, *line.catalogue.countries):
        for name, document in (("voice", voice_document(line, country)), ("sms", sms_document(line, country))):
            path = folder / (country or NOWHERE) / f"{name}.xml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(document)
            written.append(path)
    return written


def voice_document(line: Line, country: str | None) -> bytes:
    said = []
    for wording in _languages(line.spoken, country):
        lines = (*wording.urgent_spoken("general", country), *wording.voice("line_down"))
        said += [prompt(Sentence(each, wording.edition.language), line) for each in lines]
    return farewell(tuple(said))


def sms_document(line: Line, country: str | None) -> bytes:
    return render(
        tuple(
            Sentence(
                f"{wording.urgent_text('general', country, alone=False)}\n{wording.sms('line_down')}",
                wording.edition.language,
            )
            for wording in _languages(line.catalogue, country)
        )
    )


def _languages(catalogue: Catalogue, country: str | None) -> list[Wording]:
    """The official languages of the country that the line has, and English."""
    official = get_official_languages(country, regional=True, de_facto=True) if country else ()
    codes = dict.fromkeys(code for code in (*official, SOURCE) if code in catalogue.languages)
    first = tuple(codes) or tuple(catalogue.languages)
    return [catalogue.languages[code] for code in first[:MOST_LANGUAGES]]
