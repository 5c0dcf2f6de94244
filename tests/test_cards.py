"""The printed cards: read, drawn and scanned, in every language."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Iterator
from ctypes import byref, c_float, create_string_buffer
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from click.testing import CliRunner, Result
from flask import Flask
from fontTools.ttLib import TTFont
from pypdfium2 import raw

from ivr.cards import CHANNELS, FONTS, PAGES, address, first_words, said, typeset
from ivr.catalogue import countries_of, load_wordings
from ivr.commands import cli
from ivr.content import ContentError, Edition, Source
from ivr.settings import HOME

from .conftest import phone

NUMBER, WRITTEN = "+15005550006", "+1 500-555-0006"
SOURCE = Source(HOME / "content", HOME / "locales")
EDITIONS = {code: wording.edition for code, wording in load_wordings(SOURCE, countries_of(SOURCE))[0].items()}
A4 = (595.3, 841.9)  # points
SIZES = {"card": (240.9, 153.1), "sheet": A4, "poster": A4}


@pytest.fixture(params=EDITIONS)
def edition(request: pytest.FixtureRequest) -> Edition:
    return EDITIONS[request.param]


def drafted(edition: Edition, channels: tuple[str, ...] = CHANNELS) -> dict[str, Any]:
    return said(edition, NUMBER, channels, draft=True)


@cache
def printed(language: str, name: str) -> bytes:
    return typeset(name, drafted(EDITIONS[language]))


def read(document: bytes) -> pypdfium2.PdfPage:
    pages = pypdfium2.PdfDocument(document)
    assert len(pages) == 1
    return pages[0]


def scanned(page: pypdfium2.PdfPage, dots_an_inch: int = 200) -> list[str]:
    picture = page.render(scale=dots_an_inch / 72, grayscale=True)
    assert picture.stride == picture.width
    pixels = memoryview(picture.buffer).cast("B").cast("B", (picture.height, picture.width))
    return sorted(code.text for code in zxingcpp.read_barcodes(pixels))


def fonts(page: pypdfium2.PdfPage) -> Iterator[tuple[str, bool]]:
    """The name of each text's font, and whether the file holds it."""
    for text in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
        font, name = raw.FPDFTextObj_GetFont(text), create_string_buffer(100)
        raw.FPDFFont_GetBaseFontName(font, name, 100)
        yield name.value.decode().partition("+")[2] or name.value.decode(), bool(raw.FPDFFont_GetIsEmbedded(font))


def letters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_one_page_of_its_size_and_carries_its_fonts(edition: Edition, name: str) -> None:
    page = read(printed(edition.language, name))
    assert page.get_size() == pytest.approx(SIZES[name], abs=0.1)
    used = set(fonts(page))
    assert used
    assert all(font.startswith(("NotoSans", "HindSiliguri")) and embedded for font, embedded in used), used


@pytest.mark.parametrize("name", ["card", "poster"])
def test_the_words_on_paper_are_those_of_the_catalogue(edition: Edition, name: str) -> None:
    """Of Arabic letters, readers of PDF give back pieces, dots apart: there each letter is looked for, no order."""
    words = drafted(edition)
    text = letters(read(printed(edition.language, name)).get_textpage().get_text_range())
    sentences = [edition.urgent_label, *(words[part] for part in ("do_not_stop", "welcome", "draft"))]
    if edition.rtl:
        assert set(letters("".join(sentences))) <= set(text)
        assert "500-555-0006" in text
    else:
        sentences += [WRITTEN, *(key + label for key, label in words["keys"])]
        assert [sentence for sentence in sentences if letters(sentence) not in text] == []


@pytest.mark.parametrize("name", ["card", "poster"])
def test_the_urgent_line_is_first_and_largest(edition: Edition, name: str) -> None:
    texts = list(read(printed(edition.language, name)).get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]))
    largest = max(map(size, texts))
    urgent = [text for text in texts if size(text) == largest]
    others = [text for text in texts if size(text) < largest]
    assert min(bottom(text) for text in urgent) > max(bottom(text) for text in others)
    assert sum(width(text) for text in urgent) > 100  # points: the whole line, not its key alone


