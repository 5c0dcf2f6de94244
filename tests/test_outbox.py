"""What the line itself sends: allowed by the rules, durable, never twice; real files, the real client, a stand-in."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from huey import Huey
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from sqlalchemy import event

from ivr.carrier import Carrier, Outcome
from ivr.catalogue import Catalogue
from ivr.model import KINDS, TOPICS, Place
from ivr.outbox import CAPS, DAY, LEASE, LOOK_AFTER, PATIENCE, TYPES, Outbox, Rules, Task, Verdict, quiet, refusal
from ivr.settings import HOME
from ivr.wording import LONGEST_TEXT
from ivr.worker import Sender, consumer, open_queue, waker

from .conftest import ACCOUNT, ENVIRONMENT, TOKEN
from .soak_outbox import run
from .twilio_api import TwilioApi

SECRET = ENVIRONMENT["IVR_SECRET_KEY"]
RULES = Rules(frozenset({"KE", "US", "IN", "NZ", "MX"}))


def example(country: str, kind: int = PhoneNumberType.MOBILE) -> str:
    number = phonenumbers.example_number_for_type(country, kind)
    assert number is not None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def at(moment: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).timestamp()


NUMBER, LINE = example("KE"), example("US")
NOON = at("2026-03-02 12:00", "Africa/Nairobi")
PAGES = ("the first page", "the second page", "the third page")


class Clock:
    """The worker's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Out:
    """An outbox on a file, a worker that is turned by hand, and the stand-in for Twilio."""

    def __init__(self, file: Path, api: TwilioApi) -> None:
        self.file, self.api, self.clock = file, api, Clock()
        api.clock = self.clock
        self.outbox = Outbox(f"sqlite:///{file}", SECRET, RULES)
        carrier = Carrier(ACCOUNT, TOKEN, api.url, timeout=0.3)
        self.sender = Sender(self.outbox, carrier, lambda _: PAGES, lambda task: f"http://x/{task.place}", self.clock)

    def ask(self, kind: str = "text", number: str = NUMBER, once: str = "CA1-uses", **changes: object) -> Verdict:
        wanted = {"line": LINE, "language": "en", "country": "KE", "place": "uses-1", "now": self.clock.now}
        return self.outbox.ask(kind, number, once=once, **(wanted | changes))  # type: ignore[arg-type]

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.sender.sweep()

    def row(self) -> dict[str, object]:
        with sqlite3.connect(self.file) as connection:
            connection.row_factory = sqlite3.Row
            (found,) = connection.execute("SELECT * FROM outbox").fetchall()
        connection.close()
        return dict(found)

    @property
    def state(self) -> object:
        return self.row()["state"]


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    with TwilioApi() as api:
        yield api


@pytest.fixture
def out(tmp_path: Path, api: TwilioApi) -> Iterator[Out]:
    out = Out(tmp_path / "here" / "line.db", api)
    yield out
    out.outbox.close()


# --- Asking ------------------------------------------------------------------------------------------------


def test_a_text_goes_out_page_by_page_and_its_number_is_gone(out: Out) -> None:
    assert out.ask() == "queued"
    assert out.state == "queued"
    assert out.row()["sealed"]
    out.later(0)
    assert out.api.sent(NUMBER) == list(PAGES)
    row = out.row()
    assert (row["state"], row["page"], row["sealed"]) == ("sent", 3, None)
    assert row["sid"] == out.api.accepted[-1]["sid"]


def test_a_call_back_rings_once_and_asks_the_line_what_to_say(out: Out) -> None:
    assert out.ask("call") == "queued"
    out.later(0)
    out.later(DAY / 2)
    assert out.api.sent(NUMBER) == ["http://x/uses-1"]
    assert out.state == "sent"


