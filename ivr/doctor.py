"""ivr doctor: finds what is wrong with a set-up, each check by itself, and says how to mend it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Literal
from urllib.parse import urlsplit

import click
import requests
from sqlalchemy import func, inspect, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from ivr.carrier import Carrier, CarrierError, OwnNumber
from ivr.catalogue import Catalogue, load_catalogue
from ivr.connecting import ROUTES, astray
from ivr.content import ContentError
from ivr.database import StoreError, behind, is_file, open_engine
from ivr.phone import Call, Phone, PhoneError, Spoken, over_http
from ivr.recordings import Recordings, stem
from ivr.settings import HOME, Settings, faults_of
from ivr.speech import sayable, spoken
from ivr.tables import callers, outbox
from ivr.worker import QUEUE, open_queue

CONTENT = HOME / "content"
TWILIO = "https://api.twilio.com"
TIMEOUT = 10.0  # seconds for each answer of another computer
MOST_SKEW = 60.0  # seconds between our clock and others'
LONGEST_WAIT = 300.0  # seconds after which what is due shows that no worker runs; its sweep comes each minute
LEAST_DISK = 500_000_000  # bytes: a year of events of a busy line

Severity = Literal["fine", "skipped", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `warning`: the line works, but not as it should; `skipped`: another fault hides this."""

    severity: Severity
    where: str
    what: str
    mend: str = ""


def fine(where: str, what: str) -> Finding:
    return Finding("fine", where, what)


def warning(where: str, what: str, mend: str) -> Finding:
    return Finding("warning", where, what, mend)


def fault(where: str, what: str, mend: str) -> Finding:
    return Finding("fault", where, what, mend)


