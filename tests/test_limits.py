"""Limits: machines that answer each other end, floods get a short text, and a cry for help is always answered."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from ivr.limits import (
    A_NUMBER,
    MOST_KEYS,
    NEW_NUMBERS,
    REST,
    SAME_TEXT,
    SHORT_CRY,
    TOLD,
    Asked,
    Here,
    Limits,
    Verdict,
)
from ivr.phone import parse

from .conftest import phone, redis_program
from .test_door import SMS, send
from .test_store import Clock

SECRET = "k" * 32
LONG_CRY = "my mother took all of her tablets and does not wake up"
SLOW_DOWN = "You sent many texts."


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("ivr.limits.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


class Texter:
    """Sends texts that are already understood; each is a new delivery."""

    def __init__(self, limits: Limits, number: str = "+15005550006", country: str | None = "KE") -> None:
        self.limits, self.number, self.country, self.sent = limits, number, country, 0

    def text(self, words: str, *, urgent: bool = False, place: str = "menu", sid: str = "") -> Verdict:
        self.sent += 1
        name = sid or f"{self.number} {self.sent}"
        return self.limits.judge(Asked(self.number, name, words, place, urgent, self.country))

    def texts(self, many: int, words: str = "question {}", *, urgent: bool = False) -> list[Verdict]:
        return [self.text(words.format(n), urgent=urgent) for n in range(many)]


@pytest.fixture
def texter(clock: Clock) -> Texter:
    return Texter(Limits(SECRET))


# --- One number --------------------------------------------------------------------------------------------


def test_a_number_gets_its_answers_then_three_short_texts_then_nothing(texter: Texter, clock: Clock) -> None:
    assert texter.texts(A_NUMBER.most) == ["answer"] * A_NUMBER.most
    assert texter.texts(TOLD.most + 9, "more {}") == ["slow_down"] * TOLD.most + ["silence"] * 9
    assert Texter(texter.limits, "+15005550007").text("uses") == "answer"
    clock.now += A_NUMBER.seconds + 1
    assert texter.text("uses") == "answer"


def test_the_same_text_is_answered_five_times_and_another_one_at_once(texter: Texter, clock: Clock) -> None:
    assert texter.texts(SAME_TEXT.most + 2, "ok") == ["answer"] * SAME_TEXT.most + ["silence"] * 2
    assert texter.text("uses") == "answer"
    clock.now += SAME_TEXT.seconds + 1
    assert texter.text("ok") == "answer"


def test_a_key_that_brings_another_page_each_time_is_not_the_same_text(texter: Texter) -> None:
    assert {texter.text("7", place=f"side_effects-{page}") for page in range(1, 20)} == {"answer"}


def test_a_machine_that_only_counts_says_the_same(texter: Texter) -> None:
    ticket = "Thank you for your message. Your ticket number is {}."
    assert texter.texts(9, ticket) == ["answer"] * SAME_TEXT.most + ["silence"] * 4
    assert texter.texts(9, "{}") == ["answer"] * 9  # keys are short


def test_a_repeated_delivery_counts_once_and_gets_the_same(texter: Texter) -> None:
    assert {texter.text("ok", sid="SM1") for _ in range(50)} == {"answer"}
    assert {texter.text(LONG_CRY, urgent=True, sid="SM2") for _ in range(50)} == {"answer"}
    assert texter.texts(SAME_TEXT.most, "ok") == ["answer"] * (SAME_TEXT.most - 1) + ["silence"]
    last = texter.text("ok", sid="SM3")
    assert {texter.text("ok", sid="SM3") for _ in range(5)} == {last} == {"silence"}


def test_limits_do_not_go_by_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """It jumps a year on and two back, and nothing changes."""
    texter, year, now = Texter(Limits(SECRET)), 365 * 24 * 3600, time.time()
    for moment in (now, now + year, now - year):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        texter.text("ok")
    assert texter.texts(3, "ok") == ["answer", "answer", "silence"]


# --- A cry for help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["0", "٠", "help", "overdose", "a" * SHORT_CRY])
def test_a_short_cry_is_answered_however_often_it_comes(texter: Texter, words: str) -> None:
    texter.texts(100)
    assert texter.texts(1000, words, urgent=True) == ["answer"] * 1000


def test_a_long_cry_is_silenced_only_unchanged_and_for_ten_minutes(texter: Texter, clock: Clock) -> None:
    assert texter.texts(7, LONG_CRY, urgent=True) == ["answer"] * SAME_TEXT.most + ["silence"] * 2
    assert texter.texts(50, LONG_CRY + " {}", urgent=True) == ["answer"] * 50  # one digit is a change
    assert texter.text("0", urgent=True) == "answer"
    assert Texter(texter.limits, "+15005550007").text(LONG_CRY, urgent=True) == "answer"
    clock.now += SAME_TEXT.seconds + 1
    assert texter.text(LONG_CRY, urgent=True) == "answer"


def test_ten_thousand_people_cry_for_help_in_a_flood_from_an_unlisted_country_and_all_are_heard(clock: Clock) -> None:
    limits = Limits(SECRET, countries=("TZ",))
    Texter(limits, country="TZ").texts(200)
    for n in range(NEW_NUMBERS.most + 1):
        Texter(limits, f"+2557{n:08d}", "TZ").text("uses")
    people = [Texter(limits, f"+2547{n:08d}") for n in range(10_000)]
    unanswered = 0
    for n, someone in enumerate(people):
        someone.texts(n % 3, "ok")
        cries = ("0", "help", LONG_CRY)[n % 3], LONG_CRY + " please"
        unanswered += sum(someone.text(cry, urgent=True) != "answer" for cry in cries)
    assert unanswered == 0


# --- The whole line ----------------------------------------------------------------------------------------


def test_too_many_new_numbers_in_a_minute_get_the_short_text(clock: Clock) -> None:
    limits = Limits(SECRET)
    everybody = [Texter(limits, f"+2547{n:08d}") for n in range(NEW_NUMBERS.most + 50)]
    assert [each.text("uses") for each in everybody] == ["answer"] * NEW_NUMBERS.most + ["slow_down"] * 50
    assert everybody[0].text("benefits") == "answer"  # not new any more
    clock.now += NEW_NUMBERS.seconds + 1
    assert Texter(limits, "+254111111111").text("uses") == "answer"


@pytest.mark.parametrize(
    ("country", "urgent", "verdict"),
    [
        ("KE", False, "answer"),
        ("TZ", False, "answer"),
        ("US", False, "silence"),
        (None, False, "silence"),
        ("US", True, "answer"),
        (None, True, "answer"),
    ],
)
def test_ordinary_answers_go_to_listed_countries_only(country: str | None, urgent: bool, verdict: str) -> None:
    assert Texter(Limits(SECRET, ("KE", "TZ")), country=country).text("uses", urgent=urgent) == verdict


def test_memory_stays_bounded_and_keeps_what_is_used() -> None:
    windows = Here()
    for n in range(MOST_KEYS + 100):
        windows.acquire_entry(f"key {n}", 1, 600)
        assert windows.acquire_entry("often", 10**6, 600)
    assert len(windows._windows) == MOST_KEYS
    assert not windows.acquire_entry(f"key {MOST_KEYS}", 1, 600)


# --- Through the front door --------------------------------------------------------------------------------

MACHINES = [
    "Ok",
    "I am driving now. Sent from my car.",
    "This number does not accept messages.",
    "I'm away until 5 January. In an emergency call 911.",
    "If this is a medical emergency, hang up and dial 911. Otherwise leave a message.",
    "Estoy fuera de la oficina. Para emergencias llame al 112.",
    "Je suis absent. Merci de votre message, je reviens lundi.",
    "Your message was received. Reply STOP to end.",
    "Welcome to Acme! Reply 1 for sales, 2 for support.",
    "شكرا لرسالتك سنرد عليك قريبا",
    "Thank you for your message. Your ticket number is {}.",
    "We received your text at 10:{:02}. Our office is open 9 to 5.",
]


def test_twelve_machines_that_answer_every_text_get_six_replies_at_most(app: Flask) -> None:
    assert len(MACHINES) == 12
    for number, words in enumerate(MACHINES):
        machine, replies = phone(app, f"+1500555{number:04d}", "KE"), 0
        while machine.text(words.format(replies)):
            replies += 1
            assert replies <= 6, words
        assert replies


def test_a_flood_gets_200_and_twiml_and_the_cry_in_it_is_answered(app: Flask) -> None:
    said = []
    for n in range(60):
        answer = send(app, SMS | {"Body": f"which number {n}", "MessageSid": f"SM{n:032x}"})
        assert answer.status_code == 200
        said.append("".join(parse(answer.data, "/sms").itertext()))
    short = [n for n, words in enumerate(said) if SLOW_DOWN in words]
    assert short == [30, 31, 32]
    assert all(said[:30])
    assert not any(said[33:])
    for words in ("0", "he is not breathing", LONG_CRY):
        (reply, *_) = phone(app, SMS["From"], "KE").text(words)
        assert "999" in reply.body


def test_where_a_limit_spoke_the_person_stays_in_place(app: Flask) -> None:
    someone = phone(app, country="KE")
    (page,) = someone.text("side effects")
    for n in range(A_NUMBER.most - 1):
        someone.text(f"which number {n}")
    someone.text("side effects")
    (short,) = someone.text("7")
    assert short.body.startswith(SLOW_DOWN)
    assert "0" in short.body
    assert page.body not in short.body


def test_the_list_of_countries_goes_by_the_number_and_spares_the_cry(make_app: Callable[..., Flask]) -> None:
    app = make_app(IVR_COUNTRIES="ke, tz")
    assert phone(app, "+254700000001").text("uses")
    stranger = phone(app, "+33600000001")
    assert not stranger.text("COUNTRY KENYA")
    assert not stranger.text("uses")
    assert stranger.text("0")
    assert stranger.text("can baclofen give my son a seizure")  # a question, but danger is in it


# --- Redis: shared where it answers, never in the way ------------------------------------------------------


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [redis_program(), "--port", str(port), "--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert server.stdout
    for line in server.stdout:
        if b"Ready to accept" in line:
            break
    yield f"redis://127.0.0.1:{port}/0", server
    server.kill()
    server.communicate()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the machine is busy, and nothing is about milliseconds."""
    monkeypatch.setattr("ivr.limits.DEADLINE", 5.0)