def size(text: pypdfium2.PdfObject) -> float:
    points = c_float()
    raw.FPDFTextObj_GetFontSize(text, byref(points))
    return points.value


def bottom(text: pypdfium2.PdfObject) -> float:
    return float(text.get_bounds()[1])


def width(text: pypdfium2.PdfObject) -> float:
    left, _, right, _ = text.get_bounds()
    return float(right - left)


def test_every_letter_is_in_a_font_that_is_packed(edition: Edition) -> None:
    words = "".join(text for text in flat(drafted(edition)) if not text.startswith("<svg"))
    assert not {letter for letter in words if ord(letter) not in packed()}


@cache
def packed() -> frozenset[int]:
    paths = [path for package in FONTS for path in Path(str(files(package))).rglob("*.[to]tf")]
    return frozenset(code for path in paths for code in TTFont(path).getBestCmap())


def flat(words: object) -> Iterator[str]:
    match words:
        case str():
            yield words
        case dict():
            yield from flat(list(words.values()))
        case list() | tuple():
            for each in words:
                yield from flat(each)


@pytest.mark.parametrize("name", ["card", "poster"])
def test_a_camera_finds_the_start_of_a_text_and_of_a_call(edition: Edition, name: str) -> None:
    codes = scanned(read(printed(edition.language, name)))
    assert codes == [f"SMSTO:{NUMBER}:{first_words(edition)}", f"tel:{NUMBER}"]


def test_ten_cards_lie_on_a_sheet() -> None:
    assert len(scanned(read(typeset("sheet", drafted(EDITIONS["en"]))), 300)) == 20


def test_the_text_that_a_camera_starts_is_answered_in_its_language(edition: Edition, app: Flask) -> None:
    opening = address(edition, NUMBER, "text").rpartition(":")[2]
    assert phone(app).text(opening)[0].language == edition.language


def test_too_many_words_stop_the_run() -> None:
    words = drafted(EDITIONS["en"]) | {"do_not_stop": "baclofen " * 40}
    with pytest.raises(ContentError, match="en: too many words for the card"):
        typeset("card", words)


@pytest.fixture
def ivr_cards(tmp_path: Path) -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(cli, ["cards", "--out", str(tmp_path / "cards"), *words])


@pytest.mark.parametrize(
    ("option", "channels"), [((), ("text", "call")), (("--sms",), ("text",)), (("--voice",), ("call",))]
)
def test_the_command_writes_three_files_a_language(
    ivr_cards: Callable[..., Result], tmp_path: Path, option: tuple[str, ...], channels: tuple[str, ...]
) -> None:
    result = ivr_cards("en", "sw", "--number", "+1 (500) 555-0006", *option)
    assert result.exit_code == 0, result.output
    written = sorted(path.name for path in (tmp_path / "cards").iterdir())
    assert written == sorted(f"{code}-{page}.pdf" for code in ("en", "sw") for page in PAGES)
    codes = scanned(read((tmp_path / "cards" / "sw-poster.pdf").read_bytes()))
    assert codes == sorted(address(EDITIONS["sw"], NUMBER, channel) for channel in channels)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("xx", "--number", NUMBER), "not among the complete languages: xx"),
        (("en", "--number", "0500 555"), "give it as +15005550006"),
        (("en", "--number", "+1500"), "+1500 is too long or too short for its country"),
    ],
)
def test_what_cannot_be_printed_is_told(ivr_cards: Callable[..., Result], words: tuple[str, ...], told: str) -> None:
    result = ivr_cards(*words)
    assert result.exit_code == 1
    assert told in result.output


def test_a_package_that_is_not_installed_is_named(
    ivr_cards: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    result = ivr_cards("en", "--number", NUMBER)
    assert "typst is not installed: .venv/bin/pip install -e '.[cards]'" in result.output
    assert not (tmp_path / "cards").exists()
