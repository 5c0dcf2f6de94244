"""ivr doctor: a set-up that is well, and many that are not: each found, named, and mended by the doctor's own words."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import phonenumbers
import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import WSGIRequestHandler, make_server

from ivr.app import create_app
from ivr.carrier import Carrier
from ivr.catalogue import Catalogue
from ivr.commands import cli
from ivr.doctor import CHECKS, Finding, examine
from ivr.line import the_line
from ivr.outbox import Outbox, Rules
from ivr.recordings import human_names
from ivr.settings import HOME, Settings
from ivr.speech import sayable
from ivr.worker import sender

from .conftest import ACCOUNT, ENVIRONMENT
from .twilio_api import TwilioApi

NUMBER = "+15005550001"


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


class World:
    """A line served on loopback, the account that leads to it, and the environment that the doctor is given."""

    def __init__(self, folder: Path, catalogue: Catalogue, api: TwilioApi) -> None:
        self.folder, self.catalogue, self.api = folder, catalogue, api
        self.server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.store: ThreadingHTTPServer | None = None
        self.own = folder / "own"
        self.own.mkdir()
        self.env = ENVIRONMENT | {
            "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
            "TWILIO_API_URL": api.url,
            "IVR_BASE_URL": f"http://127.0.0.1:{self.server.server_port}",
            "IVR_SECRET_KEY": secrets.token_hex(32),
            "IVR_CONTENT": str(self.own),
            "DATABASE_URL": f"sqlite:///{folder}/line.db",
        }
        api.token = self.env["TWILIO_AUTH_TOKEN"]
        api.own(NUMBER)
        self.start()
        self.ivr("connect", NUMBER, "--yes")

    def start(self) -> None:
        """Start the line (again) with the environment as it is."""
        self.server.app = create_app(Settings.from_env(self.env), self.catalogue)

    def ivr(self, *words: str) -> Result:
        return CliRunner().invoke(cli, list(words), env={"AUDIO_BASE_URL": None} | self.env)

    def examined(self, *only: str) -> list[tuple[str, Finding]]:
        return list(examine(self.env, [check for check in CHECKS if not only or check.name in only]))

    def faults(self, *only: str) -> dict[str, Finding]:
        """The first fault of each check."""
        found: dict[str, Finding] = {}
        for name, finding in self.examined(*only):
            if finding.severity == "fault":
                found.setdefault(name, finding)
        return found


@pytest.fixture
def world(tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with TwilioApi() as api:
        world = World(tmp_path, catalogue, api)
        yield world
        for server in filter(None, (world.server, world.store)):
            server.shutdown()
            server.server_close()


# --- Well --------------------------------------------------------------------------------------------------


def test_of_a_line_that_is_well_every_check_says_so(world: World) -> None:
    examined = world.examined()
    assert [str(finding) for _, finding in examined if finding.severity == "fault"] == []
    assert {name for name, _ in examined} == {check.name for check in CHECKS}
    well = {name for name, finding in examined if finding.severity == "fine"}
    assert well == {check.name for check in CHECKS} - {"recordings"}  # Swahili and Urdu have none
    assert [finding.what for name, finding in examined if name == "door"] == [
        "a signed text is answered",
        "a forged text is refused",
    ]


def test_what_works_but_not_as_it_should_is_a_warning_with_a_remedy(world: World) -> None:
    warnings = {name: finding for name, finding in world.examined() if finding.severity == "warning"}
    assert set(warnings) == {"catalogue", "recordings", "number"}  # drafts, voiceless sw, no fallback
    assert all(finding.mend for finding in warnings.values())
    files = "https://bins.example.org/KE"
    world.ivr(
        "connect", NUMBER, "--yes", "--fallback-voice", f"{files}/voice.xml", "--fallback-sms", f"{files}/sms.xml"
    )
    assert "number" not in {name for name, finding in world.examined() if finding.severity == "warning"}


def test_the_command_ends_with_1_where_something_is_wrong_and_tells_it_in_json_too(world: World) -> None:
    well = world.ivr("doctor")
    assert (well.exit_code, well.output.splitlines()[-1]) == (0, "faults: 0")
    world.env["IVR_OPTOUT"] = "both"
    ill = world.ivr("doctor")
    assert ill.exit_code == 1
    assert "fault   settings: IVR_OPTOUT: must be carrier" in ill.output
    assert "mend: set IVR_OPTOUT" in ill.output
    told = json.loads(world.ivr("doctor", "--json").output)
    assert told["faults"] == 1
    assert {"check", "severity", "where", "what", "mend"} == set(told["findings"][0])


def test_it_runs_where_nothing_is_set_and_examines_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = list(examine({"TWILIO_API_URL": "http://127.0.0.1:9"}))
    missing = {finding.where for name, finding in found if name == "settings"}
    assert missing == set(ENVIRONMENT)
    assert {name for name, finding in found if finding.severity == "skipped"} >= {"reach", "door", "urgent", "number"}
    assert {name for name, finding in found if finding.severity == "fine"} >= {"disk", "queue", "catalogue", "voices"}


def test_a_database_that_is_new_is_no_fault(world: World) -> None:
    world.env["DATABASE_URL"] = f"sqlite:///{world.folder}/new/line.db"
    ((_, before),) = world.examined("database")
    assert (before.severity, before.what) == ("warning", "it is not there yet")
    assert not (world.folder / "new").exists()  # looking makes nothing
    world.start()
    ((_, after),) = world.examined("database")
    assert (after.severity, after.what) == ("fine", "read and written")


def test_it_prints_no_secret(world: World) -> None:
    world.env |= {"DATABASE_URL": "postgresql+psycopg://ivr:swordfish@127.0.0.1:9/ivr"}
    told = world.ivr("doctor").output
    for secret in ("swordfish", world.env["TWILIO_AUTH_TOKEN"], world.env["IVR_SECRET_KEY"]):
        assert secret not in told


# --- Ill, and mended by the doctor's words -------------------------------------------------------------------


def constant(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Another application at our address, which says yes to everything."""
    start("200 OK", [("Content-Type", "text/xml")])
    return [b"<Response/>" if environ["PATH_INFO"] == "/sms" else b"<Response><Hangup/></Response>"]