class Patient:
    """What the checks look at. A setting at fault has a stand-in, and what needs it is not examined."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.faults = faults_of(env)
        self.broken = {told.partition(" ")[0] for told in self.faults}
        sound = {name: value for name, value in env.items() if name not in self.broken}
        self.settings = Settings.for_demo("http://127.0.0.1:5000", sound)

    @cached_property
    def catalogue(self) -> Catalogue:
        """What the line offers. Raises ContentError."""
        loaded = load_catalogue(own=self.settings.content, wanted=self.settings.languages)
        return loaded.narrowed(self.settings.languages, reviewed_only=self.settings.reviewed_only)

    @cached_property
    def engine(self) -> Engine:
        """The database. Raises StoreError."""
        return open_engine(self.settings.database_url)

    def close(self) -> None:
        if "engine" in vars(self):
            self.engine.dispose()

    @property
    def carrier(self) -> Carrier:
        settings = self.settings
        return Carrier(settings.account_sid, settings.auth_tokens[0], settings.api_url, TIMEOUT)

    def phone(self, token: str | None = None) -> Phone:
        """A phone whose carrier signs with our token, or with another, and reaches the line from outside."""
        settings = self.settings
        transport = over_http(TIMEOUT)
        return Phone(transport, settings.base_url, token or settings.auth_tokens[0], account=settings.account_sid)


# --- This machine ------------------------------------------------------------------------------------------


def check_settings(patient: Patient) -> Iterator[Finding]:
    for told in patient.faults:
        name, _, what = told.partition(" ")
        yield fault(name, what, f"set {name} for web and worker, and start both again")
    settings = patient.settings
    if settings.content and not settings.content.is_dir():
        yield fault("IVR_CONTENT", f"there is no folder {settings.content}", "name the folder with your words.toml")
    if "IVR_BASE_URL" not in patient.broken and not _secure(settings.base_url):
        yield warning("IVR_BASE_URL", "calls and texts travel unencrypted over http", "put the line behind https")
    if not patient.faults:
        yield fine("environment", "complete")


def _secure(url: str) -> bool:
    return url.startswith("https://") or urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


def check_secrets(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    random = "put there what this prints: openssl rand -hex 32. What callers chose before is forgotten then"
    copied = "copy the auth token from the carrier's console"
    secrets = [("TWILIO_AUTH_TOKEN", token, copied) for token in settings.auth_tokens]
    for name, secret, mend in (("IVR_SECRET_KEY", settings.secret_key, random), *secrets):
        if name in patient.broken:
            continue
        if name == "TWILIO_AUTH_TOKEN" and not settings.api_url and not re.fullmatch("[0-9a-f]{32}", secret):
            yield fault(name, "it is no auth token of Twilio: those are 32 hexadecimal digits", mend)
        else:
            yield fine(name, "looks random")
    if settings.secret_key in settings.auth_tokens:
        yield fault("IVR_SECRET_KEY", "it is the auth token too: whoever has one has both", random)


def check_clock(patient: Patient) -> Iterator[Finding]:
    urls = [patient.settings.api_url or TWILIO]
    urls += [] if "IVR_BASE_URL" in patient.broken else [patient.settings.base_url]
    for url in urls:
        try:
            theirs = parsedate_to_datetime(requests.head(url, timeout=TIMEOUT).headers["Date"])
        except (requests.RequestException, KeyError, ValueError):
            continue
        off = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
        if abs(off) > MOST_SKEW:
            yield fault("clock", f"{off:+.0f} seconds from that of {url}", "set it right: timedatectl set-ntp true")
        else:
            yield fine("clock", f"agrees with {url}")
        return
    yield Finding("skipped", "clock", "nobody answered to compare it with")


def check_disk(_: Patient) -> Iterator[Finding]:
    folder = _there(Path("var").absolute())
    free = shutil.disk_usage(folder).free
    if free < LEAST_DISK:
        yield fault(str(folder), f"{free // 1_000_000} MB are free", f"make room: {LEAST_DISK // 1_000_000} MB or more")
    else:
        yield fine(str(folder), f"{free // 1_000_000_000} GB are free")


def _there(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def check_database(patient: Patient) -> Iterator[Finding]:
    try:
        url = patient.engine.url
        where = url.render_as_string(hide_password=True)
        file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
        if file and not file.exists() and _there(file.absolute()).is_dir():
            yield warning(where, "it is not there yet", "start the line once: it makes it. If it should be there, "
                          "look at DATABASE_URL, and start all in the same folder")  # fmt: skip
            return
        missing = not _tried(patient.engine)
    except StoreError as error:
        yield fault("DATABASE_URL", str(error), "an address such as sqlite:///var/line.db or postgresql+psycopg://…")
    except (SQLAlchemyError, OSError) as error:
        cause = str(getattr(error, "orig", error)).partition("\n")[0]
        yield fault(where, f"it cannot be read and written: {cause}", _mend_database(file))
    else:
        if missing or behind(patient.engine):
            mend = "start the line with this DATABASE_URL" if is_file(url) else "run ivr db upgrade"
            yield warning(where, "its tables are missing, or those of an earlier release", f"{mend}: it makes them")
        else:
            yield fine(where, "read and written")


def _tried(engine: Engine) -> bool:
    """Whether there is a table of callers, into which a row is written and taken back. Raises SQLAlchemyError."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(callers.name):
            return False
        connection.execute(callers.insert().values(caller=f"doctor {time.time_ns()}"))
        connection.rollback()
    return True


def _mend_database(file: Path | None) -> str:
    if file is None:
        return "start the database, and compare host, name and password with DATABASE_URL"
    return (
        f"let the user of the line write {file} and its folder. If it is damaged, move it away and put a backup there: "
        "without one the line makes it anew"
    )


def check_queue(patient: Patient) -> Iterator[Finding]:
    redis_url = patient.settings.redis_url
    try:
        if redis_url:
            from redis import Redis  # late: only who uses Redis loads it

            waits = {"socket_connect_timeout": TIMEOUT, "socket_timeout": TIMEOUT}
            with Redis.from_url(redis_url, **waits) as redis:
                redis.set("ivr.doctor", 1, ex=1)
        else:
            queue = open_queue()
            queue.put("doctor", 1)
            queue.get("doctor")
            queue.storage.close()
        yield fine("queue", "can be written to")
    except Exception as error:  # of sqlite3, Huey, redis or the file system
        if redis_url:
            yield fault("REDIS_URL", f"no queue ({type(error).__name__})", "start Redis, or take REDIS_URL away")
        else:
            yield fault(
                str(QUEUE), f"no queue ({error})", f"let the line write there, or delete {QUEUE}: it is made anew"
            )


