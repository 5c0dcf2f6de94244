"""What is kept no longer: all that is old enough, or all of one person who wishes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Delete, Update
from sqlalchemy.engine import Engine

from ivr.database import is_file
from ivr.pseudonyms import PERIOD, PERIODS, Pseudonyms
from ivr.tables import callers, countries, days, events, outbox

CALLERS = timedelta(seconds=2 * PERIOD)  # after that no key is in use by which a row could be found
KEYS = timedelta(days=30)  # how long a repeated delivery can be known as such
EVENTS = timedelta(days=396)  # thirteen months
HOUR, DAY = "%Y-%m-%dT%H", "%Y-%m-%d"


def purge(engine: Engine, now: datetime) -> dict[str, int]:
    """Delete by age what callers and answers left, and tell how many rows each; for the outbox see its `clean`.

    Raises SQLAlchemyError. `now` is an aware time.
    """
    seen, answered, known = ((now - age).astimezone(UTC) for age in (CALLERS, EVENTS, KEYS))
    statements: dict[str, Delete | Update] = {
        "callers": callers.delete().where(callers.c.seen_at < seen.replace(tzinfo=None), ~callers.c.opted_out),
        "keys of callers": callers.update()
        .where(callers.c.answered.is_not(None), callers.c.seen_at < known.replace(tzinfo=None))
        .values(answered=None, seen_at=callers.c.seen_at),
        "events": events.delete().where(events.c.hour < answered.strftime(HOUR)),
        "keys of events": events.update()
        .where(events.c.key.is_not(None), events.c.hour < known.strftime(HOUR))
        .values(key=None),
        "days": days.delete().where(days.c.day < answered.strftime(DAY)),
        "countries": countries.delete().where(countries.c.day < answered.strftime(DAY)),
    }
    with engine.begin() as connection:
        return _counted(connection, statements)


def forget(engine: Engine, secret: str, number: str, now: float) -> dict[str, int]:
    """Delete every row that is of this number (E.164), its opt-out too, and tell how many; answers are of nobody.

    Raises SQLAlchemyError. `now`: seconds of 1970.
    """
    names = Pseudonyms(secret)
    known = (*names.passing(number, now, PERIODS), names.lasting(number))
    statements: dict[str, Delete | Update] = {
        "callers": callers.delete().where(callers.c.caller.in_(known)),
        "outbox": outbox.delete().where(outbox.c.person.in_(known)),
    }
    with engine.begin() as connection:
        return _counted(connection, statements)


def empty_log(engine: Engine, patience: float) -> None:
    """Bring the write-ahead log of a SQLite file into it: what was deleted is overwritten there, too.

    `patience`: seconds that who reads just now is waited for.
    """
    if is_file(engine.url):
        with closing(sqlite3.connect(str(engine.url.database), timeout=patience)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _counted(connection: Connection, statements: dict[str, Delete | Update]) -> dict[str, int]:
    return {name: connection.execute(statement).rowcount for name, statement in statements.items()}