def without_urgent(world: World) -> None:
    """The line says good morning instead, in whatever language."""
    app, urgent = world.server.app, [wording.urgent_spoken for wording in world.catalogue.languages.values()]
    sentences = [escape(spoken("general", None)[0]).encode() for spoken in urgent]

    def changed(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = b"".join(app(environ, start))
        for sentence in sentences:
            body = body.replace(sentence, b"Good morning.".ljust(len(sentence)))  # as long as it was announced
        return [body]

    world.server.app = changed


def a_row_that_waits(world: World) -> None:
    mexican = phonenumbers.example_number_for_type("MX", phonenumbers.PhoneNumberType.MOBILE)
    number = phonenumbers.format_number(mexican, phonenumbers.PhoneNumberFormat.E164)
    box = Outbox(world.env["DATABASE_URL"], world.env["IVR_SECRET_KEY"], Rules(frozenset({"MX"})), patience=10)
    asked = {"language": "en", "country": "MX", "place": "uses-1", "once": "a", "now": time.time() - 600}
    assert box.ask("text", number, line=NUMBER, **asked) == "queued"  # type: ignore[arg-type]
    box.close()


def a_worker_runs(world: World) -> None:
    settings = Settings.from_env(world.env)
    sender(settings, world.catalogue, Carrier(ACCOUNT, settings.auth_tokens[0], settings.api_url)).sweep()


def old_numbers(world: World, checked: str) -> None:
    header = (HOME / "content/countries.csv").read_text(encoding="utf-8").splitlines()[0]
    row = f"KE,999,,,,high,{checked},a source"
    (world.own / "countries.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")


def database_file(world: World) -> Path:
    return world.folder / "line.db"


def damage_queue(world: World) -> None:
    (world.folder / "var").mkdir()
    (world.folder / "var/queue.db").write_bytes(b"no database at all " * 100)


def damage(world: World) -> None:
    the_line(world.server.app).store.close()
    for file in world.folder.glob("line.db*"):
        file.unlink()
    database_file(world).write_bytes(b"no database at all " * 100)


def serve_audio(world: World) -> None:
    """AUDIO_BASE_URL leads to a store of files that has not got them yet."""
    name = human_names("en", next(iter(sayable(world.catalogue.languages["en"]))))[0]
    file = world.own / "audio" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"ID3 as good as a recording")
    (world.folder / "store").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=world.folder / "store")
    world.store = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=world.store.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    world.env["AUDIO_BASE_URL"] = f"http://127.0.0.1:{world.store.server_port}/line"