def test_processes_that_share_redis_count_together_and_go_on_alone_without_it(
    redis: tuple[str, subprocess.Popen[bytes]], patient: None, caplog: pytest.LogCaptureFixture
) -> None:
    url, server = redis
    here, there = Limits(SECRET, redis_url=url), Limits(SECRET, redis_url=url)
    one, other = Texter(here), Texter(there)
    other.sent = 100
    verdicts = [each.text("ok") for _ in range(3) for each in (one, other)]
    assert verdicts == ["answer"] * SAME_TEXT.most + ["silence"]
    assert not caplog.records
    server.kill()
    server.wait()
    assert one.text("ok") == other.text("ok") == "answer"  # each counts alone, from nothing
    assert one.text("0", urgent=True) == "answer"
    assert len(caplog.records) == 2
    here.close()
    there.close()


def test_redis_is_told_neither_a_number_nor_a_text(redis: tuple[str, subprocess.Popen[bytes]], patient: None) -> None:
    from redis import Redis

    limits = Limits(SECRET, redis_url=redis[0])
    Texter(limits).text(LONG_CRY, urgent=True)
    Texter(limits).text("quetzalcoatl")
    with Redis.from_url(redis[0]) as client:
        keys = b" ".join(client.keys())
        kept = keys + b"".join(str(client.lrange(key, 0, -1)).encode() for key in client.scan_iter())
    limits.close()
    assert b"ivr-limits:" in kept
    for secret in (b"5005550006", b"quetzalcoatl", b"mother"):
        assert secret not in kept


def test_redis_that_is_not_there_costs_one_line_of_log(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    limits = Limits(SECRET, redis_url=f"redis://127.0.0.1:{port}/0")
    assert set(Texter(limits).texts(20)) == {"answer"}
    assert len(caplog.records) == 1
    limits.close()


def test_a_frozen_redis_is_asked_once_and_then_left_alone(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that takes connections and says nothing."""
    monkeypatch.setattr("ivr.limits.SOCKET", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        limits = Limits(SECRET, redis_url=f"redis://127.0.0.1:{frozen.getsockname()[1]}/0")
        texter = Texter(limits)
        assert texter.texts(A_NUMBER.most) == ["answer"] * A_NUMBER.most
        assert texter.text(LONG_CRY, urgent=True) == "answer"
        assert len(caplog.records) == 1
        clock.now += REST + 1
        assert texter.text("0", urgent=True) == texter.text(LONG_CRY + "!", urgent=True) == "answer"
        assert len(caplog.records) == 2  # asked again
        limits.close()
