"""What operators see: logs without people in them, metrics, readiness with reasons, and what a browser is told."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import prometheus_client  # noqa: F401  before any app, so that counts of this process stay in memory
import pytest
from flask import Flask

from ivr import logs
from ivr.app import create_app
from ivr.catalogue import Catalogue
from ivr.events import Event
from ivr.line import the_line
from ivr.settings import Settings

from .conftest import BASE_URL, ENVIRONMENT, TOKEN, phone
from .test_door import CALL, SMS, send

NUMBER, WORDS, METRICS = "+254700077123", "quetzalcoatl took my 77123 tablets", "a-token-of-prometheus"
FIELDS = {"event", "level", "timestamp", "channel", "language", "intent", "country", "layer", "segments", "ms"}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logs.configure(stream)
    level = logging.getLogger().level
    yield stream
    logging.getLogger().removeHandler(handler)
    logging.getLogger().setLevel(level)
    logs.silent()


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# --- Logs --------------------------------------------------------------------------------------------------


def test_each_answer_is_one_line_of_json(app: Flask, logged: io.StringIO) -> None:
    phone(app, NUMBER, "KE").text("side effects")
    phone(app, NUMBER, "KE").call().press("0")
    text, call, key = lines(logged)
    assert set(text) == set(call) == set(key) == FIELDS
    assert (text["channel"], text["intent"], text["country"], text["layer"]) == ("sms", "side_effects", "KE", "topic")
    assert (key["channel"], key["intent"], key["language"]) == ("voice", "urgent", "en")
    assert text["segments"] >= 1
    assert text["ms"] > 0


def test_a_text_that_a_limit_kept_from_an_answer_shows_which(app: Flask, logged: io.StringIO) -> None:
    for n in range(40):
        phone(app, NUMBER).text(f"question {n}")
    layers = [line["layer"] for line in lines(logged)]
    assert (layers.count("slow_down"), layers.count("silence")) == (3, 7)


def broken(*_: object) -> None:
    words = WORDS
    try:
        int(words)  # tells the text in its message
    except ValueError as fault:
        raise RuntimeError(f"{NUMBER} {words} {TOKEN}") from fault


CRASHES = ["ivr.sms.answer", "ivr.sms.render", "ivr.voice.answer", "ivr.voice.render", "ivr.sms.message"]


def test_neither_number_nor_text_nor_token_is_logged_on_any_path_or_crash(
    make_app: Callable[..., Flask], logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = make_app(IVR_CALLBACK="1", IVR_OUTBOUND_COUNTRIES="KE")
    form, call = SMS | {"Body": WORDS, "From": NUMBER}, CALL | {"From": NUMBER, "SpeechResult": WORDS}
    for n in range(8):
        send(app, form | {"MessageSid": f"SM{n:032x}"})
    send(app, form | {"Body": "8"})
    send(app, form, token="another")
    send(app, form | {"MessageSid": WORDS})
    send(app, form, raw=f"Body={WORDS}&%zz")
    for path in ("/voice", "/voice/en/KE/menu/0", f"/voice/{NUMBER}", "/status"):
        send(app, call, path)
    for name in CRASHES:
        with monkeypatch.context() as crash:
            crash.setattr(name, broken)
            assert send(app, form | {"MessageSid": "SM" + "9" * 32}).status_code == 200
            assert send(app, call, "/voice/en/KE/menu/0").status_code == 200
    the_line(app).store.close()
    for folder in (tmp_path / "journal", tmp_path):  # the database is gone, and the journal too
        for file in folder.glob("*.*"):
            file.unlink()
    send(app, form | {"MessageSid": f"SM{99:032x}"})
    told = logged.getvalue()
    assert told.count(" broke on ") == len(CRASHES)
    for secret in (NUMBER, NUMBER[1:], NUMBER[-6:], "quetzalcoatl", "77123", TOKEN, ENVIRONMENT["IVR_SECRET_KEY"]):
        assert secret not in told


def test_a_fault_tells_where_and_not_what(logged: io.StringIO) -> None:
    try:
        broken()
    except RuntimeError as fault:
        logging.getLogger("any").error("broke for %s and %s", NUMBER, "0700 077 123", exc_info=fault)
    (line,) = lines(logged)
    assert line["event"] == "broke for +… and …"
    assert [fault["type"] for fault in line["faults"]] == ["RuntimeError", "ValueError"]
    assert line["faults"][1]["at"][-1].endswith(" broken")


def test_a_log_that_cannot_be_written_holds_up_no_answer(app: Flask, logged: io.StringIO) -> None:
    logged.close()
    assert phone(app, NUMBER).text("uses")


# --- Metrics -----------------------------------------------------------------------------------------------

SERVER = """
import sys
from pathlib import Path
from ivr.events import Event
from ivr.metrics import Metrics
metrics = Metrics(Path(sys.argv[1]), lambda: {"queued": 2, "sent": 40})
for _ in range(int(sys.argv[2])):
    metrics.answered(Event("sms", "en", "urgent", "KE", "topic"), 0.002)