def test_a_repeated_webhook_is_the_same_request(out: Out) -> None:
    assert [out.ask("call") for _ in range(3)] == ["queued"] * 3
    out.later(0)
    assert out.ask("call") == "queued"
    out.later(1)
    assert len(out.api.sent(NUMBER)) == 1
    assert out.ask("call", once="CA2-uses") == "cap"


def test_neither_number_nor_its_cipher_is_left_in_any_file(out: Out, api: TwilioApi) -> None:
    out.ask()
    sealed = out.row()["sealed"]
    assert isinstance(sealed, bytes)
    national = NUMBER[-9:].encode()

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in out.file.parent.iterdir())

    assert sealed in files()
    assert national not in files()
    out.later(0)
    assert national not in files()
    assert sealed[:20] not in files()
    assert sealed[30:60] not in files()


def test_another_key_cannot_read_the_number_and_ends_the_row(out: Out, api: TwilioApi) -> None:
    out.ask()
    other = Outbox(f"sqlite:///{out.file}", SECRET + "x", RULES)
    assert other.claim(1, NOON) is None
    other.close()
    assert (out.state, out.row()["sealed"]) == ("failed", None)


# --- Rules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["", "anonymous", "+", "254700", "+266696687", "+86282452253", "sip:x@y", "+٢٥٤٧٠٠"])
def test_a_withheld_number_is_told_apart(out: Out, number: str) -> None:
    assert out.ask("call", number) == "withheld"


@pytest.mark.parametrize(
    ("kind", "number", "verdict"),
    [
        ("text", example("KE", PhoneNumberType.FIXED_LINE), "landline"),
        ("call", example("KE", PhoneNumberType.FIXED_LINE), "queued"),
        ("call", example("KE", PhoneNumberType.PREMIUM_RATE), "number"),
        ("text", example("KE", PhoneNumberType.TOLL_FREE), "number"),
        ("text", example("FR"), "number"),
        ("call", LINE, "number"),
        ("call", "+254711", "withheld"),
        ("call", "+2547111111", "number"),
    ],
)
def test_types_and_countries(out: Out, kind: str, number: str, verdict: str) -> None:
    assert out.ask(kind, number) == verdict


def test_where_no_country_is_set_the_line_serves_its_own() -> None:
    assert refusal("text", NUMBER, LINE, Rules(), NOON) == "number"
    assert refusal("text", NUMBER, example("KE", PhoneNumberType.FIXED_LINE), Rules(), NOON) is None


def test_who_opted_out_gets_nothing(out: Out) -> None:
    assert out.ask(opted_out=True) == "opted_out"


def all_numbers() -> list[str]:
    """Examples of every type of every region, and their neighbours one digit away, one longer and one shorter."""
    numbers: dict[str, None] = {}
    for region in (*phonenumbers.SUPPORTED_REGIONS, *map(str, phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)):
        for kind in PhoneNumberType.values():
            found = (
                phonenumbers.example_number_for_non_geo_entity(int(region))
                if region.isdecimal()
                else phonenumbers.example_number_for_type(region, kind)
            )
            if found:
                plain = phonenumbers.format_number(found, PhoneNumberFormat.E164)
                numbers |= dict.fromkeys((plain, plain + "7", plain[:-1], *(plain[:4] + d + plain[5:] for d in "0589")))
    return list(numbers)


def test_of_all_numbers_in_the_world_none_is_called_that_may_not_be() -> None:
    """5,000 and more, judged once more by phonenumbers itself."""
    numbers = all_numbers()
    assert len(numbers) > 5000
    allowed = 0
    noons = [NOON + hour * 3600 for hour in range(0, 24, 4)]
    for number in numbers:
        for kind in ("call", "text"):
            if not any(refusal(kind, number, LINE, RULES, noon) is None for noon in noons):
                continue
            allowed += 1
            parsed = phonenumbers.parse(number)
            assert phonenumbers.is_valid_number(parsed), number
            assert phonenumbers.region_code_for_number(parsed) in RULES.countries, number
            assert phonenumbers.number_type(parsed) in TYPES[kind], number
            assert phonenumbers.number_type(parsed) not in {
                PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.TOLL_FREE,
                PhoneNumberType.PAGER, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL, PhoneNumberType.UNKNOWN,
            }, number  # fmt: skip
    assert allowed >= 20


