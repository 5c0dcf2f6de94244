"""The heart, without a web: what a message gets, and that 0 is urgent from everywhere."""

from __future__ import annotations

from collections import deque
from itertools import product

import pytest

from ivr.answering import ASKED_AGAIN, after_silence, answer
from ivr.catalogue import Catalogue
from ivr.model import KEYS, KINDS, TOPICS, Message, Place, Reply
from ivr.wording import Wording

COUNTRIES = ["KE", "US", "MX", "ET", None]
EVERY_KEY = "0123456789*#"


def press(catalogue: Catalogue, reply: Reply, key: str | None) -> Reply:
    place = reply.place if key else after_silence(reply)
    return answer(Message("voice", key, reply.languages, reply.country, place), catalogue.spoken())


def start(catalogue: Catalogue, country: str | None) -> Reply:
    languages = catalogue.spoken().likely(country)
    return answer(Message("voice", None, languages, country, Place("languages-1")), catalogue.spoken())


def states(catalogue: Catalogue, country: str | None) -> dict[tuple[tuple[str, ...], Place], Reply]:
    """Every state that a call can reach by any keys and silences, found breadth-first."""
    first = start(catalogue, country)
    found = {(first.languages, first.place): first}
    waiting = deque([first])
    while waiting:
        here = waiting.popleft()
        for key in (*EVERY_KEY, None):
            there = press(catalogue, here, key)
            if not there.ends and (there.languages, there.place) not in found:
                found[there.languages, there.place] = there
                waiting.append(there)
    return found


@pytest.mark.parametrize("country", COUNTRIES)
def test_key_0_brings_the_urgent_message_from_every_state_of_a_call(catalogue: Catalogue, country: str | None) -> None:
    here = catalogue.narrowed(("en", "es"))
    for reply in states(here, country).values():
        urgent = press(here, reply, "0")
        assert urgent.place.topic == "urgent"
        wording = here.languages[reply.languages[0]]
        assert [sentence.text for sentence in urgent.said][:-1] == [*wording.urgent_spoken("general", country)]


def test_key_0_brings_the_urgent_message_from_every_place_that_a_path_can_name(catalogue: Catalogue) -> None:
    names = ["menu", "welcome", "languages-1", "languages-9", "report-1", "report-7", "nonsense", "", "urgent-nobody"]
    names += [f"urgent-{kind}" for kind in KINDS] + [f"{topic}-{part}" for topic in TOPICS for part in range(9)]
    for name, tries, language in product(names, range(6), catalogue.spoken().languages):
        reply = answer(Message("voice", "0", (language,), "KE", Place(name, tries)), catalogue.spoken())
        assert reply.place == Place("urgent-general")
        assert reply.language == language


@pytest.mark.parametrize("country", COUNTRIES)
def test_silence_always_ends_with_the_urgent_message_and_a_goodbye(catalogue: Catalogue, country: str | None) -> None:
    for state in states(catalogue.narrowed(("en", "es")), country).values():
        reply, steps = state, 0
        while not reply.ends:
            reply = press(catalogue, reply, None)
            steps += 1
        assert steps <= ASKED_AGAIN + 1
        wording = catalogue.languages[reply.language]
        said = tuple(sentence.text for sentence in reply.said)
        assert said == wording.urgent_spoken("general", country) + wording.voice("goodbye")


def test_silence_is_asked_about_three_times(catalogue: Catalogue) -> None:
    reply, asked = start(catalogue, "KE"), 0
    while not (reply := press(catalogue, reply, None)).ends:
        asked += 1
    assert asked == 3


def test_wrong_keys_come_to_an_end_too(catalogue: Catalogue) -> None:
    reply = press(catalogue, start(catalogue, "KE"), "1")
    for _ in range(ASKED_AGAIN):
        reply = press(catalogue, reply, "8")
        assert not reply.ends
    assert press(catalogue, reply, "8").ends


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_key_means_the_same_everywhere_in_a_call(catalogue: Catalogue, country: str | None) -> None:
    here = catalogue.narrowed(("en", "es"))
    for reply in states(here, country).values():
        for key, intent in KEYS.items():
            if intent in TOPICS and reply.place.topic != "languages":
                assert press(here, reply, key).place == Place(f"{intent}-1")
        assert press(here, reply, "#").place == Place("menu")
        assert press(here, reply, "9").place.topic == "languages"
        assert press(here, reply, "*").said[0].language == reply.said[0].language


def test_both_languages_and_0_are_named_within_ten_seconds(catalogue: Catalogue) -> None:
    here = catalogue.narrowed(("en", "es"))
    for country in COUNTRIES:
        said = start(here, country).said
        assert {sentence.language for sentence in said} == {"en", "es"}
        assert sum(here.languages[line.language].seconds(line.text) for line in said) <= 10
        assert [line.language for line in said if "0" in line.text] == [line.language for line in said[:2]]


