"""Memory on real SQLite files, kept and broken: what is remembered, and that the line answers without it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from ivr.app import create_app
from ivr.catalogue import Catalogue
from ivr.database import StoreError
from ivr.line import Line
from ivr.pseudonyms import PERIOD, Pseudonyms
from ivr.settings import Settings
from ivr.store import REST, Caller, Store

from .conftest import ENVIRONMENT, phone
from .test_door import SMS, send

NUMBER, OTHER = "+254700000001", "+254700000002"


class Clock:
    """The breaker's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("ivr.store.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def on(catalogue: Catalogue) -> Iterator[Callable[[str], Flask]]:
    """A line on a database: on("sqlite:///…")."""
    opened: list[Store] = []

    def line_on(url: str) -> Flask:
        app = create_app(Settings.from_env(ENVIRONMENT | {"DATABASE_URL": url}), catalogue)
        line: Line = app.extensions["ivr"]
        opened.append(line.store)
        return app

    yield line_on
    for store in opened:
        store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "here" / "line.db"


@pytest.fixture
def line(on: Callable[[str], Flask], file: Path) -> Flask:
    return on(f"sqlite:///{file}")


def text(app: Flask, words: str, sid: int = 1, sender: str = NUMBER) -> bytes:
    answer = send(app, SMS | {"Body": words, "From": sender, "MessageSid": f"SM{sid:032x}"})
    assert answer.status_code == 200
    return answer.data


def language(app: Flask, sender: str = NUMBER) -> str | None:
    return phone(app, sender).text("0")[0].language


def row(file: Path) -> dict[str, object]:
    with sqlite3.connect(file) as connection:
        connection.row_factory = sqlite3.Row
        (found,) = connection.execute("SELECT * FROM callers").fetchall()
    connection.close()
    return dict(found)


# --- What is remembered ------------------------------------------------------------------------------------


def test_language_country_and_place_are_remembered_of_a_number(line: Flask, file: Path) -> None:
    text(line, "ESPAÑOL", 1)
    assert language(line) == "es"
    assert language(line, OTHER) != "es"
    with_mexico = text(line, "PAIS MEXICO", 2)
    assert b"911" in with_mexico
    assert b"911" in text(line, "0", 3)
    assert text(line, "efectos secundarios", 4) != text(line, "7", 5)
    with sqlite3.connect(file) as connection:
        assert ("es", "MX", "side_effects-2") in connection.execute(
            "SELECT language, country, place FROM callers"
        ).fetchall()
    connection.close()


def test_a_guessed_country_is_not_remembered(line: Flask, file: Path) -> None:
    assert b"999" in text(line, "0")
    assert row(file)["country"] is None


def test_a_caller_is_greeted_first_in_the_language_of_their_texts(line: Flask) -> None:
    assert str(phone(line, NUMBER).call().lines[0]).startswith("[en]")
    text(line, "ESPAÑOL")
    assert str(phone(line, NUMBER).call().lines[0]).startswith("[es]")


