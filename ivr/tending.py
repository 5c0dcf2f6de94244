"""The commands that tend what is kept: its tables, its report, its end, its copies."""

from __future__ import annotations

import csv
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ivr import backup as copies
from ivr import report as reports
from ivr import retention
from ivr.database import HEAD, StoreError, address, behind, is_file, make_folder, migrate, open_exclusive, prepare
from ivr.outbox import Outbox, Rules
from ivr.settings import Settings

LONG = 60.0  # seconds for a lock or a statement: nobody is on the phone
FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


def _settings() -> Settings:
    return Settings.for_demo("http://127.0.0.1", {**os.environ, "IVR_BASE_URL": ""})


@contextmanager
def _ready(url: str) -> Iterator[Engine]:
    """The database with its tables. Raises StoreError where it cannot be had, and tells what to do."""
    engine = open_exclusive(url, LONG)
    try:
        make_folder(engine.url)
        prepare(engine)
        if behind(engine):
            raise StoreError(f"the tables of the database are not yet at {HEAD}: ivr db upgrade")
        yield engine
    except SQLAlchemyError as fault:
        raise StoreError(f"the database does not answer: {getattr(fault, 'orig', fault)}") from fault
    finally:
        engine.dispose()


def _file(settings: Settings) -> Path:
    where = address(settings.database_url)
    if not is_file(where):
        raise StoreError("this is for SQLite files; for PostgreSQL the README shows pg_dump and pg_restore")
    return Path(str(where.database))


def _told(counted: dict[str, int]) -> None:
    for name, count in counted.items():
        click.echo(f"{count:8} {name}")


@click.group()
def db() -> None:
    """The tables of the database: upgrade, downgrade."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables up to date; the release command of a platform. Nothing happens where they are."""
    _migrated("head")


@db.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Take the tables back to REVISION, such as 0001: what came later is lost. Make a copy first."""
    _migrated(revision, down=True)


def _migrated(to: str, *, down: bool = False) -> None:
    where = address(_settings().database_url)
    make_folder(where)
    try:
        migrate(where, to, down=down)
    except SQLAlchemyError as fault:
        raise StoreError(f"the tables stay as they are: {getattr(fault, 'orig', fault)}") from fault
    click.echo(f"the tables are at {HEAD if to == 'head' else to}")


@click.command()
@click.option("--days", "most", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How far back.")
@click.option("--csv", "as_csv", is_flag=True, help="Rows of question, value, answers; empty where few are hidden.")
def report(most: int, as_csv: bool) -> None:
    """Tell what people asked for: by day, channel, language, topic and country; what was urgent, and not understood."""
    since = (datetime.now(UTC) - timedelta(days=most - 1)).strftime("%Y-%m-%d")
    with _ready(_settings().database_url) as engine:
        found = {question: reports.shown(reports.ask(engine, question, since)) for question in reports.QUESTIONS}
    if as_csv:
        rows = csv.writer(sys.stdout)
        rows.writerow(("question", "value", "answers"))
        rows.writerows(
            (question, value, count) for question, counted in found.items() for value, count in counted.items()
        )
        return
    for question, counted in found.items():
        click.echo(f"{question}, since {since}" + ("" if counted else ": none"))
        for value, count in counted.items():
            click.echo(f"  {value or 'not known':12}{'-' if count is None else count:>10}")
        click.echo()
    click.echo(f"-: fewer than {reports.FEW}, or hidden with those. Answers are counted, not people.")


@click.command()
def purge() -> None:
    """Delete what is old enough, as the README says, and tell how many rows; the line does so each day by itself."""
    settings = _settings()
    rows = Outbox(settings.database_url, settings.secret_key, Rules(), patience=LONG)
    with _ready(settings.database_url) as engine, closing(rows):
        ended = {f"outbox {name}": count for name, count in rows.clean(time.time()).items()}
        _told(retention.purge(engine, datetime.now(UTC)) | ended)
        retention.empty_log(engine, LONG)


@click.command()
@click.argument("number")
def forget(number: str) -> None:
    """Delete all that is kept of the person with this NUMBER, such as +15005550006, and tell how many rows."""
    digits = re.sub(r"[\s().-]", "", number)
    if not re.fullmatch(r"\+[1-9]\d{6,14}", digits, re.ASCII):
        raise click.BadParameter("a whole number is needed, such as +15005550006")
    settings = _settings()
    if not os.environ.get("IVR_SECRET_KEY"):
        click.echo("IVR_SECRET_KEY is not set: this looks with the key of a demo", err=True)
    with _ready(settings.database_url) as engine:
        _told(retention.forget(engine, settings.secret_key, digits, time.time()))
        retention.empty_log(engine, LONG)


@click.command()
@FILE
def backup(file: Path) -> None:
    """Copy a SQLite database to FILE while the line answers."""
    copies.backup(_file(_settings()), file)
    click.echo(f"wrote {file}")


@click.command()
@FILE
def restore(file: Path) -> None:
    """Put the copy FILE in the place of the SQLite database; one that is not sound is refused."""
    copies.restore(file, _file(_settings()))
    click.echo(f"the database is as it was in {file}")


COMMANDS: tuple[click.Command, ...] = (db, report, purge, forget, backup, restore)
