"""Every answer is counted once: by killed processes, on locked and full disks, and when Twilio asks again."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from ivr.events import Event, Events
from ivr.line import Line
from ivr.settings import HOME

from .test_door import CALL, SMS, send

SECRET = "a-key-of-at-least-thirty-two-letters"
USES = Event("sms", "en", "uses", "KE", "command", 3)


@pytest.fixture(autouse=True)
def _no_folding_but_by_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.events.PAUSE", 3600.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "line.db"


def on(file: Path, folder: Path | None = None, options: str = "") -> Events:
    engine = create_engine(
        f"sqlite:///{options}{file}{'?mode=ro&uri=true' if options else ''}", connect_args={"timeout": 0}
    )
    return Events(engine, SECRET, folder or file.parent / "journal")


def rows(file: Path, columns: str = "*") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"SELECT {columns} FROM events ORDER BY id").fetchall()


def count(file: Path) -> int:
    keys = rows(file, "key")
    assert len(set(keys)) == len(keys)
    return len(keys)


def die(events: Events) -> None:
    """What the kernel does when a process is killed: its files are closed, its locks are gone."""
    if events._journal is not None:
        os.close(events._journal)
        events._journal = None


# --- One answer, one event ---------------------------------------------------------------------------------


def test_an_answer_is_in_the_journal_before_it_goes_out_and_in_the_database_once(file: Path) -> None:
    events = on(file)
    for sid in ("SM1", "SM2", "SM1"):
        events.record(USES, sid)
    (journal,) = file.parent.glob("journal/*.log")
    assert len(journal.read_text("utf-8").split()) >= 3
    events.fold()
    events.record(USES, "SM2")  # asked again after it was folded
    events.fold()
    assert rows(file, "channel, language, intent, country, layer, segments") == [tuple(USES)] * 2
    assert list(file.parent.glob("journal/*")) == []


def test_the_front_door_counts_what_it_answers(app: Flask, tmp_path: Path) -> None:
    for form in (SMS, SMS, SMS | {"MessageSid": f"SM{2:032x}", "Body": "STOP"}):
        send(app, form)
    step = {"Digits": "3"}
    send(app, CALL, "/voice")
    for token in ("a", "a", "b"):  # a repeated request, and a second press of the same key
        send(app, CALL | step, "/voice/en/KE/menu/0", headers={"I-Twilio-Idempotency-Token": token})
    line: Line = app.extensions["ivr"]
    line.events.fold()
    uses, stop, start, *pressed = rows(tmp_path / "line.db", "channel, language, intent, country, layer, segments > 0")
    assert uses == ("sms", "en", "uses", "KE", "topic", 1)
    assert stop == ("sms", "en", "stop", "KE", "command", 0)  # the carrier answered it
    assert start == ("voice", "en", "prompt", "KE", "key", 0)
    assert pressed == [("voice", "en", "side_effects", "KE", "key", 0)] * 2


def test_neither_number_nor_text_nor_sid_is_kept(app: Flask, tmp_path: Path) -> None:
    words = "my sister is dizzy after the tablets"
    send(app, SMS | {"Body": words})
    kept = [path.read_bytes() for path in tmp_path.glob("journal/*")]
    app.extensions["ivr"].events.fold()
    kept += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in ("254700000001", "dizzy", SMS["MessageSid"], "5005550001"):
        assert not any(secret.encode() in content for content in kept), secret


def test_after_thirty_days_the_key_is_forgotten_and_after_thirteen_months_the_event(file: Path) -> None:
    events = on(file)
    events.record(USES, "SM1")
    (journal,) = file.parent.glob("journal/*.log")
    (recent,) = [line for line in journal.read_text("utf-8").split("\n") if line]
    now = datetime.now(UTC)
    with journal.open("a", encoding="utf-8") as lines:
        for age in (0, 29, 31, 395, 398):
            old = json.loads(recent) | {"key": f"x{age}", "hour": (now - timedelta(days=age)).strftime("%Y-%m-%dT%H")}
            lines.write(json.dumps(old) + "\n")
    events.fold()
    assert [key is None for (key,) in rows(file, "key")] == [False, False, False, True, True]


# --- Killed processes --------------------------------------------------------------------------------------

WRITER = """
import itertools, sys
from pathlib import Path
from sqlalchemy import create_engine
import ivr.events
ivr.events.PAUSE = 0.001  # folds all the time, so that the kill comes anywhere
database, secret, prefix, most = sys.argv[1:]
events = ivr.events.Events(create_engine(f"sqlite:///{database}"), secret, Path(database).parent / "journal")
for number in range(int(most)):
    events.record(ivr.events.Event("sms", "en", "uses", "KE", "command", 3), f"{prefix}{number}")
    print(number, flush=True)
