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
from sqlite3 import Connection as SqliteConnection
from typing import Any, TypeVar

from sqlalchemy import bindparam, select, text
from sqlalchemy.event import listen
from sqlalchemy.exc import IntegrityError

from ivr.database import is_file, make_folder, open_engine, prepare
from ivr.pseudonyms import Pseudonyms
from ivr.tables import callers

log = logging.getLogger(__name__)

DEADLINE = 0.3  # seconds that an answer waits for memory at the most; Twilio's own limit is 15
REST = 5.0  # seconds that memory is left alone after a fault

# Made once, since making a statement costs more than running it.
_RECALL = select(callers).where(callers.c.caller.in_([bindparam(name) for name in ("now", "before", "always")]))
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


class Store:
    """Memory with a deadline: where the database is slow, locked or gone, nothing is remembered and all is answered."""

    def __init__(self, url: str, secret: str, clock: Callable[[], float] = time.time) -> None:
        """`clock`: seconds of 1970, by which the keys of hashes change."""
        self._secret = secret.encode()
        self._names = Pseudonyms(secret)
        self._clock = clock
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="memory")
        self._resting_until = 0.0
        self._engine = open_engine(url, DEADLINE)
        if is_file(self._engine.url):
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
        """Make the tables where we may: at the start, and again after a fault, when all may be gone."""
        if not self._made:
            make_folder(self._engine.url)
            prepare(self._engine, DEADLINE)
            self._made = True

    def _recall(self, number: str, sid: str) -> Caller:
        self._make()
        now, before = self._names.passing(number, self._clock())
        always = self._names.lasting(number)
        with self._engine.connect() as connection:
            found = connection.execute(_RECALL, {"now": now, "before": before, "always": always})
            rows = {row.caller: row for row in found}
        row = rows.get(now) or rows.get(before) or rows.get(always)
        if row is None:
            return Caller()
        if row.caller == before:
            with suppress(IntegrityError), self._engine.begin() as connection:  # another did it just now
                connection.execute(_REMEMBER, {"who": before, "caller": now})
        place = row.place_before if row.answered == self._hash(sid) else row.place
        return Caller(row.language, row.country, place, always in rows and rows[always].opted_out)

    def _remember(self, number: str, sid: str, before: Caller, now: Caller) -> None:
        row = {
            "language": now.language,
            "country": now.country,
            "place": now.place,
            "place_before": before.place,
            "answered": self._hash(sid),
        }
        self._make()
        self._write(self._names.passing(number, self._clock()), row)
        if now.opted_out != before.opted_out:
            self._opt(self._names.lasting(number), out=now.opted_out)

    def _write(self, names: tuple[str, ...], row: dict[str, Any]) -> None:
        """Write a row under the first of its names, whichever of them it has had."""
        with self._engine.begin() as connection:
            if any(connection.execute(_REMEMBER, row | {"who": name, "caller": names[0]}).rowcount for name in names):
                return
        with suppress(IntegrityError), self._engine.begin() as connection:  # two first texts at once: one is enough
            connection.execute(callers.insert().values(row | {"caller": names[0]}))

    def _opt(self, name: str, *, out: bool) -> None:
        """An opt-out is a row of its own that never changes its name, and goes when the person comes back."""
        if out:
            self._write((name,), {"opted_out": True})
        else:
            with self._engine.begin() as connection:
                connection.execute(callers.delete().where(callers.c.caller == name))

    def _within_deadline(self, work: Callable[[], Result], otherwise: Result, deadline: float = DEADLINE) -> Result:
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            return self._pool.submit(work).result(timeout=deadline)
        except Exception as fault:  # whatever breaks in a database, the answer goes out
            self._resting_until = time.monotonic() + REST
            self._made = False
            log.warning("the database did not answer (%s); going on without memory", type(fault).__name__)
            return otherwise


def _hurried(connection: SqliteConnection, _record: object) -> None:
    """Memory may lose its last seconds in a power cut, and never waits for the disk; what is counted may not."""
    connection.execute("PRAGMA synchronous=NORMAL")