print(metrics.page().decode())
"""


def server(folder: Path, answers: int) -> str:
    """Another process, with the same parent as all others here."""
    command = [sys.executable, "-c", SERVER, str(folder), str(answers)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_all_processes_of_a_server_are_counted_together(tmp_path: Path) -> None:
    one, both = server(tmp_path, 3), server(tmp_path, 4)
    answers = 'ivr_answers_total{channel="sms",intent="urgent",language="en",layer="topic"}'
    assert f"{answers} 3.0" in one
    assert f"{answers} 7.0" in both
    assert 'ivr_answer_seconds_bucket{channel="sms",le="0.003"} 7.0' in both
    assert 'ivr_outbox{state="sent"} 40.0' in both
    assert "KE" not in both


def test_counts_of_servers_that_are_gone_are_deleted(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / str(ended.pid)).mkdir()
    (tmp_path / "1").mkdir()
    server(tmp_path, 1)
    assert {folder.name for folder in tmp_path.iterdir()} == {"1", str(os.getpid())}


def test_metrics_are_closed_without_a_token(app: Flask) -> None:
    assert app.test_client().get("/metrics").status_code == 404


@pytest.fixture
def metered(make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    return make_app(IVR_METRICS_TOKEN=METRICS)


@pytest.mark.parametrize("given", ["", METRICS, "Basic abc", "Bearer ", f"Bearer {METRICS}x", f"Bearer {METRICS} ñ"])
def test_metrics_are_closed_to_who_does_not_know_the_token(metered: Flask, given: str) -> None:
    refused = metered.test_client().get("/metrics", headers={"Authorization": given})
    assert refused.status_code == 401
    assert b"ivr_" not in refused.data


def test_metrics_are_open_to_prometheus_and_tell_the_outbox(metered: Flask) -> None:
    phone(metered, NUMBER).text("uses")
    page = metered.test_client().get("/metrics", headers={"Authorization": f"Bearer {METRICS}"})
    assert page.status_code == 200
    assert page.mimetype == "text/plain"
    assert "ivr_outbox" in page.text
    assert NUMBER not in page.text


def test_metrics_that_cannot_be_kept_do_not_stop_the_start(
    make_app: Callable[..., Flask], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "file" / "metrics"))
    assert phone(make_app(IVR_METRICS_TOKEN=METRICS)).text("uses")
    assert "there are no metrics" in caplog.text


# --- Readiness ---------------------------------------------------------------------------------------------


def test_ready_tells_every_part(app: Flask) -> None:
    told = app.test_client().get("/readyz")
    assert (told.status_code, told.text) == (200, "catalogue: ready\ndatabase: ready\njournal: ready\n")


def test_a_journal_that_cannot_be_written_is_named(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    told = app.test_client().get("/readyz")
    assert (told.status_code, told.text) == (503, "catalogue: ready\ndatabase: ready\njournal: NOT READY\n")
    assert app.test_client().get("/livez").status_code == 200


def test_a_database_that_does_not_answer_is_named_and_texts_are_answered_all_the_same(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    (tmp_path / "line.db").mkdir()
    app = create_app(Settings.from_env(ENVIRONMENT | {"DATABASE_URL": f"sqlite:///{tmp_path}/line.db"}), catalogue)
    told = app.test_client().get("/readyz")
    assert (told.status_code, told.text) == (503, "catalogue: ready\ndatabase: NOT READY\njournal: ready\n")
    assert phone(app).text("0")


# --- Headers -----------------------------------------------------------------------------------------------


def test_webhooks_are_kept_by_nobody(app: Flask) -> None:
    for answer in (
        send(app, SMS),
        send(app, CALL, "/voice"),
        send(app, SMS, token="another"),
        send(app, SMS, "/status"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"


def test_pages_and_recordings_tell_the_browser_to_be_careful(tmp_path: Path, catalogue: Catalogue) -> None:
    settings = Settings.for_demo(BASE_URL, {"DATABASE_URL": f"sqlite:///{tmp_path}/line.db"})
    client = create_app(settings, catalogue).test_client()
    for path in ("/", "/static/phone.js", "/audio/en/000000000000.mp3", "/nowhere", "/sms"):
        answer = client.get(path, base_url=BASE_URL)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
        assert "script-src" not in answer.headers["Content-Security-Policy"]  # default-src: our own files only
        answer.close()


def test_an_event_holds_nothing_but_what_may_be_logged() -> None:
    assert {*Event._fields, "ms"} | {"event", "level", "timestamp"} == FIELDS