def set_env(**values: str) -> Callable[[World], None]:
    return lambda world: world.env.update(values)


def the_api_is_another_hour(world: World) -> None:
    world.api.clock = lambda: time.time() + 3600


def the_number_leads_nowhere(world: World) -> None:
    world.api.change(f"PN{0:032x}", {"VoiceUrl": "", "SmsUrl": "", "StatusCallback": ""})


def the_same_token(world: World) -> None:
    world.env["TWILIO_AUTH_TOKEN"] = world.api.token or ""
    world.start()


ILL: dict[str, tuple[Callable[[World], Any], str, str, str, Callable[[World], Any]]] = {
    "a setting that is no such thing": (
        set_env(IVR_REVIEWED_ONLY="yes"), "settings", "must be 1 or 0", "set IVR_REVIEWED_ONLY",
        set_env(IVR_REVIEWED_ONLY="0"),
    ),
    "a folder of words that is not there": (
        set_env(IVR_CONTENT="elsewhere"), "settings", "there is no folder elsewhere", "name the folder",
        lambda world: world.env.update(IVR_CONTENT=str(world.own)),
    ),
    "the demo's key": (
        set_env(IVR_SECRET_KEY="only-for-a-demo-on-this-very-laptop"),
        "settings", "openssl rand -hex 32", "set IVR_SECRET_KEY",
        lambda world: world.env.update(IVR_SECRET_KEY=secrets.token_hex(32)),
    ),
    "a weak key": (
        set_env(IVR_SECRET_KEY="abc" * 20), "settings", "openssl rand -hex 32", "set IVR_SECRET_KEY",
        lambda world: world.env.update(IVR_SECRET_KEY=secrets.token_hex(32)),
    ),
    "a clock that is slow": (
        the_api_is_another_hour, "clock", "seconds from that of http", "set it right",
        lambda world: setattr(world.api, "clock", time.time),
    ),
    "a damaged database": (
        damage, "database", "cannot be read and written", "move it away",
        lambda world: database_file(world).rename(world.folder / "damaged.db"),
    ),
    "a database without a driver": (
        set_env(DATABASE_URL="oracle://here"), "database", "without a driver", "sqlite:///var/line.db",
        set_env(DATABASE_URL="sqlite:///var/line.db"),
    ),
    "a damaged queue": (
        damage_queue, "queue", "no queue", "delete var/queue.db",
        lambda world: (world.folder / "var/queue.db").unlink(),
    ),
    "a Redis that does not run": (
        set_env(REDIS_URL="redis://127.0.0.1:9/0"), "queue", "no queue", "take REDIS_URL away",
        lambda world: world.env.pop("REDIS_URL"),
    ),
    "no worker": (a_row_that_waits, "worker", "no worker runs", "ivr worker", a_worker_runs),
    "nothing is approved": (
        set_env(IVR_REVIEWED_ONLY="1"), "catalogue", "nobody has approved a language", "mend what it names",
        lambda world: world.ivr("review", "approve", "en", "--by", "A. Tester, pharmacist"),
    ),
    "numbers that nobody confirmed": (
        lambda world: old_numbers(world, "2020-01-31"), "numbers", ": KE", "set checked_on to that day",
        lambda world: old_numbers(world, date.today().isoformat()),
    ),
    "a broken manifest": (
        lambda world: [(world.own / "audio").mkdir(), (world.own / "audio/manifest.json").write_text("{")],
        "recordings", "manifest.json", "delete that file",
        lambda world: (world.own / "audio/manifest.json").unlink(),
    ),
    "recordings that are not served": (
        serve_audio, "recordings", "HTTP 404", "copy the recordings there",
        lambda world: shutil.copytree(world.own / "audio", world.folder / "store/line"),
    ),
    "a line that does not run": (
        lambda world: world.env.update(IVR_BASE_URL="http://127.0.0.1:9"), "reach", "no answer", "lead IVR_BASE_URL",
        lambda world: world.env.update(IVR_BASE_URL=f"http://127.0.0.1:{world.server.server_port}"),
    ),
    "another application at our address": (
        lambda world: setattr(world.server, "app", constant), "door", "not refused", "look where IVR_BASE_URL leads",
        World.start,
    ),
    "a line with another token": (
        lambda world: [world.env.update(TWILIO_AUTH_TOKEN=secrets.token_hex(16)), world.start(),
                       world.env.update(TWILIO_AUTH_TOKEN=world.api.token)],
        "door", "the signature does not match", "the same TWILIO_AUTH_TOKEN", World.start,
    ),
    "an urgent message that is not said": (
        without_urgent, "urgent", "Good morning",
        "start the line again", World.start,
    ),
    "a token that the carrier does not know": (
        lambda world: [world.env.update(TWILIO_AUTH_TOKEN=secrets.token_hex(16)), world.start()],
        "account", "HTTP 401", "TWILIO_AUTH_TOKEN anew", the_same_token,
    ),
    "a suspended account": (
        lambda world: world.api.account.update(status="suspended"), "account", "suspended", "ask the carrier",
        lambda world: world.api.account.update(status="active"),
    ),
    "a number that leads half elsewhere": (
        lambda world: world.api.change(f"PN{0:032x}", {"SmsUrl": "https://old.example.org/sms", "SmsMethod": "GET"}),
        "number", "sms_url is 'https://old.example.org/sms'", f"ivr connect {NUMBER}",
        lambda world: world.ivr("connect", NUMBER, "--yes"),
    ),
    "a number with an application in front": (
        lambda world: world.api.change(f"PN{0:032x}", {"VoiceApplicationSid": f"AP{1:032x}"}),
        "number", "voice_application_sid", f"ivr connect {NUMBER}", lambda world: world.ivr("connect", NUMBER, "--yes"),
    ),
    "no number that leads here": (
        the_number_leads_nowhere, "number", "none of the account leads to", f"one of these: {NUMBER}",
        lambda world: world.ivr("connect", NUMBER, "--yes"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ILL)
def test_what_is_wrong_is_found_named_and_mended_by_the_words_given(world: World, name: str) -> None:
    fall_ill, check, what, mend, follow = ILL[name]
    fall_ill(world)
    found = world.faults()
    assert check in found, found
    assert what in found[check].what
    assert mend in found[check].mend
    follow(world)
    assert not world.faults(check)


@pytest.mark.parametrize(
    ("token", "wrong"), [("a-token-for-tests", True), ("0123456789ABCDEF" * 2, True), (secrets.token_hex(16), False)]
)
def test_a_token_that_cannot_be_twilios_is_told_before_twilio_is_asked(token: str, wrong: bool) -> None:
    (check,) = (check for check in CHECKS if check.name == "secrets")
    told = [finding for _, finding in examine(ENVIRONMENT | {"TWILIO_AUTH_TOKEN": token}, [check])]
    assert [finding.where for finding in told if finding.severity == "fault"] == ["TWILIO_AUTH_TOKEN"] * wrong


def test_a_fault_is_told_once_and_hides_no_other(world: World) -> None:
    world.env |= {"IVR_BASE_URL": "http://127.0.0.1:9", "IVR_OPTOUT": "both"}
    damage(world)
    assert set(world.faults()) == {"settings", "database", "reach", "number"}


def test_examining_leaves_nothing_behind_but_two_texts_and_a_call(world: World) -> None:
    world.faults("database", "door", "urgent")
    world.faults("database", "door", "urgent")
    with sqlite3.connect(database_file(world)) as connection:
        (callers,) = connection.execute("SELECT count(*) FROM callers").fetchone()
    connection.close()
    assert callers == 1  # the phone's; the row that was tried was taken back
