"""The database, SQLite or PostgreSQL: how it is opened, and how its tables come to be and change."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

HEAD = "0002"  # the last of ivr/migrations/versions
CONNECT = 3  # seconds for a PostgreSQL to take a connection
LOCK = 7211  # any number, if everybody's the same
_migrating = threading.Lock()  # Alembic's own state is one for a whole process


class StoreError(Exception):
    """DATABASE_URL cannot be used at all; the message says why."""


def address(url: str) -> URL:
    """Where the database is; PostgreSQL by its usual two names. Raises StoreError, which keeps the password."""
    try:
        read = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"DATABASE_URL is not a database address: {url.partition(':')[0]}:…") from error
    return read.set(drivername="postgresql+psycopg") if read.drivername in ("postgres", "postgresql") else read


def open_engine(url: str, patience: float = 5.0) -> Engine:
    """The database of this address, not yet connected. Raises StoreError where there can be none.

    `patience`: seconds that a SQLite file is waited for, where another writes.
    """
    engine = _created(address(url), patience)
    if is_file(engine.url):
        listen(engine, "connect", _write_ahead)
    return engine


def open_exclusive(url: str | URL, patience: float) -> Engine:
    """The same for those who look and then change: each transaction on SQLite is alone from its beginning, see `alone`.

    `patience`: seconds that a lock is waited for; on PostgreSQL a statement, too.
    """
    engine = _created(address(url) if isinstance(url, str) else url, patience, limited=True)
    if engine.dialect.name == "sqlite":
        listen(engine, "connect", _transactions_are_ours)
        listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _created(where: URL, patience: float, *, limited: bool = False) -> Engine:
    arguments: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True}
    if where.get_backend_name() == "sqlite":
        arguments["connect_args"] = {"timeout": patience}
        if is_file(where):
            arguments["pool_timeout"] = patience
    elif where.get_backend_name() == "postgresql":
        waits = f"-c lock_timeout={int(patience * 1000)} -c statement_timeout={int(patience * 1000)}"
        arguments["connect_args"] = {"connect_timeout": CONNECT} | ({"options": waits} if limited else {})
    try:
        return create_engine(where, **arguments)
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(f"DATABASE_URL names a database without a driver here: {error}") from error


def is_file(where: URL) -> bool:
    return where.get_backend_name() == "sqlite" and where.database not in (None, "", ":memory:")


def make_folder(where: URL) -> None:
    if is_file(where):
        Path(str(where.database)).parent.mkdir(parents=True, exist_ok=True)


def alone(connection: Connection) -> None:
    """Look and then change as one step among all processes. On SQLite BEGIN IMMEDIATE has done that."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _transactions_are_ours(connection: Any, _record: Any) -> None:
    """Transactions begin where we say (SQLAlchemy's own recipe), and what is deleted is overwritten."""
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = ON")


def _write_ahead(connection: Any, _record: Any) -> None:
    """Who reads and who writes do not wait for each other; a file that cannot be changed is read as it is.

    What is deleted is overwritten."""
    connection.execute("PRAGMA secure_delete = ON")
    with suppress(OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")


# --- Migrations --------------------------------------------------------------------------------------------


def prepare(engine: Engine, patience: float = 5.0) -> None:
    """Bring a SQLite file up to date: a laptop has nobody who would. PostgreSQL waits for `ivr db upgrade`."""
    if is_file(engine.url) and behind(engine):
        migrate(engine.url, patience=patience)


def behind(engine: Engine) -> bool:
    """Whether migrations have yet to run there. Tables of a later release will do: what it added, we do not read."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return True
        return (connection.scalar(text("SELECT version_num FROM alembic_version")) or "") < HEAD


def migrate(where: URL, to: str = "head", *, down: bool = False, patience: float = 600.0) -> None:
    """Run migrations, all in one transaction; another process that does the same is waited for.

    Raises StoreError where the tables are those of a later release, SQLAlchemyError where they cannot be changed.
    """
    from alembic import command  # late: nearly every start finds all up to date
    from alembic.config import Config
    from alembic.util import CommandError

    engine = open_exclusive(where, patience)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        with _migrating, engine.begin() as connection:
            alone(connection)
            config.attributes["connection"] = connection
            (command.downgrade if down else command.upgrade)(config, to)
    except CommandError as fault:
        raise StoreError(f"the tables of the database stay as they are: {fault}") from fault
    finally:
        engine.dispose()