@given(st.text(max_size=20) | st.from_regex(r"\+\d{0,18}"))
def test_no_words_for_a_number_break_the_rules(number: str) -> None:
    assert refusal("call", number, LINE, RULES, NOON) != "fault"


@pytest.mark.parametrize(
    ("number", "zone", "moment", "night"),
    [
        (example("IN"), "Asia/Kolkata", "2026-03-02 07:59", True),
        (example("IN"), "Asia/Kolkata", "2026-03-02 08:00", False),
        (example("IN"), "Asia/Kolkata", "2026-03-02 20:59", False),
        (example("IN"), "Asia/Kolkata", "2026-03-02 21:00", True),
        (example("KE"), "Africa/Nairobi", "2026-03-02 03:00", True),
        ("+12125550123", "America/New_York", "2026-03-07 20:59", False),  # the night the clocks go forward
        ("+12125550123", "America/New_York", "2026-03-07 21:00", True),
        ("+12125550123", "America/New_York", "2026-03-08 07:59", True),
        ("+12125550123", "America/New_York", "2026-03-08 08:00", False),
        ("+12125550123", "America/New_York", "2026-11-01 07:59", True),  # and back
        ("+12125550123", "America/New_York", "2026-11-01 08:00", False),
        (example("NZ"), "Pacific/Auckland", "2026-04-05 08:00", False),  # and back, in the south
        (example("NZ"), "Pacific/Auckland", "2026-04-05 07:59", True),
        (example("NZ"), "Pacific/Auckland", "2026-09-27 08:00", False),
        (example("NZ"), "Pacific/Auckland", "2026-09-27 21:00", True),
        (example("RU"), "Europe/Moscow", "2026-03-02 11:59", False),  # a mobile may be anywhere in the country
        (example("RU"), "Europe/Moscow", "2026-03-02 12:00", True),  # 21 o'clock in Kamchatka
        ("+15005550006", "UTC", "2026-03-02 20:00", True),  # anywhere from Guam to Bermuda: always night somewhere
    ],
)
def test_nobody_is_called_at_night_in_any_zone_of_the_number(number: str, zone: str, moment: str, night: bool) -> None:
    assert quiet(number, at(moment, zone)) is night


def test_quiet_hours_are_for_calls_only(out: Out) -> None:
    out.clock.now = at("2026-03-02 23:00", "Africa/Nairobi")
    assert out.ask("call") == "hours"
    assert out.ask("text") == "queued"


def test_a_call_that_is_retried_into_the_night_waits_for_the_morning(out: Out) -> None:
    out.clock.now = at("2026-03-02 20:59", "Africa/Nairobi")
    out.api.modes = ["503"]
    assert out.ask("call") == "queued"
    out.later(0)
    for _ in range(10):
        out.later(3600)
    assert out.api.sent(NUMBER) == []
    for _ in range(3):
        out.later(3600)
    assert len(out.api.sent(NUMBER)) == 1


# --- Caps --------------------------------------------------------------------------------------------------


def test_calls_one_in_ten_minutes_and_three_a_day(out: Out) -> None:
    nine = NOON - 3 * 3600
    day = {
        0: "queued",
        5: "cap",
        9: "cap",
        10: "queued",
        15: "cap",
        20: "queued",
        30: "cap",
        1439: "cap",
        1441: "queued",
    }
    told = {minute: out.ask("call", once=f"CA{minute}", now=nine + minute * 60) for minute in day}
    assert told == day


