"""A copy of a SQLite database made while the line answers, and brought back only if it is sound."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from ivr.database import StoreError, migrate

# What waited to be sent may have been sent since: nothing of it goes out from a copy, and no copy holds a number.
_END_WHAT_WAITS = """UPDATE outbox SET sealed = NULL, why = 'a copy',
    state = CASE state WHEN 'queued' THEN 'expired' WHEN 'sending' THEN 'unknown' ELSE state END
    WHERE sealed IS NOT NULL"""


def backup(database: Path, copy: Path) -> None:
    """Write all of `database` to `copy`, in one file that only its owner reads; an older copy stays until then.

    Raises StoreError where the database is not sound, OSError where the copy cannot be written.
    """
    with _beside(copy) as part:
        _copy(database, part)
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute(_END_WHAT_WAITS)
            connection.execute("VACUUM")
        part.replace(copy)


def restore(copy: Path, database: Path) -> None:
    """Put a copy in the place of `database`, which the line may be using, and bring its tables up to date.

    Raises StoreError where the copy is not sound; then nothing has changed. A database that is itself not sound is
    kept beside the new one as `….damaged`.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with _beside(database) as part:
        _copy(copy, part)
        migrate(URL.create("sqlite", database=str(part)))
        if not database.exists() or _fault(database) is None:
            _copy(part, database)
        else:
            database.replace(f"{database}.damaged")
            for rest in ("-wal", "-shm"):
                Path(f"{database}{rest}").unlink(missing_ok=True)
            part.replace(database)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """An empty file of ours in the same folder, gone afterwards."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    fault = _fault(source)
    if fault:
        raise StoreError(f"{source} is not a sound copy of the line's database: {fault}; nothing was changed")
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target, timeout=60)) as written:
        read.backup(written)


def _fault(path: Path) -> str | None:
    """What is wrong with a database of the line, if anything."""
    if not path.is_file():
        return "there is no such file"
    try:
        with closing(sqlite3.connect(path)) as connection:
            for table in ("alembic_version", "callers", "outbox", "events"):
                connection.execute(f"SELECT * FROM {table} LIMIT 1")  # noqa: S608
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except (sqlite3.DatabaseError, UnicodeError) as error:  # the latter where even the names of tables are spoiled
        return str(error)
    return None if found == "ok" else str(found)