def check_worker(patient: Patient) -> Iterator[Finding]:
    late = outbox.c.due_at < time.time() - LONGEST_WAIT
    waiting = select(func.count()).where(outbox.c.state.in_(("queued", "sending")), late)
    file = make_url(patient.settings.database_url).database
    if patient.engine.dialect.name == "sqlite" and not Path(str(file)).exists():
        return
    with patient.engine.connect() as connection:
        there = inspect(connection).has_table(outbox.name)
        count = connection.scalar(waiting) if there else 0
    if count:
        yield fault("outbox", f"{count} texts or calls have waited {LONGEST_WAIT / 60:.0f} minutes: no worker runs",
                    "start one beside the web process, with the same settings: ivr worker")  # fmt: skip
    else:
        yield fine("outbox", "nothing waits too long")


# --- Words, numbers, recordings ----------------------------------------------------------------------------


def check_catalogue(patient: Patient) -> Iterator[Finding]:
    try:
        catalogue = patient.catalogue
    except ContentError as error:
        yield fault("words", str(error), "mend what it names; ivr check tells each place")
        return
    yield fine("languages", f"offered: {', '.join(catalogue.languages)}")
    drafts = sorted(set(catalogue.languages) - catalogue.approved)
    if drafts:
        yield warning("languages", f"drafts are offered, which nobody has signed: {', '.join(drafts)}",
                      "have each signed (ivr review approve LANG --by NAME), or set IVR_REVIEWED_ONLY=1")  # fmt: skip


def check_numbers(patient: Patient) -> Iterator[Finding]:
    days = tomllib.loads((CONTENT / "rules.toml").read_text(encoding="utf-8"))["numbers"]["days"]
    countries = patient.catalogue.countries.values()
    old = sorted(country.code for country in countries if (date.today() - country.checked_on).days > days)
    if old:
        yield fault("countries.csv", f"emergency numbers not confirmed for over {days} days: {', '.join(old)}",
                    "ask in each country, then set checked_on to that day")  # fmt: skip
    else:
        yield fine("countries.csv", f"{len(countries)} countries, all confirmed within {days} days")


def check_voices(patient: Patient) -> Iterator[Finding]:
    allowed = set((CONTENT / "voices.txt").read_text(encoding="utf-8").split())
    editions = [wording.edition for wording in patient.catalogue.languages.values()]
    named = {(edition.language, name) for edition in editions for name in (edition.voice, edition.say) if name}
    for language, name in sorted(named):
        if name not in allowed:
            yield fault(f"languages.toml [{language}]", f"Twilio has no {name}", "take one of content/voices.txt")
    if all(name in allowed for _, name in named):
        yield fine("languages.toml", "Twilio has all voices")


def check_recordings(patient: Patient) -> Iterator[Finding]:
    settings, words = patient.settings, spoken(patient.catalogue.languages)
    try:
        editions = [wording.edition for wording in words.values()]
        recordings = Recordings(settings.audio, editions, remote=bool(settings.audio_base_url))
    except ContentError as error:
        yield fault("recordings", str(error), "delete that file, and run ivr record again")
        return
    for language, wording in words.items():
        found = [] if wording.edition.voice else [recordings.find(language, text) for text in sayable(wording)]
        if not all(found):
            yield warning(language, f"no voice speaks it, and {found.count(None)} of {len(found)} sentences are not "
                          "recorded: it is offered by text only", f"ivr record {language}")  # fmt: skip
        elif not wording.edition.voice:
            yield fine(language, "wholly recorded")
    if settings.audio_base_url:
        names = (recordings.find(code, text) for code, wording in words.items() for text in sayable(wording))
        yield _served(settings.audio_base_url, next(filter(None, names), ""))


def _served(folder: str, name: str) -> Finding:
    url = f"{folder}/{name}"
    if not name:
        return warning("AUDIO_BASE_URL", "no recording is known here", "copy manifest.json into the audio folder here")
    try:
        status = f"HTTP {requests.head(url, timeout=TIMEOUT).status_code}"
    except requests.RequestException as error:
        status = type(error).__name__
    if status == "HTTP 200":
        return fine("AUDIO_BASE_URL", f"serves {name}")
    return fault("AUDIO_BASE_URL", f"{url}: {status}", "copy the recordings there; ivr record check names each file")


