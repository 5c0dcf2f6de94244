"""A known number and known words go through a real server and through faults: no byte of them is kept anywhere."""

from __future__ import annotations

import base64
import logging
import os
import shlex
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from flask import Flask
from urllib3.util import Retry

from ivr.commands import cli
from ivr.phone import Phone, over_http, sign
from ivr.pseudonyms import Pseudonyms
from ivr.settings import HOME

from .conftest import ACCOUNT, ENVIRONMENT, TOKEN, phone
from .test_door import SMS, send
from .test_outbox import NUMBER

WORDS = "quetzalcoatl swallowed 77123 tablets of grandmother Xochitl"
CANARIES = [NUMBER[1:], NUMBER[4:], "quetzalcoatl", "77123", "Xochitl"]


def written(secret: str) -> Iterator[bytes]:
    """The ways in which a text is usually found in a file."""
    yield from (secret.encode(), secret[::-1].encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be"))
    yield from (base64.b64encode(secret.encode())[:-4], secret.encode().hex().encode())


def found(*contents: bytes) -> list[str]:
    return [secret for secret in CANARIES for way in written(secret) for content in contents if way in content]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The web process of the Procfile, in a folder of its own; what it says goes to files there. Gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    web = (HOME / "Procfile").read_text("utf-8").splitlines()[0].removeprefix("web: ")
    words = web.replace("$PORT", str(port)).replace("${WEB_CONCURRENCY:-2}", "1").replace("0.0.0.0", "127.0.0.1")
    program, *arguments = shlex.split(words)
    environment = os.environ | ENVIRONMENT | {
        "IVR_BASE_URL": url, "DATABASE_URL": f"sqlite:///{tmp_path}/db/line.db", "PYTHONPATH": str(HOME),
        "IVR_OUTBOUND_COUNTRIES": "KE",
    }  # fmt: skip
    command = [str(Path(sys.executable).parent / program), "--access-log", *arguments]
    with (tmp_path / "stdout").open("wb") as out, (tmp_path / "stderr").open("wb") as err:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=err)
        with requests.Session() as session:
            patient = requests.adapters.HTTPAdapter(max_retries=Retry(12, backoff_factor=0.1, backoff_max=8))
            session.mount("http://", patient)
            assert session.get(f"{url}/livez").ok, (tmp_path / "stderr").read_text()
        yield url
        process.terminate()
        process.wait()


def test_no_byte_of_a_person_is_kept_by_a_server(server: str, tmp_path: Path) -> None:
    handset = Phone(over_http(), server, TOKEN, account=ACCOUNT, number=NUMBER, country="KE")
    for words in (WORDS, "ESPAÑOL", f"COUNTRY MEXICO {WORDS}", "STOP", f"START {WORDS}", "START", "", "0"):
        handset.text(words)
    call = handset.call()
    for key in "1187":
        call.press(key)  # a language, a topic, and its text: the number now waits in the outbox, encrypted
    file = tmp_path / "db" / "line.db"
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM outbox WHERE sealed IS NOT NULL").fetchone() == (1,)
    connection.close()
    form = SMS | {"From": NUMBER, "Body": WORDS}
    for headers in ({}, {"X-Twilio-Signature": "x"}, {"X-Twilio-Signature": sign(TOKEN, f"{server}/sms", form)}):
        for path in ("/sms", f"/{NUMBER}", f"/voice/{NUMBER}/ZZ/menu/0", "/status"):
            requests.post(f"{server}{path}", {**form, "MessageSid": NUMBER}, headers=headers, timeout=15)
    locked = sqlite3.connect(file)
    locked.execute("BEGIN EXCLUSIVE")
    handset.text(WORDS)
    handset.call().press("1")
    locked.close()
    copy = tmp_path / "copy.db"
    result = CliRunner().invoke(cli, ["backup", str(copy)], env=ENVIRONMENT | {"DATABASE_URL": f"sqlite:///{file}"})
    assert result.exit_code == 0, result.output
    kept = everything(tmp_path)
    assert {"stdout", "stderr", "copy.db", "db/line.db", "db/line.db-wal"} <= set(kept)
    assert any(name.startswith("db/journal/") for name in kept)
    hashed = Pseudonyms(ENVIRONMENT["IVR_SECRET_KEY"]).passing(NUMBER, time.time())[0].encode()
    assert hashed in kept["db/line.db"] + kept["db/line.db-wal"]  # so these are the bytes to look at
    assert hashed in kept["copy.db"]
    logs = kept.pop("stdout") + kept.pop("stderr")
    assert b"POST" in logs
    assert found(logs.replace(f"/{NUMBER}".encode(), b"")) == []  # a path is what somebody asked for, not a person
    assert found(*kept.values()) == []


@pytest.mark.parametrize("part", ["ivr.sms.answer", "ivr.sms.render", "ivr.voice.answer", "ivr.line.Line.country_of"])
def test_a_fault_that_quotes_a_person_is_logged_without_them(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    def quotes(*given: object, **named: object) -> None:
        raise ValueError(f"{NUMBER} said {WORDS}: {given} {named}")

    app = make_app()
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(part, quotes)
    send(app, SMS | {"From": NUMBER, "Body": WORDS})
    if part != "ivr.sms.render":
        phone(app, NUMBER).call()
    assert "ValueError broke on" in caplog.text
    assert "in quotes" in caplog.text  # where it happened is told
    assert found(caplog.text.encode()) == []
