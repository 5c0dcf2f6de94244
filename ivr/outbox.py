"""The durable way out: texts and call-backs that people asked for, each allowed by the rules and kept until its end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.engine import Engine, make_url

from ivr.carrier import Outcome

log = logging.getLogger(__name__)

Kind = Literal["text", "call"]
Verdict = Literal["queued", "withheld", "landline", "opted_out", "number", "cap", "daily", "hours", "fault"]

DEADLINE = 0.3  # seconds that a webhook waits to be told "queued" at the most
BUSY = 0.2  # seconds that the database waits for a lock; below the deadline, so that it gives up by itself
PATIENCE = 10.0  # the same for a worker, for whom nobody waits
COMMIT = 1.0  # seconds more for a commit that had begun when the deadline passed; a webhook answers within 2
REST = 5.0  # seconds that a broken queue is left alone

DAY = 24 * 3600.0
CAPS: dict[Kind, tuple[tuple[float, int], ...]] = {  # seconds, and how many a number gets in them
    "call": ((600.0, 1), (DAY, 3)),
    "text": ((DAY, 6),),
}
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
TYPES: dict[Kind, frozenset[int]] = {"call": _MOBILE | {PhoneNumberType.FIXED_LINE}, "text": _MOBILE}
QUIET_FROM, QUIET_UNTIL = 21, 8  # o'clock where the number may be: no call in between

LEASE = 60.0  # seconds that a worker has for one request; Twilio's two time-outs take 20
LIFE = DAY - LEASE  # nothing goes out later than a day after it was asked for
KEPT = 30 * DAY  # rows without a number, for the caps and for a report
LOOKS = 3  # at Twilio's list, for a request of unknown outcome
LOOK_AFTER = 60.0  # seconds before the first look: Twilio's list may lag behind
BACK_OFF, LONGEST_BACK_OFF = 30.0, 3600.0  # seconds, doubled at each attempt

# How carriers write a withheld number: a word spelled on the keys of a telephone (+266696687 is ANONYMOUS).
WITHHELD = frozenset(
    "+" + phonenumbers.convert_alpha_characters_in_number(word)
    for word in ("ANONYMOUS", "BLOCKED", "RESTRICTED", "UNAVAILABLE", "UNKNOWN")
)

outbox = Table(
    "outbox",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("once", String(64), nullable=False, unique=True),  # HMAC of what makes a repeated request the same
    Column("kind", String(4), nullable=False),
    Column("state", String(8), nullable=False),  # queued, sending; sent, failed, unknown, expired are final
    Column("person", String(64), nullable=False),  # HMAC-SHA256 of the number
    Column("sealed", LargeBinary),  # the number, encrypted; NULL in a final state
    Column("line", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("country", String(2)),
    Column("place", String(32), nullable=False),
    Column("page", Integer, nullable=False, default=0),  # pages that Twilio has accepted; the one to send next
    Column("attempts", Integer, nullable=False, default=0),  # of this page; in `sending`: looks at Twilio's list
    Column("claim", String(32)),  # drawn anew at each claim: only its holder settles
    Column("sid", String(36)),  # of the last page, or of the call; Twilio's has 34 letters, a UUID elsewhere 36
    Column("why", String(40)),  # a code, never words
    Column("asked_at", Float, nullable=False),  # seconds of 1970, as all times here
    Column("due_at", Float, nullable=False),  # when to send, or to send again, or to look
    Column("tried_at", Float),  # when the request went out that `sending` waits for
    Index("outbox_due", "state", "due_at"),
    Index("outbox_person", "person", "asked_at"),
    Index("outbox_asked", "asked_at"),
)
_OPEN = outbox.c.state.in_(("queued", "sending"))


@dataclass(frozen=True, slots=True)
class Rules:
    """`countries`: ISO codes that may be called and texted, those of the line's own number if empty; `daily`: the most
    calls and texts together in 24 hours, the operator's bill."""

    countries: frozenset[str] = frozenset()
    daily: int = 500


