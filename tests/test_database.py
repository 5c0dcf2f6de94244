"""The same line on a real SQLite file and on a real PostgreSQL: its tables, its memory, its queue, its counts."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Engine, func, select, text

from ivr.commands import cli
from ivr.database import HEAD, StoreError, address, behind, migrate, open_engine, open_exclusive
from ivr.events import Event, Events
from ivr.line import the_line
from ivr.outbox import CAPS, REST, Outbox
from ivr.pseudonyms import PERIOD
from ivr.settings import HOME
from ivr.store import Caller, Store
from ivr.tables import callers, countries, days, events, outbox, tables

from .conftest import phone
from .test_outbox import NOON, NUMBER, RULES, SECRET, asked, rush
from .test_store import Clock

ROWS = {  # as the release of each table's first day wrote them
    "callers": {"caller": "c" * 64, "language": "es", "place": "uses-2", "opted_out": True,
                "seen_at": "2026-01-01 10:00:00"},
    "outbox": {"once": "o" * 64, "kind": "text", "state": "queued", "person": "p" * 64, "sealed": b"\x00\xff",
               "line": NUMBER, "language": "en", "place": "uses-1", "page": 0, "attempts": 0,
               "asked_at": NOON, "due_at": NOON},
    "events": {"key": "e" * 32, "hour": "2026-01-01T10", "channel": "sms", "language": "en", "intent": "uses",
               "country": None, "layer": "topic", "segments": 2},
}  # fmt: skip


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


def fill(engine: Engine) -> None:
    with engine.begin() as connection:
        for table, row in ROWS.items():
            names = ", ".join(row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})"), row)


def kept(engine: Engine) -> dict[str, list[dict[str, object]]]:
    with engine.connect() as connection:
        return {
            table: [
                {name: str(row._mapping[name]) if name == "seen_at" else row._mapping[name] for name in ROWS[table]}
                for row in connection.execute(text(f"SELECT * FROM {table}"))
            ]
            for table in ROWS
        }


def same(found: dict[str, list[dict[str, object]]]) -> bool:
    whole = {table: [row] for table, row in ROWS.items()}
    for row in found["callers"]:
        row["seen_at"] = str(row["seen_at"])[:19]
        row["opted_out"] = bool(row["opted_out"])
    for row in found["outbox"]:
        row["sealed"] = bytes(row["sealed"])  # type: ignore[call-overload]
    return found == whole


def tell(engine: Engine, *what: object) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*what))]  # type: ignore[call-overload]


# --- Tables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "read"),
    [
        (
            "postgres://me:pw@host:5432/line?sslmode=require",
            "postgresql+psycopg://me:pw@host:5432/line?sslmode=require",
        ),
        ("postgresql://host/line", "postgresql+psycopg://host/line"),
        ("postgresql+psycopg://host/line", "postgresql+psycopg://host/line"),
        ("sqlite:///var/line.db", "sqlite:///var/line.db"),
    ],
)
def test_postgresql_by_its_usual_names(url: str, read: str) -> None:
    assert address(url).render_as_string(hide_password=False) == read


def test_the_last_migration_is_the_one_that_the_line_looks_for() -> None:
    scripts = ScriptDirectory(str(HOME / "ivr/migrations"))
    assert scripts.get_heads() == [HEAD]
    assert [script.revision for script in scripts.walk_revisions()] == [f"{n:04}" for n in range(int(HEAD), 0, -1)]


def test_migrations_make_the_very_tables_that_the_line_uses(database: str) -> None:
    migrate(address(database))
    with opened(database) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, tables) == []


def test_every_step_up_and_down_keeps_what_was_there(database: str) -> None:
    steps = [f"{n:04}" for n in range(1, int(HEAD) + 1)]
    where = address(database)
    with opened(database) as engine:
        migrate(where, steps[0])
        fill(engine)
        up, down = [(step, False) for step in steps[1:]], [(step, True) for step in steps[-2::-1]]
        for step, back in up + down + up:
            engine.dispose()
            migrate(where, step, down=back)
            assert same(kept(engine)), step
        assert tell(engine, days) == [("2026-01-01", "sms", "en", "uses", 1)]
        assert tell(engine, countries) == [("2026-01-01", "", 1)]
        engine.dispose()
        migrate(where, "base", down=True)
        assert behind(engine)
        migrate(where)
        assert not any(kept(engine).values())


def test_tables_from_before_there_were_migrations_are_taken_over(database: str) -> None:
    with opened(database) as engine:
        tables.create_all(engine, [callers, outbox, events])
        fill(engine)
        engine.dispose()
        migrate(address(database))
        assert same(kept(engine))
        assert tell(engine, days.c.answers) == [(1,)]


def test_processes_that_start_at_once_wait_for_each_other(database: str) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(migrate, [address(database)] * 3))
    with opened(database) as engine:
        assert not behind(engine)


def test_a_migration_that_fails_leaves_all_as_it_was(database: str) -> None:
    with opened(database) as engine:
        migrate(address(database), "0001")
        fill(engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE countries (in_the_way INTEGER)"))
        engine.dispose()
        with pytest.raises(Exception, match="countries"):
            migrate(address(database))
        assert behind(engine)
        assert same(kept(engine))
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE countries"))
        migrate(address(database))
        assert not behind(engine)


def test_this_release_runs_on_the_tables_of_a_later_one(database: str) -> None:
    migrate(address(database))
    with opened(database) as engine, engine.begin() as connection:
        connection.execute(text("ALTER TABLE callers ADD COLUMN later VARCHAR(9)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store = Store(database, SECRET)
    store.remember(NUMBER, "SM1", Caller(), Caller("es"))
    assert store.recall(NUMBER, "SM2") == Caller("es")
    store.close()
    with pytest.raises(StoreError, match="9999"):
        migrate(address(database))


def test_the_release_before_can_still_write(database: str) -> None:
    migrate(address(database))
    with opened(database) as engine:
        fill(engine)
        assert same(kept(engine))


def test_the_whole_line_on_postgresql(
    postgres: Callable[[], str], make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # its journal is in var/
    url = postgres()
    assert CliRunner().invoke(cli, ["db", "upgrade"], env={"DATABASE_URL": url}).exit_code == 0
    line = make_app(DATABASE_URL=url.replace("postgresql://", "postgres://"), IVR_OUTBOUND_COUNTRIES="KE")
    handset = phone(line, NUMBER, "KE")
    handset.text("ESPAÑOL")
    assert handset.text("0")[0].language == "es"
    call = handset.call()
    for key in "118":
        call.press(key)
    parts = the_line(line)
    parts.events.fold()
    assert parts.outbox.tally() == {"queued": 1}
    assert sum(many for (many,) in tell(parts.events._engine, days.c.answers)) == 6  # type: ignore[misc]
    assert not list(tmp_path.glob("var/journal/*"))
    parts.store.close()
    parts.outbox.close()
    parts.events._engine.dispose()


def test_a_postgresql_without_tables_is_survived_and_used_when_they_come(
    postgres: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.store.REST", 0.0)
    monkeypatch.setattr("ivr.outbox.REST", 0.0)
    url = postgres()
    store, queue, counts = Store(url, SECRET), Outbox(url, SECRET, RULES), on(url, tmp_path)
    counts.record(USES, "SM1")
    store.remember(NUMBER, "SM1", Caller(), Caller("es"))
    assert store.recall(NUMBER, "SM2") == Caller()
    assert asked(queue, "text", NUMBER, "CA1") == "fault"
    with pytest.raises(Exception, match="events"):
        counts.fold()
    migrate(address(url))
    store.remember(NUMBER, "SM1", Caller(), Caller("es"))
    assert store.recall(NUMBER, "SM2") == Caller("es")
    assert asked(queue, "text", NUMBER, "CA1") == "queued"
    counts.fold()
    assert tell(counts._engine, func.count(events.c.id)) == [(1,)]
    store.close()
    queue.close()
    counts._engine.dispose()


# --- Memory ------------------------------------------------------------------------------------------------


@pytest.fixture
def made(database: str) -> str:
    migrate(address(database))
    return database


def test_memory_on_both(made: str) -> None:
    store = Store(made, SECRET)
    store.remember(NUMBER, "SM1", Caller(), Caller("es", "MX", "uses-2"))
    assert store.recall(NUMBER, "SM1") == Caller("es", "MX", "menu")
    store.remember(NUMBER, "SM2", Caller("es", "MX", "uses-2"), Caller("es", "MX", opted_out=True))
    assert store.recall(NUMBER, "SM3") == Caller("es", "MX", opted_out=True)
    store.remember(NUMBER, "SM4", Caller("es", opted_out=True), Caller("es"))
    assert store.recall(NUMBER, "SM5") == Caller("es")
    store.close()


def test_twenty_first_texts_at_once_are_one_caller(made: str) -> None:
    store = Store(made, SECRET)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: store._remember(NUMBER, f"SM{n}", Caller(), Caller("es", opted_out=True)), range(20)))
    assert tell(store._engine, func.count(callers.c.caller)) == [(2,)]  # and the opt-out
    assert store.recall(NUMBER, "SM") == Caller("es", opted_out=True)
    store.close()


def test_a_postgresql_that_is_locked_holds_no_answer_up(
    postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("ivr.store.time", type("time", (), {"monotonic": clock.monotonic}))
    url = postgres()
    migrate(address(url))
    store = Store(url, SECRET)
    store.remember(NUMBER, "SM1", Caller(), Caller("es"))
    with opened(url) as engine, engine.begin() as connection:
        connection.execute(text("LOCK TABLE callers IN ACCESS EXCLUSIVE MODE"))
        assert store.recall(NUMBER, "SM2") == Caller()
    clock.now += REST + 1
    assert store.recall(NUMBER, "SM2") == Caller("es")
    store.close()


# --- The queue ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "call"])
def test_caps_are_exact_under_parallel_requests_on_postgresql(postgres: Callable[[], str], kind: str) -> None:
    url = postgres()
    migrate(address(url))
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(rush, [url] * 2, [kind] * 2, range(2)))
    queued = sum(each["queued"] for each in told)
    cap = min(most for _, most in CAPS[kind])  # type: ignore[index]
    assert queued == cap or (queued < cap and any(each["fault"] for each in told))
    box = Outbox(url, SECRET, RULES)
    assert box.tally() == {"queued": queued}
    box.close()


def test_no_two_workers_take_the_same_row(made: str) -> None:
    boxes = [Outbox(made, SECRET, RULES, patience=10.0) for _ in range(2)]
    assert asked(boxes[0], "text", NUMBER, "CA1") == "queued"
    (id_,) = boxes[1].due(NOON)
    together = threading.Barrier(8)

    def claim(n: int) -> object:
        together.wait()
        return boxes[n % 2].claim(id_, NOON)

    with ThreadPoolExecutor(8) as pool:
        assert sum(task is not None for task in pool.map(claim, range(8))) == 1
    for box in boxes:
        box.close()


def test_caps_hold_over_a_change_of_keys(made: str) -> None:
    box = Outbox(made, SECRET, RULES, patience=10.0)
    change = (NOON // PERIOD + 1) * PERIOD
    wanted = {"line": "+15005550001", "language": "en", "country": "KE", "place": "uses-1"}
    told = [
        box.ask("text", NUMBER, once=f"CA{n}", now=change + n - 4, **wanted)  # type: ignore[arg-type]
        for n in range(8)
    ]
    assert told == ["queued"] * 6 + ["cap"] * 2
    box.close()


# --- Counts ------------------------------------------------------------------------------------------------

USES = Event("sms", "en", "uses", "KE", "command", 3)


@pytest.fixture(autouse=True)
def _no_folding_but_by_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.events.PAUSE", 3600.0)


def on(url: str, folder: Path) -> Events:
    return Events(open_engine(url), SECRET, folder / "journal")


def test_answers_are_counted_once_and_summed_as_they_are_counted(made: str, tmp_path: Path) -> None:
    hosts = [on(made, tmp_path / str(number)) for number in range(4)]
    kinds = [USES, USES._replace(intent="urgent", country=None), USES._replace(channel="voice", country="MX")]
    for events_ in hosts:  # each host is asked the same by Twilio's retries
        for sid in range(600):
            events_.record(kinds[sid % 3], str(sid))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fold_until_done, hosts))
    engine = hosts[0]._engine
    assert tell(engine, func.count(events.c.id)) == [(600,)]
    counted = sorted(tell(engine, days.c.channel, days.c.intent, days.c.answers), key=str)
    assert counted == [("sms", "urgent", 200), ("sms", "uses", 200), ("voice", "uses", 200)]
    assert dict(tell(engine, countries.c.country, countries.c.answers)) == {"KE": 200, "MX": 200, "": 200}  # type: ignore[arg-type]
    for events_ in hosts:
        events_._engine.dispose()


def fold_until_done(events_: Events) -> None:
    """As the line does: whatever breaks in one round, the next tries again."""
    for _ in range(50):
        try:
            events_.fold()
            return
        except Exception as fault:
            assert "lock" in str(fault)  # locked, or a deadlock


def test_exclusive_statements_give_up_by_themselves_on_postgresql(postgres: Callable[[], str]) -> None:
    engine = open_exclusive(postgres(), 0.05)
    with pytest.raises(Exception, match="statement timeout"), engine.begin() as connection:
        connection.execute(text("SELECT pg_sleep(10)"))
    engine.dispose()
