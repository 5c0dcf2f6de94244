"""Between voice and text: key 8, CALL by text, a missed call; through a real outbox and the real Twilio client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers
import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from ivr.carrier import Carrier
from ivr.line import the_line
from ivr.phone import Call, Incoming, Phone, over_wsgi
from ivr.worker import Sender, sender

from .conftest import ACCOUNT, BASE_URL, TOKEN
from .twilio_api import TwilioApi

SETTINGS = {"IVR_CALLBACK": "0", "IVR_OUTBOUND_COUNTRIES": "KE,IN,ES", "IVR_LANGUAGES": "en,es,hi,hi-Latn"}
CALLS_BACK = {"IVR_CALLBACK": "1"}
NOON = 1_800_010_800.0  # 09:00 UTC, day in Kenya, India and Spain


def example(country: str, kind: int = phonenumbers.PhoneNumberType.MOBILE) -> str:
    """A published example number: nothing is ever sent to it, and none stands in a file."""
    number = phonenumbers.example_number_for_type(country, kind)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@dataclass
class World:
    """A line, a phone, and the carrier between them."""

    app: Flask
    api: TwilioApi
    phone: Phone
    sender: Sender

    def carry(self) -> None:
        """What the line itself started arrives: the worker asks Twilio, and Twilio reaches the phone."""
        before = len(self.api.accepted)
        self.sender.sweep()
        for sent in self.api.accepted[before:]:
            assert sent["to"] == self.phone.number
            self.phone.inbox.append(Incoming(sent.get("body", ""), sent.get("url", "")))


@pytest.fixture
def world(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    monkeypatch.setattr("ivr.line.time", lambda: NOON)
    monkeypatch.setattr("ivr.outbox.DEADLINE", 30.0)  # a busy machine is no fault of the queue
    with TwilioApi() as api:

        def made(number: str, country: str, **settings: str) -> World:
            app = make_app(TWILIO_API_URL=api.url, **(SETTINGS | settings))
            line = the_line(app)
            carrier = Carrier(ACCOUNT, TOKEN, api.url)
            phone = Phone(over_wsgi(app), BASE_URL, TOKEN, account=ACCOUNT, number=number, country=country)
            return World(app, api, phone, sender(line.settings, line.catalogue, carrier, clock=lambda: NOON))

        yield made


def in_english(world: World) -> Call:
    call = world.phone.call()
    english = next(line for line in call.lines if line.startswith("[en] For English, press"))
    call.press(english.rstrip(".")[-1])
    return call


def test_text_me_this_sends_the_topic_just_heard_as_pages_in_its_language(world: Callable[..., World]) -> None:
    here = world(example("KE"), "KE")
    call = in_english(here)
    call.press("4")
    assert call.lines[-1] == "[en] To get this as a text, press 8."
    call.press("8")
    assert call.lines[0] == "[en] We are sending you this as a text."
    here.carry()
    texts = [each.body for each in here.phone.receive()]
    assert tuple(texts) == the_line(here.app).catalogue.languages["en"].pages["dosage"]


def test_who_texts_hindi_in_latin_letters_gets_it_so_from_a_call_in_hindi(world: Callable[..., World]) -> None:
    here = world(example("IN"), "IN")
    here.phone.text("HINDI ROMAN")
    here.phone.text("baclofen ke nuksan kya hain")
    call = here.phone.call()
    assert call.lines[0].startswith("[hi]")
    call.press("1")
    call.press("3")
    call.press("8")
    here.carry()
    assert here.phone.receive()[0].body == the_line(here.app).catalogue.languages["hi-Latn"].pages["side_effects"][0]


def test_a_repeated_request_sends_nothing_twice(world: Callable[..., World]) -> None:
    here = world(example("KE"), "KE")
    call = in_english(here)
    call.press("1")
    call.press("8")
    document = call.documents[-1]
    again = here.phone.transport("POST", document.url, document.form, signed(document.url, document.form))
    assert again.body.decode() == document.twiml
    here.carry()
    here.carry()
    assert len(here.phone.receive()) == len(the_line(here.app).catalogue.languages["en"].pages["uses"])


def signed(url: str, form: object) -> dict[str, str]:
    from ivr.phone import FORM, sign

    return FORM | {"X-Twilio-Signature": sign(TOKEN, url, form, call=True)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("anonymous", ""),
        ("+266696687", ""),
        (example("ES", phonenumbers.PhoneNumberType.FIXED_LINE), "ES"),
        (example("FR"), "FR"),  # not one of the countries that this line may text
    ],
)
def test_who_cannot_be_reached_is_told_so_and_is_not_offered_it(
    world: Callable[..., World], number: str, country: str
) -> None:
    here = world(number, country)
    call = in_english(here)
    call.press("3")
    assert not any("press 8" in line for line in call.lines)
    call.press("8")
    assert call.lines[0] == "[en] No text can reach this phone."
    assert call.lines[1].endswith("press 0.")
    here.carry()
    assert here.api.accepted == []


def test_who_opted_out_is_told_so(world: Callable[..., World]) -> None:
    here = world(example("KE"), "KE")
    here.phone.text("STOP")
    call = in_english(here)
    call.press("3")
    call.press("8")
    assert call.lines[0] == "[en] No text can reach this phone."


def test_a_sixth_text_is_the_last_of_a_day(world: Callable[..., World]) -> None:
    here = world(example("KE"), "KE")
    heard = []
    for key in "1234561":
        call = in_english(here)
        call.press(key)
        call.press("8")
        heard.append(call.lines[0])
    assert heard == ["[en] We are sending you this as a text."] * 6 + ["[en] We cannot send a text now."]


@pytest.mark.parametrize("words", ["8", "CALL", "please call me"])
def test_call_me_rings_and_reads_aloud_what_was_texted_last(world: Callable[..., World], words: str) -> None:
    here = world(example("KE"), "KE", **CALLS_BACK)
    here.phone.text("can i drink beer with baclofen")
    (told,) = here.phone.text(words)
    assert told.body.startswith("We will call you soon. Pick up to listen.")
    assert "999" in told.body
    here.carry()
    assert here.phone.receive() == []
    call = here.phone.answer()
    assert call.lines[:2] == ["[en] You asked us to call.", "[en] It is best not to drink alcohol."]
    call.press("0")
    assert call.lines[1] == "[en] Call nine nine nine in Kenya, or go to the nearest hospital."


def test_a_second_call_within_ten_minutes_is_refused_kindly(world: Callable[..., World]) -> None:
    here = world(example("KE"), "KE", **CALLS_BACK)
    here.phone.text("8")
    (told,) = here.phone.text("8")
    assert "Sorry, we cannot call you now. You can call us, or text a number." in told.body
    assert told.body.startswith("Emergency? Call 999 (Kenya)")
    assert "8 call me" in told.body


def test_where_the_line_calls_nobody_8_is_not_offered(world: Callable[..., World]) -> None:
    here = world(example("KE"), "KE")
    (told,) = here.phone.text("8")
    assert "Sorry, we cannot call you now." in told.body
    assert "call me" not in told.body


def test_a_missed_call_is_rejected_and_rung_back_and_the_language_chosen_then_is_remembered(
    world: Callable[..., World],
) -> None:
    here = world(example("KE"), "KE", **CALLS_BACK)
    call = here.phone.call()
    assert call.lines == ["(rejects)"]
    here.carry()
    here.phone.receive()
    call = here.phone.answer()
    assert call.lines[0].endswith("You asked us to call.")
    english = next(line for line in call.lines if line.startswith("[en] For English"))
    call.press(english.rstrip(".")[-1])
    assert here.phone.text("1")[0].language == "en"


def refused_by(here: World, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match rule:
        case "cap":
            assert here.phone.call().lines == ["(rejects)"]
        case "hours":
            monkeypatch.setattr("ivr.line.time", lambda: NOON + 12 * 3600)
        case "fault":
            outbox = the_line(here.app).outbox
            outbox._engine.dispose()
            with outbox._engine.connect() as other:
                other.exec_driver_sql("DROP TABLE IF EXISTS outbox")
            outbox._engine = create_engine("sqlite:////proc/none/line.db")


@pytest.mark.parametrize(
    ("rule", "number", "country"),
    [
        ("cap", example("KE"), "KE"),
        ("hours", example("KE"), "KE"),
        ("fault", example("KE"), "KE"),
        ("withheld", "anonymous", ""),
        ("country", example("FR"), "FR"),
        ("premium", example("ES", phonenumbers.PhoneNumberType.PREMIUM_RATE), "ES"),
    ],
)
def test_where_a_call_back_is_refused_the_call_is_answered(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch, rule: str, number: str, country: str
) -> None:
    here = world(number, country, **CALLS_BACK)
    refused_by(here, rule, monkeypatch)
    call = here.phone.call()
    assert not call.over
    assert any("press 0" in line for line in call.lines)
    here.carry()
    assert len(here.api.accepted) == (rule == "cap")


def test_nothing_in_the_database_tells_the_number_once_it_is_sent(world: Callable[..., World]) -> None:
    here = world(example("KE"), "KE", **CALLS_BACK)
    here.phone.call()
    here.carry()
    engine = create_engine(the_line(here.app).settings.database_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT state, sealed FROM outbox")).all()
    engine.dispose()
    assert rows == [("sent", None)]