def test_texts_six_a_day_and_calls_are_counted_apart(out: Out) -> None:
    assert Counter(out.ask(once=f"CA{n}") for n in range(8)) == {"queued": 6, "cap": 2}
    assert out.ask("call", once="CA9") == "queued"
    assert out.ask(once="CA10", now=NOON + DAY + 1) == "queued"


def test_a_daily_total_over_all_numbers(tmp_path: Path) -> None:
    outbox = Outbox(f"sqlite:///{tmp_path}/line.db", SECRET, Rules(frozenset({"KE"}), daily=4))
    told = [asked(outbox, "text", f"+2547{n:08}", f"CA{n}") for n in range(10000000, 10000006)]
    outbox.close()
    assert told == ["queued"] * 4 + ["daily"] * 2


def asked(outbox: Outbox, kind: str, number: str, once: str) -> Verdict:
    wanted = {"line": LINE, "language": "en", "country": "KE", "place": "uses-1", "now": NOON}
    return outbox.ask(kind, number, once=once, **wanted)  # type: ignore[arg-type]


def rush(url: str, kind: str, who: int) -> Counter[str]:
    """Twenty requests at once in one process, all for the same number."""
    outbox, together = Outbox(url, SECRET, RULES), threading.Barrier(20)

    def one(n: int) -> Verdict:
        together.wait()
        return asked(outbox, kind, NUMBER, f"CA{who}-{n}")

    with ThreadPoolExecutor(20) as pool:
        told = Counter(pool.map(one, range(20)))
    outbox.close()
    return told


@pytest.mark.parametrize("kind", ["text", "call"])
def test_caps_are_exact_under_twenty_requests_at_once(tmp_path: Path, kind: str) -> None:
    told = rush(f"sqlite:///{tmp_path}/line.db", kind, 0)
    cap = min(most for _, most in CAPS[kind])  # type: ignore[index]
    assert told["queued"] == cap or (told["queued"] < cap and told["fault"])  # a fault on a slow machine: a refusal


def test_caps_are_exact_among_processes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/line.db"
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        told = sum(pool.map(rush, [url] * 3, ["text"] * 3, range(3)), Counter[str]())
    assert told.total() == 60
    assert told["queued"] == 6 or (told["queued"] < 6 and told["fault"])
    outbox = Outbox(url, SECRET, RULES)
    assert outbox.tally() == {"queued": told["queued"]}
    outbox.close()


# --- A broken queue ----------------------------------------------------------------------------------------


def test_a_locked_database_is_a_fault_and_surely_nothing_is_queued(out: Out) -> None:
    assert out.ask(number=example("IN")) == "queued"
    holder = sqlite3.connect(out.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert out.ask("call", once="CA2") == "fault"
    holder.execute("COMMIT")
    holder.close()
    assert out.outbox.tally() == {"queued": 1}


def still(outbox: Outbox, moment: str, until: threading.Event, most: float = 10.0) -> None:
    """From now on the database stands still at this moment of an insertion."""

    def statement(_c: object, _cursor: object, words: str, _values: object, _context: object, _many: bool) -> None:
        if words.startswith("INSERT"):
            until.wait(most)

    def commit(_c: object) -> None:
        until.wait(most)

    event.listen(outbox._engine, moment, commit if moment == "commit" else statement)


def test_a_webhook_that_gave_up_is_never_queued_behind_its_back(out: Out) -> None:
    assert out.ask(number=example("IN")) == "queued"
    given_up = threading.Event()
    still(out.outbox, "before_cursor_execute", given_up)
    assert out.ask("call", once="CA2") == "fault"
    given_up.set()
    out.outbox.close()  # waits for the thread, which could insert now
    other = Outbox(f"sqlite:///{out.file}", SECRET, RULES)
    assert other.tally() == {"queued": 1}
    other.close()


def test_a_commit_that_had_begun_is_waited_for(out: Out) -> None:
    assert out.ask(number=example("IN")) == "queued"
    still(out.outbox, "commit", threading.Event(), most=0.5)
    assert out.ask("call", once="CA2") == "queued"
    assert out.outbox.tally() == {"queued": 2}


@pytest.mark.parametrize("url", ["sqlite:////proc/none/line.db", "sqlite:////dev/null"])
def test_a_place_that_cannot_be_written_is_a_fault(url: str) -> None:
    outbox = Outbox(url, SECRET, RULES)
    assert asked(outbox, "text", NUMBER, "CA1") == "fault"
    assert asked(outbox, "text", NUMBER, "CA1") == "fault"  # at once, while it rests
    outbox.close()


def test_a_file_that_is_no_database_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "line.db").write_bytes(b"no database at all" * 100)
    outbox = Outbox(f"sqlite:///{tmp_path}/line.db", SECRET, RULES)
    assert asked(outbox, "call", NUMBER, "CA1") == "fault"
    outbox.close()