def test_the_file_holds_neither_the_number_nor_the_words(line: Flask, file: Path) -> None:
    words = "quetzalcoatl took MY pump 77123"
    for sender in (NUMBER, f"whatsapp:{NUMBER}"):
        text(line, words, sender=sender)
    phone(line, NUMBER).call()
    store: Store = line.extensions["ivr"].store
    store.close()
    kept = b"".join(path.read_bytes() for path in file.parent.rglob("*") if path.is_file())
    assert store._names.passing(NUMBER, store._clock())[0].encode() in kept  # so these are the bytes to look at
    for secret in (NUMBER, NUMBER[1:], NUMBER[-9:], "quetzalcoatl", "77123", SMS["To"][1:]):
        for written in (secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be"), secret[::-1].encode()):
            assert written not in kept


def test_one_person_by_sms_and_by_whatsapp(line: Flask) -> None:
    text(line, "ESPAÑOL", sender=f"whatsapp:{NUMBER}")
    assert language(line, NUMBER) == "es"
    assert language(line, f"whatsapp:{OTHER}") != "es"


REPEATED = [
    "MORE",
    "0",
    "ESPAÑOL",
    "COUNTRY MEXICO",
    "STOP",
    "language",
    "?",
    "",
    "0 and side effects",
    "dosage. español",
]


@pytest.mark.parametrize("words", REPEATED)
def test_the_same_message_delivered_again_gets_the_same_bytes(line: Flask, words: str) -> None:
    text(line, "side effects", 1)
    first = text(line, words, 2)
    assert [text(line, words, 2), text(line, words, 2)] == [first, first]


def test_a_retried_more_gives_the_same_page_and_a_new_one_the_next(line: Flask) -> None:
    pages = [text(line, "side effects", 1), text(line, "MORE", 2)]
    assert text(line, "MORE", 2) == pages[1]
    assert text(line, "MORE", 3) not in pages
    assert pages[0] != pages[1]


def opted_out(file: Path) -> list[str]:
    with sqlite3.connect(file) as connection:
        found = connection.execute("SELECT caller FROM callers WHERE opted_out").fetchall()
    connection.close()
    return [caller for (caller,) in found]


def test_an_opt_out_is_remembered_and_a_later_text_is_still_answered(line: Flask, file: Path) -> None:
    lasting = Pseudonyms(ENVIRONMENT["IVR_SECRET_KEY"]).lasting(NUMBER)
    assert b"<Message>" not in text(line, "STOP", 1)
    assert opted_out(file) == [lasting]
    assert b"<Message>" in text(line, "side effects", 2)
    assert opted_out(file) == [lasting]
    assert b"<Message>" in text(line, "START", 3)
    assert opted_out(file) == []


def test_a_stop_word_of_the_operators_own_is_an_opt_out_too(line: Flask, file: Path) -> None:
    answer = send(line, SMS | {"Body": "basta ya", "OptOutType": "STOP"})
    assert b"<Message>" not in answer.data
    assert opted_out(file)


# --- Keys that pass ----------------------------------------------------------------------------------------


class Calendar:
    """The clock by which keys pass, moved by hand."""

    def __init__(self) -> None:
        self.now = 20_000.0 * PERIOD / 90

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def memory(file: Path, calendar: Calendar) -> Iterator[Store]:
    store = Store(f"sqlite:///{file}", "a" * 32, calendar)
    yield store
    store.close()


def names(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        found = {caller for (caller,) in connection.execute("SELECT caller FROM callers")}
    connection.close()
    return found


@pytest.mark.parametrize(("periods", "known"), [(0, "es"), (0.99, "es"), (1.0, "es"), (2.0, None)])
def test_a_number_is_known_for_one_period_more(
    memory: Store, calendar: Calendar, periods: float, known: str | None
) -> None:
    calendar.now = PERIOD * 200
    memory.remember(NUMBER, "SM1", Caller(), Caller("es"))
    calendar.now += PERIOD * periods
    assert memory.recall(NUMBER, "SM2").language == known


def test_who_is_seen_in_every_period_is_known_for_ever_and_under_ever_new_names(
    memory: Store, calendar: Calendar, file: Path
) -> None:
    memory.remember(NUMBER, "SM1", Caller(), Caller("es", "MX", "uses"))
    met: set[str] = set()
    for _ in range(8):
        assert memory.recall(NUMBER, "SM2") == Caller("es", "MX", "uses")
        (name,) = names(file)
        assert name not in met
        met.add(name)
        calendar.now += PERIOD


def test_a_message_delivered_again_over_a_change_of_keys_is_still_the_same(memory: Store, calendar: Calendar) -> None:
    memory.remember(NUMBER, "SM1", Caller("es"), Caller("es", None, "uses-2"))
    calendar.now += PERIOD
    assert memory.recall(NUMBER, "SM1").place == "menu"
    assert memory.recall(NUMBER, "SM2").place == "uses-2"
    memory.remember(NUMBER, "SM2", Caller("es", None, "uses-2"), Caller("es"))
    assert memory.recall(NUMBER, "SM3").place == "menu"


def test_an_opt_out_outlives_all_keys_and_ends_with_the_persons_return(
    memory: Store, calendar: Calendar, file: Path
) -> None:
    memory.remember(NUMBER, "SM1", Caller(), Caller("es", opted_out=True))
    calendar.now += 40 * PERIOD
    assert memory.recall(NUMBER, "SM2") == Caller(opted_out=True)
    assert not memory.recall(OTHER, "SM2").opted_out
    memory.remember(NUMBER, "SM2", Caller(opted_out=True), Caller("es"))
    assert not memory.recall(NUMBER, "SM3").opted_out
    assert not names(file) & {Pseudonyms("a" * 32).lasting(NUMBER)}


def test_hosts_whose_clocks_differ_at_the_change_of_keys_break_nothing(file: Path, memory: Store) -> None:
    ahead = Store(f"sqlite:///{file}", "a" * 32, lambda: memory._clock() + PERIOD)
    for store, language in ((ahead, "es"), (memory, "fr"), (ahead, "pt"), (memory, "hi")):
        store.remember(NUMBER, "SM1", Caller(), Caller(language))
        assert store.recall(NUMBER, "SM2").language == language
    ahead.close()


def test_rows_from_before_there_were_passing_keys_are_read(memory: Store, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        old = Pseudonyms("a" * 32).lasting(NUMBER)
        connection.execute("INSERT INTO callers (caller, language, opted_out) VALUES (?, 'es', 1)", (old,))
    connection.close()
    assert memory.recall(NUMBER, "SM1") == Caller("es", opted_out=True)
    memory.remember(NUMBER, "SM1", Caller("es", opted_out=True), Caller("fr", opted_out=True))
    assert memory.recall(NUMBER, "SM2") == Caller("fr", opted_out=True)


@given(st.text("+0123456789", min_size=3, max_size=16), st.integers(0, 10**10))
def test_hashes_tell_apart_secrets_and_periods_and_never_hold_the_number(number: str, now: int) -> None:
    one, other = Pseudonyms("a" * 32), Pseudonyms("b" * 32)
    hashes = [*one.passing(number, now, 3), one.lasting(number), *other.passing(number, now, 3), other.lasting(number)]
    assert len(set(hashes)) == 8
    assert all(len(each) == 64 for each in hashes)
    assert one.passing(number, now + PERIOD)[1] == one.passing(number, now)[0]


# --- Databases that fail -----------------------------------------------------------------------------------


def lock(file: Path) -> sqlite3.Connection:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


def answers_everything(app: Flask, sound: Flask) -> None:
    """A line without memory says what a sound one says to somebody new."""
    for number, words in enumerate(["0", "side effects", "ESPAÑOL", "???", ""], 1):
        stranger = f"+25470000010{number}"
        assert text(app, words, sender=stranger) == text(sound, words, sender=stranger)
    call = phone(app, NUMBER).call()
    call.press("0")
    assert "hospital" in str(call.lines).lower()


def no_database(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"This is no database, only words.\n" * 100)


def directory(file: Path) -> None:
    file.mkdir(parents=True)


def file_for_folder(file: Path) -> None:
    file.parent.write_text("a file where a folder should be")


def half_a_database(file: Path) -> None:
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE callers (caller TEXT PRIMARY KEY, other TEXT)")
    connection.close()


@pytest.mark.parametrize("spoil", [no_database, directory, file_for_folder, half_a_database])
def test_it_answers_where_the_database_was_never_one(
    on: Callable[[str], Flask], tmp_path: Path, file: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(file)
    answers_everything(on(f"sqlite:///{file}"), on(f"sqlite:///{tmp_path}/sound.db"))


def removed(file: Path) -> None:
    shutil.rmtree(file.parent)


def overwritten(file: Path) -> None:
    file.write_bytes(b"\0" * 4096 + b"no database")


def emptied(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            connection.execute(f"DROP TABLE {table}")
    connection.close()


@pytest.mark.parametrize("spoil", [removed, overwritten, emptied])
def test_it_answers_where_the_database_breaks_later(
    on: Callable[[str], Flask], tmp_path: Path, line: Flask, file: Path, spoil: Callable[[Path], None]
) -> None:
    text(line, "ESPAÑOL")
    line.extensions["ivr"].store._engine.dispose()
    spoil(file)
    answers_everything(line, on(f"sqlite:///{tmp_path}/sound.db"))


def test_it_answers_where_the_database_is_locked(
    on: Callable[[str], Flask], tmp_path: Path, line: Flask, file: Path
) -> None:
    other = lock(file)
    answers_everything(line, on(f"sqlite:///{tmp_path}/sound.db"))
    other.close()


def test_it_starts_and_answers_where_the_database_is_locked_from_the_start(
    on: Callable[[str], Flask], tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.mkdir()
    other = lock(file)
    monkeypatch.setattr("ivr.store.Store._make", lambda self: (_ for _ in ()).throw(sqlite3.OperationalError("locked")))
    answers_everything(on(f"sqlite:///{file}"), on(f"sqlite:///{tmp_path}/sound.db"))
    other.close()


@pytest.mark.parametrize("spoil", [removed, emptied])
def test_memory_comes_back_with_the_database(
    line: Flask, file: Path, clock: Clock, spoil: Callable[[Path], None]
) -> None:
    line.extensions["ivr"].store._engine.dispose()
    spoil(file)
    text(line, "ESPAÑOL", 1)
    clock.now += REST + 1
    text(line, "ESPAÑOL", 2)
    assert language(line) == "es"


def test_after_a_fault_memory_rests_and_then_serves_again(line: Flask, file: Path, clock: Clock) -> None:
    store: Store = line.extensions["ivr"].store
    store.remember(NUMBER, "SM1", Caller(), Caller("es"))
    other = lock(file)  # for writers; readers go on beside them
    assert store.recall(NUMBER, "SM2").language == "es"
    store.remember(OTHER, "SM3", Caller(), Caller("fr"))
    assert store.recall(NUMBER, "SM2") == Caller()
    other.close()
    clock.now += REST - 0.1
    assert store.recall(NUMBER, "SM2") == Caller()  # the lock is gone, and still nobody asks
    clock.now += 0.2
    assert store.recall(NUMBER, "SM2").language == "es"


def test_a_resting_memory_does_not_touch_the_database(line: Flask, file: Path, clock: Clock) -> None:
    store: Store = line.extensions["ivr"].store
    emptied(file)
    asked: list[str] = []
    assert store._within_deadline(lambda: asked.append("first") or 1 / 0, None) is None
    assert store._within_deadline(lambda: asked.append("second"), "otherwise") == "otherwise"
    assert asked == ["first"]


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("nonsense", "not a database address"),
        ("://", "not a database address"),
        ("oracle+nothing://me:pass-word@host/db", "without a driver"),
        ("mystery://me:pass-word@host/db", "without a driver"),
    ],
)
def test_an_address_that_can_never_work_stops_the_start_and_keeps_the_password(url: str, named: str) -> None:
    with pytest.raises(StoreError, match=named) as stopped:
        Store(url, "a" * 32)
    assert "DATABASE_URL" in str(stopped.value)
    assert "pass-word" not in str(stopped.value)