def test_the_main_menu_names_0_first_then_every_topic_and_9_and_nothing_else(catalogue: Catalogue) -> None:
    for wording in catalogue.spoken().languages.values():
        digits = [character for line in wording.menu_spoken() for character in line if character.isdigit()]
        assert digits == list("01234569")


def text(catalogue: Catalogue, words: str, language: str | None = None, place: str = "menu", **known: str) -> Reply:
    return answer(Message("sms", words, (language,) if language else (), place=Place(place), **known), catalogue)


def test_more_goes_through_all_pages_and_then_says_that_it_was_all(catalogue: Catalogue) -> None:
    for topic in TOPICS:
        reply = text(catalogue, topic.replace("_", " "), "en")
        pages = [reply.said[0].text]
        while (reply := text(catalogue, "MORE", "en", reply.place.name)).place.topic == topic:
            pages.append(reply.said[0].text)
        assert tuple(pages) == catalogue.languages["en"].pages[topic]
        assert "That is all." in reply.said[0].text


@pytest.mark.parametrize(("language", "warning"), [("en", "Do not stop baclofen suddenly"), ("es", "de golpe")])
def test_every_page_ends_with_the_way_to_urgent_and_where_it_matters_the_warning(
    catalogue: Catalogue, language: str, warning: str
) -> None:
    wording = catalogue.languages[language]
    for topic in TOPICS:
        for page in wording.pages[topic]:
            assert wording.sms("way_urgent", key="0") in page
    for topic in ("side_effects", "dosage", "warnings"):
        assert all(warning in page for page in wording.pages[topic])


def test_no_kind_of_urgent_message_but_overdose_leaves_out_the_warning(catalogue: Catalogue) -> None:
    for kind, country in product(KINDS, COUNTRIES):
        said = catalogue.languages["en"].urgent_text(kind, country)
        assert ("stop baclofen suddenly" in said) == (kind != "overdose")
        assert ("next dose" in said) == (kind == "overdose")


def test_the_number_and_the_hospital_come_first(catalogue: Catalogue) -> None:
    for wording in (catalogue.languages["en"], catalogue.languages["es"]):
        for kind, (code, country) in product(KINDS, catalogue.countries.items()):
            said = wording.urgent_text(kind, code)
            number = country.call.split(",")[0]
            assert (number or "hospital") in said[:40]
            assert "hospital" in said
            assert (wording.country_name(code).translate(wording.edition.fold) in said) == bool(country.call)


def test_one_segment_where_no_country_is_named_and_two_where_it_is(catalogue: Catalogue) -> None:
    from ivr.wording import segments

    english = catalogue.languages["en"]
    for kind in KINDS:
        assert segments(english.urgent_text(kind, None)) == ("GSM-7", 1)
        for code, country in catalogue.countries.items():
            assert segments(english.urgent_text(kind, code)) == ("GSM-7", 2 if country.call else 1)


def test_numbers_are_spoken_digit_by_digit(catalogue: Catalogue) -> None:
    for wording, expected in [("en", "one zero one seven seven"), ("es", "uno cero uno siete siete")]:
        said = " ".join(catalogue.languages[wording].urgent_spoken("general", "ZA"))
        assert expected in said
        assert not any(character.isdigit() for character in said)


def test_spanish_is_folded_into_gsm7_but_keeps_its_own_letters(catalogue: Catalogue) -> None:
    wording: Wording = catalogue.languages["es"]
    pages = "".join(page for pages in wording.pages.values() for page in pages)
    assert not set("áíóúÁÍÓÚ") & set(pages)
    assert set("éñ") <= set(pages)


def test_a_text_is_answered_the_same_way_every_time(catalogue: Catalogue) -> None:
    for words in ("SIDE EFFECTS", "mas", "can i stop", "¿?", "🙂", "0"):
        assert text(catalogue, words) == text(catalogue, words)


@pytest.mark.parametrize(
    ("words", "country", "language"),
    [
        ("MENU", "US", "en"),
        ("MENU", "MX", "es"),
        ("MENU", None, "en"),
        ("OPTIONS", "US", "en"),
        ("DOSAGE", "IN", "en"),
        ("EFECTOS", "US", "es"),
        ("ayuda", "US", "es"),
    ],
)
def test_a_first_word_that_many_languages_share_is_answered_in_the_language_of_the_country(
    catalogue: Catalogue, words: str, country: str | None, language: str
) -> None:
    assert text(catalogue, words, country=country).language == language