# --- The line, as the carrier meets it ---------------------------------------------------------------------


def check_reach(patient: Patient) -> Iterator[Finding]:
    url = f"{patient.settings.base_url}/livez"
    mend = "start the line (Procfile, web), and lead IVR_BASE_URL to it: name, certificate, proxy"
    try:
        answer = over_http(TIMEOUT)("GET", url, {}, {})
    except PhoneError as error:
        yield fault(url, f"no answer: {error.rule}", mend)
        return
    if (answer.status, answer.body) == (200, b"alive\n"):
        yield fine(url, "answers")
    else:
        yield fault(url, f"something else answers, with HTTP {answer.status}", mend)


def check_door(patient: Patient) -> Iterator[Finding]:
    url = f"{patient.settings.base_url}/sms"
    try:
        patient.phone().text("MENU")
        yield fine(url, "a signed text is answered")
    except PhoneError as error:
        _answered(error)
        mend = "give the running line and this command the same TWILIO_AUTH_TOKEN, TWILIO_ACCOUNT_SID, IVR_BASE_URL"
        yield fault(
            url, f"a rightly signed text fails: {error.what}: {error.rule}", f"{mend}, and start the line again"
        )
    try:
        patient.phone(token_hex(16)).text("MENU")
    except PhoneError as error:
        _answered(error)
        if error.what == "Status 403":
            yield fine(url, "a forged text is refused")
            return
    yield fault(url, "a forged text is not refused with 403", "this is not our line, or not its present version: look "
                "where IVR_BASE_URL leads")  # fmt: skip


def _answered(error: PhoneError) -> None:
    """Goes on where the line answered, if wrongly. That it does not is told once, by another check."""
    if error.what == "No answer":
        raise error


def check_urgent(patient: Patient) -> Iterator[Finding]:
    url = f"{patient.settings.base_url}/voice"
    mend = "nothing matters more: start the line again with the words of this folder, and call it"
    try:
        call = patient.phone().call()
        if call.ended_by == "reject" and patient.settings.callback:
            yield fine(url, "a call is rejected, to be rung back (IVR_CALLBACK)")
            return
        call.press("0")
    except PhoneError as error:
        _answered(error)
        yield fault(url, f"key 0 fails: {error.what}: {error.rule}", mend)
        return
    if _is_urgent(call, patient.catalogue):
        yield fine(url, "key 0 gives the urgent message")
    else:
        yield fault(url, f"key 0 does not give the urgent message but {' '.join(call.lines)[:80]!r}", mend)


def _is_urgent(call: Call, catalogue: Catalogue) -> bool:
    """Whether the first thing heard is how the urgent message begins, spoken or recorded, in any language."""
    heard = next(iter(call.heard), None)
    begins = {code: wording.urgent_spoken("general", None)[0] for code, wording in catalogue.languages.items()}
    if isinstance(heard, Spoken):
        return heard.text in begins.values()
    return heard is not None and any(stem(code, text) in heard.url for code, text in begins.items())


# --- The carrier -------------------------------------------------------------------------------------------


def check_account(patient: Patient) -> Iterator[Finding]:
    try:
        status, kind = patient.carrier.account()
    except CarrierError as error:
        yield fault("account", str(error), _mend_account(error.status))
        return
    if status != "active":
        yield fault("account", f"it is {status}", "ask the carrier to open it again")
    elif kind == "Trial":
        yield warning("account", "a trial: only your own numbers get answers, after the carrier's words", "upgrade it")
    else:
        yield fine("account", "active")


def _mend_account(status: int) -> str:
    if status in (401, 403, 404):
        return (
            "copy TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN anew from the carrier's console (of two tokens, the valid "
            "one first), and look at TWILIO_API_URL"
        )
    return "look whether this machine reaches the carrier, and at TWILIO_API_URL"


