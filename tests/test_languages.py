"""Every language that is offered, walked through every topic, key and channel: no other language shines through."""

from __future__ import annotations

import re
import unicodedata
from itertools import product

import pytest
from bidi import get_display

from ivr.answering import answer
from ivr.catalogue import Catalogue, load_catalogue
from ivr.model import KINDS, TOPICS, Message, Place, Sentence, first_part, urgent
from ivr.understanding import understand
from ivr.wording import written_number

LANGUAGES = list(load_catalogue().languages)
COUNTRIES = ["KE", "US", "MX", "IN", "PK", "AE", "DO", "ET", None]
SCRIPTS = {"ar": "ARABIC", "ur": "ARABIC", "hi": "DEVANAGARI", "bn": "BENGALI", "zh": "CJK", "ru": "CYRILLIC"}
# Latin words that any language may hold: words to text, and abbreviations that doctors use.
LATIN = {"COUNTRY", "KENYA", "START", "MORE", "SMS", "MS"}
# Common English words that are no words of any other language of ours that is written in Latin letters.
ENGLISH = {"the", "your", "with", "you", "stop", "suddenly", "how", "what", "this", "press", "text", "and"}


def letters(text: str) -> set[str]:
    """The scripts of a text: the first word of each letter's Unicode name."""
    return {unicodedata.name(letter, "?").split(" ")[0].split("-")[0] for letter in text if letter.isalpha()}


def everything(catalogue: Catalogue, language: str) -> list[Sentence]:
    """All that one language says, on both channels, in several countries."""
    said: list[Sentence] = []
    places = [Place("menu"), Place("welcome"), first_part("report"), *(urgent(kind) for kind in KINDS)]
    places += [Place(f"{topic}-{part}") for topic in TOPICS for part in range(1, 10)]
    for country, place in product(COUNTRIES, places):
        if language in catalogue.spoken().languages:
            spoken = answer(Message("voice", None, (language,), country, place), catalogue.spoken())
            assert spoken.languages == (language,)
            said += spoken.said
        for words in ("7", "9", "COUNTRY KENYA"):
            text = answer(Message("sms", words, (language,), country, place), catalogue)
            said += [] if words == "9" else text.said  # 9 lists every language in its own words
    for digit, country in product("0123456", COUNTRIES):
        said += answer(Message("sms", digit, (language,), country), catalogue).said
    return said


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_said_in_another_language_or_script(catalogue: Catalogue, language: str) -> None:
    for sentence in everything(catalogue, language):
        assert sentence.language == language
        words = set(re.findall(r"[^\W\d_]+", sentence.text))
        if language in SCRIPTS:
            assert {word for word in words if word.isascii()} <= LATIN, sentence.text
            assert letters(re.sub("[A-Za-z]+", "", sentence.text)) <= {SCRIPTS[language]}, sentence.text
        elif language != "en":
            assert letters(sentence.text) <= {"LATIN", "FEMININE", "MASCULINE"}, sentence.text
            roman = {"stop", "text"} if language.endswith("Latn") or language == "fil" else set()
            assert not {word.lower() for word in words} & (ENGLISH - roman), sentence.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_emergency_numbers_are_plain_digits_in_reading_order(catalogue: Catalogue, language: str) -> None:
    """The stored order is the reading order in every script; a phone lays right-to-left text out by itself."""
    wording = catalogue.languages[language]
    for kind, (code, country) in product(KINDS, catalogue.countries.items()):
        text = wording.urgent_text(kind, code)
        assert not country.call or written_number(country.call, wording.edition) in text
        assert all(digit.isascii() for digit in text if digit.isdigit())
        assert not {"\u200e", "\u200f", "\u202b", "\u202e"} & set(text)


def test_only_arabic_letters_run_from_right_to_left(catalogue: Catalogue) -> None:
    assert {code for code, wording in catalogue.languages.items() if wording.edition.rtl} == {"ar", "ur"}


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code in ("ar", "ur")])
def test_numbers_show_in_order_on_a_phone_that_writes_from_right_to_left(catalogue: Catalogue, language: str) -> None:
    """What the bidirectional algorithm (UAX 9) puts on the screen has every number whole, its digits in order."""
    wording = catalogue.languages[language]
    for code, country in catalogue.countries.items():
        texts = [*(wording.urgent_text(kind, code) for kind in KINDS), *wording.report_texts(code)]
        shown = " ".join(get_display(text, base_dir="R") for text in texts)
        for number in filter(None, (country.call, country.poison, country.advice, country.report)):
            for whole in number.split(", "):
                assert re.sub(r"(?<=\d)[ -](?=\d)", "", whole) in shown


@pytest.mark.parametrize("language", [code for code in LANGUAGES if not code.endswith("Latn")])
def test_a_language_is_chosen_by_its_own_name_and_stays(catalogue: Catalogue, language: str) -> None:
    name = catalogue.languages[language].edition.name
    reply = answer(Message("sms", name, ("en",), "US"), catalogue)
    assert reply.languages == (language,)


def test_at_most_four_languages_are_offered_at_once_and_every_one_within_three_prompts(catalogue: Catalogue) -> None:
    for country in COUNTRIES:
        reply = answer(Message("voice", None, (), country, Place("languages-1")), catalogue.spoken())
        offered: list[str] = []
        for _ in range(3):
            here = {line.language for line in reply.said}
            assert len(here) <= 4
            offered += here
            reply = answer(Message("voice", "9", reply.languages, country, reply.place), catalogue.spoken())
        assert set(offered) == set(catalogue.spoken().languages)


def test_every_language_is_chosen_by_the_name_that_the_line_lists(catalogue: Catalogue) -> None:
    for language, wording in catalogue.languages.items():
        assert understand(wording.edition.name.upper(), None, catalogue.lexicon).chosen == language
