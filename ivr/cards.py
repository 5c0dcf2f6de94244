"""Keyword cards to print: a wallet card, ten of them on a sheet, a poster; templates/cards.typ lays them out."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import click
import phonenumbers

from ivr.catalogue import countries_of, load_wordings
from ivr.content import ContentError, Edition, Source
from ivr.reviewing import unapproved
from ivr.settings import HOME, own_content
from ivr.wording import KEY_OF

PAGES = ("card", "sheet", "poster")
CHANNELS = ("text", "call")
FONTS = (
    "fontpkg_noto_sans",
    "fontpkg_noto_sans_arabic",
    "fontpkg_hind_siliguri",
    "noto_cjk_sans_jp_regular",
    "noto_cjk_sans_jp_bold",
)


def said(edition: Edition, number: str, channels: tuple[str, ...], *, draft: bool) -> dict[str, Any]:
    """All that the pages of one language say, under the names that the layout knows.

    `number`: E.164, such as `+15005550006`; `channels`: of `CHANNELS`; `draft`: nobody has signed the words.
    The words are as content/ has them: paper has room for the accents that texts are folded of.
    """
    prompts, urgent = edition.prompts, KEY_OF["urgent"]
    ways = {
        "text": prompts["way_urgent"].sms.format(key=urgent),
        "call": edition.urgent_invitation.format(key=urgent),
    }
    return {
        "language": edition.language,
        "rtl": edition.rtl,
        "number": _written(number),
        "urgent": (urgent, edition.urgent_label),
        "ways": [ways[channel] for channel in channels],
        "keys": [
            *((topic.key, topic.label) for topic in edition.topics.values()),
            (KEY_OF["language"], prompts["language_label"].sms),
        ],
        "title": prompts["menu_title"].sms if "text" in channels else "",
        "welcome": prompts["welcome"].sms,
        "emergency": prompts["emergency_none"].sms,
        "do_not_stop": prompts["do_not_stop"].sms,
        "draft": prompts["draft"].sms if draft else "",
        "codes": [{"sign": channel, "svg": _svg(address(edition, number, channel))} for channel in channels],
    }


def address(edition: Edition, number: str, channel: str) -> str:
    """What the QR code of a channel holds: the start of a call, or of a text in this language.

    SMSTO is what cameras know best, better than the sms: of RFC 5724.
    """
    return f"tel:{number}" if channel == "call" else f"SMSTO:{number}:{first_words(edition)}"


def first_words(edition: Edition) -> str:
    """A text after which the line answers in this language: its name.

    What is Hindi or Urdu in Latin letters has no name that people write: a label tells it.
    """
    return edition.name if edition.phone == edition.language else edition.topics["warnings"].label


def _svg(held: str) -> str:
    import segno

    drawn = BytesIO()
    segno.make(held, micro=False).save(drawn, kind="svg", xmldecl=False)
    return drawn.getvalue().decode()


def _written(number: str) -> str:
    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def typeset(page: str, words: dict[str, Any]) -> bytes:
    """One of `PAGES` as PDF, with what `said` gives; no font of the machine is used.

    Raises ContentError where there are too many words for the page.
    """
    import typst

    try:
        return typst.compile(
            str(HOME / "ivr" / "templates" / "cards.typ"),
            font_paths=[str(files(package)) for package in FONTS],
            ignore_system_fonts=True,
            sys_inputs={"page": page, "said": json.dumps(words)},
        )
    except typst.TypstError as fault:
        raise ContentError(fault.message) from fault


@click.command()
@click.argument("languages", nargs=-1, required=True)
@click.option("--number", required=True, help="The line's own number, such as +15005550006.")
@click.option("--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--sms", "channels", flag_value=("text",), type=click.UNPROCESSED, help="For a number that texts only.")
@click.option("--voice", "channels", flag_value=("call",), type=click.UNPROCESSED, help="For a number for calls only.")
def cards(languages: tuple[str, ...], number: str, folder: Path, channels: tuple[str, ...] | None) -> None:
    """Print keyword cards of LANGUAGES into a folder: <language>-card.pdf, -sheet.pdf (ten of them) and -poster.pdf."""
    source = Source(HOME / "content", HOME / "locales", own_content(os.environ))
    whole, _ = load_wordings(source, countries_of(source))
    if unknown := set(languages) - set(whole):
        raise click.ClickException(f"not among the complete languages: {', '.join(sorted(unknown))}; see ivr check")
    dialled = _dialled(number)
    for language in languages:
        draft = bool(unapproved(source, language))
        try:
            words = said(whole[language].edition, dialled, channels or CHANNELS, draft=draft)
            made = {page: typeset(page, words) for page in PAGES}
        except ModuleNotFoundError as lacking:
            remedy = f"{lacking.name} is not installed: .venv/bin/pip install -e '.[cards]'"
            raise click.ClickException(remedy) from lacking
        for page, document in made.items():
            _write(folder / f"{language}-{page}.pdf", document)


def _dialled(number: str) -> str:
    """The number in E.164. Raises click.ClickException where nobody could dial it."""
    try:
        read = phonenumbers.parse(number)
    except phonenumbers.NumberParseException as fault:
        raise click.ClickException(f"--number: {fault}; give it as +15005550006") from fault
    if not phonenumbers.is_possible_number(read):
        raise click.ClickException(f"--number: {number} is too long or too short for its country")
    return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    click.echo(f"wrote {path}")