def check_number(patient: Patient) -> Iterator[Finding]:
    url, numbers = patient.settings.base_url, patient.carrier.numbers()
    ours = [number for number in numbers if any(number.fields[field].startswith(f"{url}/") for field in ROUTES)]
    for number in ours:
        yield from _check_one(number, url)
    if not ours:
        there = ", ".join(number.number for number in numbers) or "none: get one in the carrier's console"
        yield fault("numbers", f"none of the account leads to {url}", f"ivr connect NUMBER, with one of these: {there}")


def _check_one(number: OwnNumber, url: str) -> Iterator[Finding]:
    mend = f"ivr connect {number.number}"
    for field, value in astray(number, url).items():
        yield fault(number.number, f"{field} is {number.fields[field]!r} and should be {value!r}", mend)
    if not astray(number, url):
        yield fine(number.number, f"calls, texts and status lead to {url}")
    if number.capabilities.get("sms") is False:
        yield warning(number.number, "it cannot get texts", "announce it for calls, or get another number")
    if not (number.fields["voice_fallback_url"] and number.fields["sms_fallback_url"]):
        yield warning(number.number, "callers hear nothing when the line is down",
                      f"ivr fallback export DIR, then {mend} --fallback-voice URL --fallback-sms URL")  # fmt: skip


# --- All of it ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """A look at one thing. `needs`: the settings without which there is nothing to look at."""

    name: str
    run: Callable[[Patient], Iterator[Finding]]
    needs: frozenset[str] = frozenset()


_API = frozenset({"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_URL"})
_LINE = frozenset({"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "IVR_BASE_URL"})
CHECKS = (
    Check("settings", check_settings),
    Check("secrets", check_secrets),
    Check("clock", check_clock, frozenset({"TWILIO_API_URL"})),
    Check("disk", check_disk),
    Check("database", check_database),
    Check("queue", check_queue, frozenset({"REDIS_URL"})),
    Check("worker", check_worker),
    Check("catalogue", check_catalogue),
    Check("numbers", check_numbers),
    Check("voices", check_voices),
    Check("recordings", check_recordings, frozenset({"AUDIO_BASE_URL"})),
    Check("reach", check_reach, frozenset({"IVR_BASE_URL"})),
    Check("door", check_door, _LINE),
    Check("urgent", check_urgent, _LINE),
    Check("account", check_account, _API),
    Check("number", check_number, _API | {"IVR_BASE_URL"}),
)


def examine(env: Mapping[str, str], checks: Iterable[Check] = CHECKS) -> Iterator[tuple[str, Finding]]:
    """What each check finds in a set-up, given as environment, with the check's name; none stops the others."""
    patient = Patient(env)
    for check in checks:
        lacking = sorted(patient.broken & check.needs)
        if lacking:
            yield check.name, Finding("skipped", check.name, f"mend {', '.join(lacking)} first")
        else:
            yield from ((check.name, finding) for finding in _safely(check, patient))
    patient.close()


def _safely(check: Check, patient: Patient) -> Iterator[Finding]:
    try:
        yield from check.run(patient)
    except (
        ContentError,
        StoreError,
        CarrierError,
        SQLAlchemyError,
        PhoneError,
    ) as error:  # told by the check that it belongs to
        yield Finding("skipped", check.name, f"mend this first: {str(error).partition(chr(10))[0]}")
    except Exception as error:  # a check that breaks is a fault of ours, and hides no other
        yield fault(
            check.name, f"the check itself broke ({type(error).__name__}: {error})", "report it, with this line"
        )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
def doctor(as_json: bool) -> None:
    """Examine this set-up; exit 1 with each fault named, and how to mend it, where something is wrong."""
    found = []
    for name, finding in examine(os.environ):
        found.append({"check": name, **asdict(finding)})
        if not as_json:
            click.echo(f"{finding.severity:8}{name}: {finding.where}: {finding.what}")
            if finding.mend:
                click.echo(f"        mend: {finding.mend}")
    faults = sum(entry["severity"] == "fault" for entry in found)
    if as_json:
        click.echo(json.dumps({"findings": found, "faults": faults}, ensure_ascii=False, indent=1))
    else:
        click.echo(f"faults: {faults}")
    sys.exit(1 if faults else 0)