@dataclass(frozen=True, slots=True)
class Task:
    """One claimed row, to be sent or, where `looking`, to be looked for at Twilio.

    `number` is in clear: never log it. `tried_at`: when the request went out, in seconds of 1970.
    """

    id: int
    kind: Kind
    number: str
    line: str
    language: str
    country: str | None
    place: str
    page: int
    attempts: int
    claim: str
    looking: bool
    tried_at: float


class Outbox:
    """The table of what goes out. Raises SQLAlchemy's errors to the worker, and none to a webhook: see `ask`."""

    def __init__(
        self,
        url: str,
        secret: str,
        rules: Rules,
        wake: Callable[[int], None] | None = None,
        *,
        patience: float = BUSY,
    ) -> None:
        """`wake` is called, in a thread of ours, with the id of each new row; a fault of it only costs time.

        `patience`: seconds that the database waits for a lock. Nobody waits for a worker: it has PATIENCE.
        """
        self._secret = secret.encode()
        self._fernet = Fernet(_derived(self._secret))
        self.rules = rules
        self._wake = wake
        self._engine = _engine(url, patience)
        self._made = False
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="outbox")
        self._resting_until = 0.0

    def close(self) -> None:
        self._pool.shutdown()
        self._engine.dispose()

    # What a webhook asks for

    def ask(  # noqa: PLR0913  the whole of a request, each part by its name
        self,
        kind: Kind,
        number: str,
        *,
        line: str,
        language: str,
        country: str | None,
        place: str,
        once: str,
        now: float,
        opted_out: bool = False,
    ) -> Verdict:
        """Queue a text or a call-back to `number` (E.164), or tell why not, within DEADLINE.

        `line`: our own number; `place`: what to send, in `language`, with the numbers of `country`; `once`: what makes
        a repeated webhook the same request, which is "queued" again without a second row; `now`: seconds of 1970.
        "fault" means that nothing was queued, unless the disk stalls in the middle of a commit (see COMMIT).
        """
        if opted_out:
            return "opted_out"
        refused = refusal(kind, number, line, self.rules, now)
        if refused:
            return refused
        row: dict[str, Any] = {
            "kind": kind,
            "line": line,
            "language": language,
            "country": country,
            "place": place,
            "state": "queued",
        }
        row |= {"once": self._hash(once), "person": self._hash(number), "sealed": self._fernet.encrypt(number.encode())}
        return self._within_deadline(row | {"asked_at": now, "due_at": now})

    def _within_deadline(self, row: dict[str, Any]) -> Verdict:
        if time.monotonic() < self._resting_until:
            return "fault"
        last_word = threading.Lock()  # whoever takes it decides: the thread to commit, or the webhook to give up
        try:
            work = self._pool.submit(self._insert, row, last_word)
            return self._verdict(work, last_word)
        except Exception as fault:  # whatever breaks in a database, the caller is answered
            self._resting_until = time.monotonic() + REST
            self._made = False
            log.warning("the queue did not answer (%s); nothing is queued", type(fault).__name__)
            return "fault"

    @staticmethod
    def _verdict(work: Future[Verdict], last_word: threading.Lock) -> Verdict:
        try:
            return work.result(timeout=DEADLINE)
        except TimeoutError:
            if last_word.acquire(blocking=False):
                raise
            return work.result(timeout=COMMIT)

    def _insert(self, row: dict[str, Any], last_word: threading.Lock) -> Verdict:
        with self._begin() as connection:
            _one_at_a_time(connection)
            if connection.scalar(select(outbox.c.id).where(outbox.c.once == row["once"])):
                return "queued"
            full = self._full(connection, row)
            if full:
                return full
            (new,) = connection.execute(outbox.insert().values(row)).inserted_primary_key or (0,)
            if not last_word.acquire(blocking=False):
                raise TimeoutError  # rolls back: the webhook has given up
        if self._wake:
            self._pool.submit(self._woken, self._wake, new)
        return "queued"

    @staticmethod
    def _woken(wake: Callable[[int], None], new: int) -> None:
        try:
            wake(new)
        except Exception as fault:
            log.warning("the worker was not woken (%s); its sweep finds what is due", type(fault).__name__)

    def _full(self, connection: Connection, row: dict[str, Any]) -> Verdict | None:
        """Caps count rows, whatever became of them: nobody gets more by our failing."""
        own = and_(outbox.c.person == row["person"], outbox.c.kind == row["kind"])
        for seconds, most in CAPS[row["kind"]]:
            if _count(connection, row["asked_at"] - seconds, own) >= most:
                return "cap"
        return "daily" if _count(connection, row["asked_at"] - DAY) >= self.rules.daily else None

    # What a worker does

    def due(self, now: float, most: int = 200) -> list[int]:
        """Ids of rows to send, to send again or to look for, the longest waiting first."""
        rows = select(outbox.c.id).where(_OPEN, outbox.c.due_at <= now).order_by(outbox.c.due_at).limit(most)
        with self._begin() as connection:
            return list(connection.scalars(rows))

    def claim(self, id_: int, now: float) -> Task | None:
        """Take a row that is due, for LEASE seconds; None where another has it, or there is nothing to do."""
        due = and_(outbox.c.id == id_, _OPEN, outbox.c.due_at <= now, outbox.c.asked_at > now - LIFE)
        with self._begin() as connection:
            row = connection.execute(select(outbox).where(due).with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            looking = row.state == "sending"
            number = self._opened(row.sealed)
            taken: dict[str, Any] = {"state": "sending", "claim": secrets.token_hex(16), "due_at": now + LEASE}
            taken["tried_at"] = row.tried_at if looking else now
            if number is None:
                taken |= {"state": "unknown" if looking else "failed", "sealed": None, "why": "another key"}
            connection.execute(outbox.update().where(outbox.c.id == id_).values(taken))
        if number is None:
            return None
        kept = ("id", "kind", "line", "language", "country", "place", "page", "attempts")
        return Task(
            **{name: row._mapping[name] for name in kept},
            number=number,
            claim=taken["claim"],
            tried_at=taken["tried_at"],
            looking=looking,
        )

    def settle(self, task: Task, outcome: Outcome, now: float, *, last: bool) -> None:
        """Write down what became of a claimed row; nothing where it was meanwhile taken for a dead worker's."""
        values = _after(task, outcome, now, last) | {"why": outcome.why[:40] or None}
        if outcome.sid:
            values["sid"] = outcome.sid
        if values["state"] not in ("queued", "sending"):
            values["sealed"] = None
        with self._begin() as connection:
            connection.execute(
                outbox.update().where(outbox.c.id == task.id, outbox.c.claim == task.claim, _OPEN).values(values)
            )

    def clean(self, now: float) -> None:
        """End what is a day old, and delete what is 30 days old."""
        with self._begin() as connection:
            for state, age, end in (("queued", LIFE, "expired"), ("sending", DAY, "unknown")):
                old = and_(outbox.c.state == state, outbox.c.asked_at <= now - age)
                connection.execute(outbox.update().where(old).values(state=end, sealed=None, why="a day old"))
            connection.execute(outbox.delete().where(outbox.c.asked_at < now - KEPT))

    def tally(self) -> dict[str, int]:
        """How many rows are in each state."""
        with self._begin() as connection:
            counted = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
            return dict(list(counted))

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if not self._made:
            _make_folder(self._engine)
            with self._engine.begin() as connection:
                _one_at_a_time(connection)
                outbox.metadata.create_all(connection)
            self._made = True
        with self._engine.begin() as connection:
            yield connection

    def _opened(self, sealed: bytes) -> str | None:
        """The number, or None where IVR_SECRET_KEY has changed since it was sealed."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            return None

    def _hash(self, words: str) -> str:
        return hmac.digest(self._secret, words.encode(), hashlib.sha256).hex()


def _after(task: Task, outcome: Outcome, now: float, last: bool) -> dict[str, Any]:
    """The row that follows from an outcome: what surely did not go is asked again, what perhaps went is looked for."""
    waits = min(LONGEST_BACK_OFF, BACK_OFF * 2 ** min(task.attempts, 10))
    again = {"attempts": task.attempts + 1, "due_at": now + waits}
    match outcome.kind:
        case "accepted" if last:
            return {"state": "sent", "page": task.page + 1}
        case "accepted":
            return {"state": "queued", "page": task.page + 1, "attempts": 0, "due_at": now}
        case "refused":
            return {"state": "failed"}
        case "later":
            return again | {"state": "sending" if task.looking else "queued"}
        case "unknown" if not task.looking:
            return {"state": "sending", "attempts": 0, "due_at": now + LOOK_AFTER}
    return again | {"state": "sending" if task.attempts + 1 < LOOKS else "unknown"}


# --- Rules -------------------------------------------------------------------------------------------------


def refusal(kind: Kind, number: str, line: str, rules: Rules, now: float) -> Verdict | None:
    """Why this number may not be texted or called now, apart from caps; None where it may."""
    if not re.fullmatch(r"\+[1-9]\d{6,14}", number, re.ASCII) or number in WITHHELD:
        return "withheld"
    parsed = _parsed(number)
    if parsed is None or number == line or _country(parsed) not in (rules.countries or {_home(line)}):
        return "number"
    kind_of_number = phonenumbers.number_type(parsed)
    if kind_of_number not in TYPES[kind]:
        return "landline" if kind_of_number == PhoneNumberType.FIXED_LINE else "number"
    return "hours" if kind == "call" and quiet(number, now) else None


def quiet(number: str, now: float) -> bool:
    """Whether it is night in any of the time zones of the number, or in none that is known."""
    moment = datetime.fromtimestamp(now, UTC)
    try:
        zones = [ZoneInfo(name) for name in time_zones_for_number(phonenumbers.parse(number))]
    except ZoneInfoNotFoundError:
        return True
    return not zones or any(not QUIET_UNTIL <= moment.astimezone(zone).hour < QUIET_FROM for zone in zones)


def _parsed(number: str) -> PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


@lru_cache(maxsize=64)  # our own numbers, which are few
def _home(line: str) -> str | None:
    return _country(_parsed(line))


def _country(parsed: PhoneNumber | None) -> str | None:
    return phonenumbers.region_code_for_number(parsed) if parsed else None


# --- The database ------------------------------------------------------------------------------------------


def _count(connection: Connection, since: float, *where: Any) -> int:
    counted = select(func.count()).select_from(outbox).where(outbox.c.asked_at > since, *where)
    return connection.scalar(counted) or 0


def _one_at_a_time(connection: Connection) -> None:
    """Look and then change as one step among all processes. On SQLite BEGIN IMMEDIATE has done that."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7211)"))  # any number, if everybody's the same


def _engine(url: str, patience: float) -> Engine:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, hide_parameters=True, connect_args={"timeout": patience})
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine
    waits = f"-c lock_timeout={int(patience * 1000)} -c statement_timeout={int(patience * 1000)}"
    return create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args={"options": waits})


def _sqlite_connected(connection: Any, _record: Any) -> None:
    """Transactions begin where we say (SQLAlchemy's own recipe), and what is deleted is overwritten."""
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = ON")


def _make_folder(engine: Engine) -> None:
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)


def _derived(secret: bytes) -> bytes:
    """A key of its own from the one secret, so that hashes and encrypted numbers share none."""
    return base64.urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=b"outbox number").derive(secret))
