"""What is counted: each answer once, in a journal of this process before it goes out, in the database when that can.

A journal is a file of JSON lines that its process keeps locked. One that nobody keeps belongs to whoever comes by:
its events are inserted under their keys, each of which the database takes once, and then it is deleted. So whatever
is killed in between, the event of an answer is neither lost nor counted twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from ivr.database import prepare
from ivr.retention import HOUR, purge
from ivr.tables import countries, days, events

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between two rounds of folding: what a power cut can cost while the database does not answer
BATCH = 500  # events in one transaction: a few milliseconds in which memory waits
MOST_UNWRITTEN = 10_000  # events held in memory where no journal can be written
INSERT: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

FIELDS = {"key", "hour", "channel", "language", "intent", "country", "layer", "segments"}


class Event(NamedTuple):
    """One answer. `layer`: how it was understood; `segments`: of all its texts, 0 for what was spoken."""

    channel: str
    language: str
    intent: str
    country: str | None
    layer: str
    segments: int = 0


class Events:
    """Counts without ever holding up an answer. `folder`: where processes of this machine keep their journals."""

    def __init__(self, engine: Engine, secret: str, folder: Path) -> None:
        self._engine = engine
        self._secret = secret.encode()
        self._folder = folder
        self._writing = threading.Lock()
        self._folding = threading.Lock()
        self._journal: int | None = None
        self._unwritten: deque[str] = deque(maxlen=MOST_UNWRITTEN)
        self._worker: threading.Thread | None = None
        self._made = False
        self._purged: date | None = None
        if any(folder.glob("*.log")):  # of processes that died
            self._work_on()

    def record(self, event: Event, *identity: str) -> None:
        """Count one answer; the same `identity`, such as a message's SID, counts once."""
        key = hmac.digest(self._secret, "\0".join(("event", *identity)).encode(), hashlib.sha256).hex()[:32]
        line = json.dumps({"key": key, "hour": datetime.now(UTC).strftime(HOUR), **event._asdict()})
        with self._writing:
            try:
                self._append(line)
            except OSError as fault:
                if not self._unwritten:
                    log.error("events are held in memory, since the journal cannot be written: %s", fault.strerror)
                self._unwritten.append(line)
            self._work_on()

    def writable(self) -> bool:
        """Whether a journal could be written now: there is a folder, and room on the disk."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self._folder, buffering=0) as probe:
                probe.write(b"\n")
        except OSError:
            return False
        return True

    def fold(self) -> None:
        """Bring all journals that no other process keeps into the database. Raises SQLAlchemyError and OSError."""
        with self._folding:
            if self._journal is not None:
                os.fsync(self._journal)
            self._adopt()  # while that fails, our own journal grows on, so that journals do not become many
            with self._writing:
                if self._journal is not None:
                    os.close(self._journal)
                    self._journal = None
            self._adopt()
            self._insert_unwritten()
            self._purge()

    # The journal

    def _append(self, line: str) -> None:
        """One write. Each line opens with a line end, since the one before may have been cut short by a full disk."""
        if self._journal is None:
            self._journal = _new_journal(self._folder)
        written = f"\n{line}\n".encode()
        if os.write(self._journal, written) != len(written):
            raise OSError(0, "it was written in part only")

    def _adopt(self) -> None:
        for path in sorted(self._folder.glob("*.log")):
            journal = _locked(path)
            if journal is None:
                continue
            with os.fdopen(journal, encoding="utf-8", errors="replace") as lines:
                while batch := list(islice(lines, BATCH)):
                    self._insert(batch)
                path.unlink(missing_ok=True)

    # The folding

    def _work_on(self) -> None:
        """A thread folds for as long as there is something to fold."""
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="events", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        pause, failing = threading.Event(), False
        while True:
            pause.wait(PAUSE)
            try:
                self.fold()
                failing = False
            except Exception as fault:  # whatever breaks there, the next round tries again
                if not failing:
                    log.warning("events wait for the database (%s)", type(fault).__name__)
                failing, self._made = True, False
            with self._writing:
                if self._journal is None and not self._unwritten and not failing:
                    self._worker = None
                    return

    def _insert(self, lines: Iterable[str]) -> None:
        if rows := list(_rows(lines)):
            self._make()
            insert = INSERT[self._engine.dialect.name]
            once = insert(events).on_conflict_do_nothing(index_elements=["key"]).returning(events.c.key)
            with self._engine.begin() as connection:
                new = {row["key"]: row for row in rows}
                counted = [new[key] for key in connection.scalars(once, rows)]
                _add(
                    connection,
                    insert,
                    days,
                    ((e["hour"][:10], e["channel"], e["language"], e["intent"]) for e in counted),
                )
                _add(connection, insert, countries, ((e["hour"][:10], e["country"] or "") for e in counted))

    def _insert_unwritten(self) -> None:
        with self._writing:
            waiting = [*self._unwritten]
            self._unwritten.clear()
        try:
            self._insert(waiting)
        except Exception:
            with self._writing:
                self._unwritten.extendleft(reversed(waiting))
            raise

    def _purge(self) -> None:
        """Once a day: what is old enough goes, without anybody who would have to think of it."""
        now = datetime.now(UTC)
        if now.date() != self._purged:
            self._make()
            purge(self._engine, now)
            self._purged = now.date()

    def _make(self) -> None:
        if not self._made:
            prepare(self._engine)
            self._made = True


def _add(
    connection: Connection, insert: Callable[[Table], Any], table: Table, found: Iterable[tuple[str, ...]]
) -> None:
    """Count what was found into the sums of `table`, whose key it is."""
    names = [column.name for column in table.primary_key]
    counted = sorted(Counter(found).items())  # processes that meet at a row meet in one order
    rows = [dict(zip(names, key, strict=True)) | {"answers": answers} for key, answers in counted]
    if rows:
        statement = insert(table)
        sums = {"answers": table.c.answers + statement.excluded.answers}
        connection.execute(statement.on_conflict_do_update(index_elements=names, set_=sums), rows)


def _new_journal(folder: Path) -> int:
    """A file of a name of its own, locked by us. Who adopts may have come before the lock, and deleted it: another."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / f"{os.getpid()}-{token_hex(8)}.log"
        journal = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(journal, fcntl.LOCK_EX)
        if os.fstat(journal).st_nlink:
            return journal
        os.close(journal)


def _locked(path: Path) -> int | None:
    """The journal, now kept by us; None where a living process keeps it, or another has just folded it."""
    try:
        journal = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(journal)
        return None
    return journal


def _rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What the lines hold. One that was cut short is held in memory instead, or its answer never went out."""
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.keys() == FIELDS:
            yield row