def test_a_worker_that_cannot_be_woken_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    outbox = Outbox(f"sqlite:///{tmp_path}/line.db", SECRET, RULES, waker(path=tmp_path / "file" / "queue.db"))
    assert asked(outbox, "text", NUMBER, "CA1") == "queued"
    assert asked(outbox, "text", NUMBER, "CA2") == "queued"
    outbox.close()


# --- Outcomes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["429", "503", "401"])
def test_what_was_surely_not_accepted_is_sent_again_with_back_off(out: Out, mode: str) -> None:
    out.api.modes = [mode] * 3
    out.ask()
    out.later(0)
    out.later(29)
    assert out.api.requests == 1
    out.later(1)
    assert out.api.requests == 2
    out.later(59)
    assert out.api.requests == 2
    out.later(1)
    out.later(120)
    assert out.api.sent(NUMBER) == list(PAGES)
    assert out.state == "sent"


def test_a_host_that_refuses_the_connection_is_asked_again(out: Out) -> None:
    gone = Sender(out.outbox, Carrier(ACCOUNT, TOKEN, "http://127.0.0.1:1"), lambda _: PAGES, lambda _: "", out.clock)
    out.ask()
    gone.sweep()
    assert out.state == "queued"
    out.later(30)
    assert out.api.sent(NUMBER) == list(PAGES)


@pytest.mark.parametrize("mode", ["21610", "21211", "21614"])
def test_what_twilio_refuses_for_good_is_not_asked_again(out: Out, mode: str) -> None:
    out.api.modes = [mode]
    out.ask()
    out.later(0)
    out.later(3600)
    row = out.row()
    assert (row["state"], row["why"], row["sealed"], out.api.requests) == ("failed", mode, None, 1)


AFTER_ACCEPTING = [
    "500-after-accepting",
    "502-after-accepting",
    "504-after-accepting",
    "503-proxy-after-accepting",
    "reset-after-accepting",
    "hangs-after-accepting",
    "garbled",
]


@pytest.mark.parametrize("mode", AFTER_ACCEPTING)
@pytest.mark.parametrize("kind", ["text", "call"])
def test_what_was_accepted_unheard_is_found_and_not_sent_twice(out: Out, kind: str, mode: str) -> None:
    out.api.modes = [mode]
    out.ask(kind)
    out.later(0)
    assert (out.state, out.api.requests) == ("sending", 1)
    out.later(LOOK_AFTER)
    assert out.state == "sent"
    assert out.api.sent(NUMBER) == (list(PAGES) if kind == "text" else ["http://x/uses-1"])


@pytest.mark.parametrize("mode", ["500", "503-proxy", "reset", "hangs"])
def test_what_is_not_found_is_unknown_and_never_repeated(out: Out, mode: str) -> None:
    out.api.modes = [mode]
    out.ask()
    out.later(0)
    for _ in range(10):
        out.later(3600)
    assert (out.state, out.row()["sealed"], out.api.requests) == ("unknown", None, 1)


