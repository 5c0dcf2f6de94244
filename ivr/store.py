"""What is remembered of a caller: language, country, place. Numbers only as keyed hashes; never in the way."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection, OperationalError
from typing import TypeVar

from sqlalchemy import Boolean, Column, DateTime, MetaData, String, Table, bindparam, create_engine, func, select, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError

log = logging.getLogger(__name__)

DEADLINE = 0.3  # seconds that an answer waits for memory at the most; Twilio's own limit is 15
REST = 5.0  # seconds that memory is left alone after a fault

callers = Table(
    "callers",
    MetaData(),
    Column("caller", String(64), primary_key=True),  # HMAC-SHA256 of the number
    Column("language", String(16)),
    Column("country", String(2)),
    Column("place", String(32), nullable=False, server_default="menu"),
    Column("place_before", String(32), nullable=False, server_default="menu"),
    Column("answered", String(64)),  # HMAC of the last message's SID
    Column("opted_out", Boolean, nullable=False, server_default="0"),
    Column("seen_at", DateTime, nullable=False, server_default=func.now(), onupdate=func.now()),
)

# Made once, since making a statement costs more than running it.
_RECALL = select(callers).where(callers.c.caller == bindparam("who"))
_REMEMBER = callers.update().where(callers.c.caller == bindparam("who"))

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Caller:
    """What is remembered. `place` is where the last answer left the person, or, for a repeated
    delivery of the same message, where the person was before it: so a retried MORE gives the same page."""

    language: str | None = None
    country: str | None = None
    place: str = "menu"
    opted_out: bool = False


class StoreError(Exception):
    """DATABASE_URL cannot be used at all; the message says why."""


class Store:
    """Memory with a deadline: where the database is slow, locked or gone, nothing is remembered and all is answered."""

    def __init__(self, url: str, secret: str) -> None:
        self._secret = secret.encode()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="memory")
        self._resting_until = 0.0
        self._engine = open_engine(url, DEADLINE)
        self._keeps_time = _is_file(self._engine.url)  # it waits for a lock no longer than it is told
        if self._keeps_time:
            listen(self._engine, "connect", _hurried)
        self._made = False
        self._within_deadline(self._make, None, deadline=5.0)

    def close(self) -> None:
        self._pool.shutdown()
        self._engine.dispose()

    def reachable(self) -> bool:
        """Whether the database answers within the deadline; not while it rests after a fault."""
        return self._within_deadline(self._ping, False)

    def _ping(self) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(text("SELECT 1")).scalar() == 1

    def recall(self, number: str, sid: str) -> Caller:
        """What is known of this number; nothing of an empty one."""
        if not number:
            return Caller()
        return self._within_deadline(lambda: self._recall(number, sid), Caller())

    def remember(self, number: str, sid: str, before: Caller, now: Caller) -> None:
        """Keep what a message changed, if anything; `before` is what a repeated delivery of it shall meet again."""
        if number and now != before:
            self._within_deadline(lambda: self._remember(number, sid, before, now), None)

    def _hash(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256).hex()

    def _make(self) -> None:
        """Make the table where there is none: at the start, and again after a fault, when all may be gone."""
        if not self._made:
            _make_folder(self._engine.url)
            callers.metadata.create_all(self._engine)
            self._made = True

    def _recall(self, number: str, sid: str) -> Caller:
        self._make()
        with self._engine.connect() as connection:
            row = connection.execute(_RECALL, {"who": self._hash(number)}).first()
        if row is None:
            return Caller()
        place = row.place_before if row.answered == self._hash(sid) else row.place
        return Caller(row.language, row.country, place, row.opted_out)

    def _remember(self, number: str, sid: str, before: Caller, now: Caller) -> None:
        row = {
            "language": now.language,
            "country": now.country,
            "place": now.place,
            "place_before": before.place,
            "answered": self._hash(sid),
            "opted_out": now.opted_out,
        }
        caller = self._hash(number)
        self._make()
        with self._engine.begin() as connection:
            if connection.execute(_REMEMBER, row | {"who": caller}).rowcount:
                return
        with suppress(IntegrityError), self._engine.begin() as connection:  # two first texts at once: one is enough
            connection.execute(callers.insert().values(row | {"caller": caller}))

    def _within_deadline(self, work: Callable[[], Result], otherwise: Result, deadline: float = DEADLINE) -> Result:
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            return work() if self._keeps_time else self._pool.submit(work).result(timeout=deadline)
        except Exception as fault:  # whatever breaks in a database, the answer goes out
            self._resting_until = time.monotonic() + REST
            self._made = False
            log.warning("the database did not answer (%s); going on without memory", type(fault).__name__)
            return otherwise


def _make_folder(url: URL) -> None:
    if _is_file(url):
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")


def open_engine(url: str, patience: float = 5.0) -> Engine:
    """The database of this address, not yet connected. Raises StoreError where there can be none.

    `patience`: seconds that a SQLite file is waited for, where another writes.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"DATABASE_URL is not a database address: {url.partition(':')[0]}:…") from error
    try:
        if not _is_file(address):
            return create_engine(address, pool_pre_ping=True)
        waits = {"timeout": patience}
        engine = create_engine(address, pool_pre_ping=True, pool_timeout=patience, connect_args=waits)
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(f"DATABASE_URL names a database without a driver here: {error}") from error
    listen(engine, "connect", _write_ahead)
    return engine


def _hurried(connection: Connection, _record: object) -> None:
    """Memory may lose its last seconds in a power cut, and never waits for the disk; what is counted may not."""
    connection.execute("PRAGMA synchronous=NORMAL")


def _write_ahead(connection: Connection, _record: object) -> None:
    """Who reads and who writes do not wait for each other; a file that cannot be changed is read as it is."""
    with suppress(OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")