"""


def writer(file: Path, prefix: str, most: int = 10**9) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(file), SECRET, prefix, str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(HOME)})


def answered_before_kill(process: subprocess.Popen[str], most: int) -> int:
    """Kills a writer after so many answers, and tells how many went out."""
    assert process.stdout
    for _ in range(most):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split("\n")[:-1]
    process.stdout.close()
    process.wait()
    return most + len(rest)


def test_killed_writers_lose_nothing_and_double_nothing(file: Path) -> None:
    writers = [writer(file, f"{number}-") for number in range(4)]  # all on one folder
    answered = [answered_before_kill(process, 200 * number) for number, process in enumerate(writers, 1)]
    events = on(file)
    events.fold()
    folded = count(file)
    assert sum(answered) <= folded <= sum(answered) + len(writers)  # a killed one may have counted what it had not said
    for number, most in enumerate(answered):  # Twilio asks again: all of it is known
        for sid in range(most):
            events.record(USES, f"{number}-{sid}")
    events.fold()
    assert count(file) == folded


def test_two_processes_count_the_same_answers_once(file: Path) -> None:
    writers = [writer(file, "same-", 500) for _ in range(2)]
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    on(file).fold()
    assert count(file) == 500


def test_journals_of_dead_processes_are_adopted_at_start(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = on(file)
    before.record(USES, "SM1")
    die(before)
    monkeypatch.setattr("ivr.events.PAUSE", 0.0)
    after = on(file)
    assert after._worker
    after._worker.join()
    assert count(file) == 1


def test_the_journal_of_a_living_process_is_left_to_it(file: Path) -> None:
    one, other = on(file), on(file)
    one.record(USES, "SM1")
    other.record(USES, "SM2")
    other.fold()
    assert count(file) == 1
    one.fold()
    assert count(file) == 2


def test_deaths_and_foldings_in_any_order(file: Path) -> None:
    random, events, answered = Random(3), on(file), set[int]()
    for _ in range(300):
        if random.random() < 0.1:
            events.fold()
        if random.random() < 0.1:
            die(events)
            events = on(file)
        sid = random.randrange(200)
        events.record(USES, str(sid))
        answered.add(sid)
    events.fold()
    assert count(file) == len(answered)


# --- Databases and disks that fail ---------------------------------------------------------------------------


@contextmanager
def locked(file: Path) -> Iterator[Events]:
    on(file).fold()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield on(file)


@contextmanager
def read_only(file: Path) -> Iterator[Events]:
    on(file).fold()
    yield on(file, options="file:")


@contextmanager
def never_there(file: Path) -> Iterator[Events]:
    yield on(file.parent / "no such folder" / "line.db", file.parent / "journal")


@pytest.mark.parametrize("broken", [locked, read_only, never_there])
def test_events_wait_for_the_database(file: Path, broken: Callable[[Path], Iterator[Events]]) -> None:
    with broken(file) as events:
        for sid in range(20):
            events.record(USES, str(sid))
            if sid % 5 == 0:
                with pytest.raises(OperationalError):
                    events.fold()
        assert len(list(file.parent.glob("journal/*.log"))) == 2  # one waits and one grows, however often it was tried
        die(events)
    on(file).fold()
    assert count(file) == 20


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond this size, as on a full disk: the last line is cut short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 1, 300, 4096])
def test_a_full_disk_stops_no_answer_and_loses_nothing(file: Path, size: int, caplog: pytest.LogCaptureFixture) -> None:
    events = on(file)
    with full_disk(size):
        for sid in range(60):
            events.record(USES, str(sid))
        with pytest.raises(OperationalError):
            events.fold()
    assert "held in memory" in caplog.text
    for sid in range(60, 70):
        events.record(USES, str(sid))
    events.fold()
    assert count(file) == 70


def test_a_folder_that_cannot_be_written_stops_no_answer_and_loses_nothing(file: Path) -> None:
    (file.parent / "in the way").write_text("a file", "utf-8")
    events = on(file, file.parent / "in the way" / "journal")
    for sid in range(20):
        events.record(USES, str(sid))
    events.fold()
    assert count(file) == 20


def test_lines_that_are_no_events_are_passed_over(file: Path) -> None:
    events = on(file)
    events.record(USES, "SM1")
    die(events)
    (journal,) = file.parent.glob("journal/*.log")
    whole = journal.read_bytes()
    journal.write_bytes(b'\xff\x00{"key\n[]\n{}\nnull\n' + whole[:-30] + whole)
    on(file).fold()
    assert count(file) == 1