def test_a_list_that_cannot_be_had_is_asked_again(out: Out) -> None:
    out.api.modes, out.api.list_modes = ["500-after-accepting"], ["500", "hangs", "429"]
    out.ask()
    out.later(0)
    for seconds in (60, 30, 60):
        out.later(seconds)
        assert out.state == "sending"
    out.later(120)
    assert out.state == "sent"
    assert out.api.sent(NUMBER) == list(PAGES)


def test_neither_a_reply_nor_an_earlier_text_is_taken_for_this_one(out: Out) -> None:
    form = {"To": NUMBER, "From": LINE, "Body": PAGES[0]}
    out.api.accept("Messages", form, "outbound-reply")
    out.clock.now -= 120
    out.api.accept("Messages", form)
    out.clock.now += 120
    out.api.modes = ["500"]
    out.ask()
    out.later(0)
    for _ in range(3):
        out.later(3600)
    assert out.state == "unknown"


def test_a_dead_workers_row_is_looked_for_after_its_lease(out: Out) -> None:
    out.ask()
    task = out.outbox.claim(1, NOON)
    assert task and not task.looking
    out.later(LEASE - 1)
    assert (out.state, out.api.requests) == ("sending", 0)
    for _ in range(3):
        out.later(3600)
    assert (out.state, out.api.requests) == ("unknown", 0)


def test_a_worker_that_wakes_after_its_lease_changes_nothing_any_more(out: Out) -> None:
    out.ask("call")
    slow = out.outbox.claim(1, NOON)
    assert slow
    out.api.accept("Calls", {"To": NUMBER, "From": LINE, "Url": "http://x"})
    out.later(LEASE)
    assert out.state == "sent"
    out.outbox.settle(slow, Outcome("later"), out.clock.now, last=True)
    assert out.state == "sent"


def test_two_workers_never_take_the_same_row(out: Out) -> None:
    out.ask()
    other = Outbox(f"sqlite:///{out.file}", SECRET, RULES)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: (out.outbox, other)[n % 2].claim(1, NOON), range(8)))
    other.close()
    assert len([claim for claim in claims if claim]) == 1


@pytest.mark.parametrize(("mode", "end"), [("503", "expired"), ("500-after-accepting", "unknown")])
def test_nothing_goes_out_after_a_day_and_the_number_is_gone(out: Out, mode: str, end: str) -> None:
    """Twilio, or only its list, is down all day; a page that was accepted stays the only one."""
    out.api.mode, out.api.list_modes = mode, ["500"] * 100
    assert out.ask() == "queued"
    for _ in range(23):
        out.later(3500)
    assert out.row()["sealed"]
    out.later(NOON + DAY - out.clock.now)
    assert (out.state, out.row()["sealed"]) == (end, None)
    out.api.mode, tried = "fine", out.api.requests
    out.later(3600)
    assert out.api.requests == tried


def test_one_broken_row_does_not_hold_up_the_others(out: Out, caplog: pytest.LogCaptureFixture) -> None:
    def bodies(task: Task) -> tuple[str, ...]:
        return {"uses-1": PAGES}[task.place]

    sender = Sender(out.outbox, Carrier(ACCOUNT, TOKEN, out.api.url), bodies, str, out.clock)
    out.ask(once="CA1", place="lost")
    out.ask(once="CA2")
    sender.sweep()
    assert out.api.sent(NUMBER) == list(PAGES)
    assert out.outbox.tally() == {"sending": 1, "sent": 1}
    assert "outbox 1: left to the next sweep (KeyError)" in caplog.text


def test_rows_are_gone_after_thirty_days(out: Out) -> None:
    out.ask()
    out.later(0)
    out.later(31 * DAY)
    assert out.outbox.tally() == {}


def test_the_log_tells_each_outcome_without_number_or_words(out: Out, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    out.api.modes = ["21610", "500-after-accepting"]
    for n in range(2):
        out.ask(once=f"CA{n}")
    out.later(0)
    out.later(LOOK_AFTER)
    ours = [record.getMessage() for record in caplog.records if record.name == "ivr.worker"]
    assert ours[:2] == ["outbox 1: text 1 refused 21610", "outbox 2: text 1 unknown 20500"]
    everything = caplog.text + "".join(str(record.args) for record in caplog.records)
    for secret in (NUMBER[1:], NUMBER[-9:], *PAGES):
        assert secret not in everything


def test_every_place_of_a_call_has_texts_in_every_language(catalogue: Catalogue) -> None:
    places = [
        "menu",
        "welcome",
        "languages-2",
        "nowhere",
        "urgent-nowhere",
        "report-1",
        *(f"urgent-{k}" for k in KINDS),
    ]
    for wording in catalogue.languages.values():
        for name in (*places, *(f"{topic}-2" for topic in TOPICS)):
            for country in (None, "KE"):
                texts = wording.texts_at(Place(name), country)
                assert texts, (wording.edition.language, name)
                assert all(0 < len(text) <= LONGEST_TEXT for text in texts), (wording.edition.language, name)


# --- The worker --------------------------------------------------------------------------------------------


def waken(folder: Path, api: TwilioApi, wake: Callable[[int], None], queue: Huey) -> None:
    """One side asks and wakes, a worker at the other side of the queue sends: at once, and all of it."""
    done = threading.Event()

    def bodies(_: Task) -> tuple[str, ...]:
        done.set()
        return PAGES

    outbox = Outbox(f"sqlite:///{folder}/line.db", SECRET, RULES, wake)
    worker = consumer(queue, Sender(outbox, Carrier(ACCOUNT, TOKEN, api.url), bodies, str, Clock()), signals=False)
    worker.start()
    assert asked(outbox, "text", NUMBER, "CA1") == "queued"
    assert done.wait(10)
    worker.stop(graceful=True)
    assert outbox.tally() == {"sent": 1}
    assert api.sent(NUMBER) == list(PAGES)
    outbox.close()


def test_a_waking_reaches_the_worker_in_threads(tmp_path: Path, api: TwilioApi) -> None:
    queue = tmp_path / "queue.db"
    waken(tmp_path, api, waker(path=queue), open_queue(path=queue))


def test_the_command_sends_whole_topics_and_ends_on_sigterm(
    tmp_path: Path, api: TwilioApi, catalogue: Catalogue
) -> None:
    """`ivr worker` in a process of its own, on the shipped words."""
    now = time.time()
    url = f"sqlite:///{tmp_path}/var/line.db"
    environment = os.environ | ENVIRONMENT | {"DATABASE_URL": url, "TWILIO_API_URL": api.url, "PYTHONPATH": str(HOME)}
    outbox = Outbox(url, SECRET, RULES, patience=PATIENCE)
    wanted = {"line": LINE, "language": "es", "country": "MX", "now": now}
    assert outbox.ask("text", NUMBER, once="CA1", place="dosage-2", **wanted) == "queued"  # type: ignore[arg-type]
    command = [sys.executable, "-m", "ivr", "worker"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as worker:
        while not outbox.tally().get("sent") and worker.poll() is None and time.time() < now + 120:
            with api.heard:
                api.heard.wait(0.2)
        worker.terminate()
        log = worker.communicate()[1]
    outbox.close()
    assert worker.returncode == 0, log
    assert '"event": "outbox 1: text 1 accepted' in log
    assert NUMBER[1:] not in log
    assert tuple(api.sent(NUMBER)) == catalogue.languages["es"].pages["dosage"]


def test_sixty_texts_while_the_worker_is_killed(tmp_path: Path) -> None:
    """make soak sends a thousand."""
    result = run(tmp_path, sends=60, kills=4, seed=5)
    assert (result.doubled, result.forgotten, result.kills) == (0, 0, 4)
    assert result.sent + result.unknown == 60
