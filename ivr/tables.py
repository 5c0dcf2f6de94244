"""The tables of the line, as the last migration leaves them. None holds a number in clear, or a person's words."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
)

tables = MetaData()

callers = Table(
    "callers",
    tables,
    # A keyed hash of the number (ivr/pseudonyms.py): a passing one, or the lasting one for an opt-out alone.
    Column("caller", String(64), primary_key=True),
    Column("language", String(16)),
    Column("country", String(2)),
    Column("place", String(32), nullable=False, server_default="menu"),
    Column("place_before", String(32), nullable=False, server_default="menu"),
    Column("answered", String(64)),  # HMAC of the last message's SID
    Column("opted_out", Boolean, nullable=False, server_default="0"),
    Column("seen_at", DateTime, nullable=False, server_default=func.now(), onupdate=func.now()),
)

outbox = Table(
    "outbox",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("once", String(64), nullable=False, unique=True),  # HMAC of what makes a repeated request the same
    Column("kind", String(4), nullable=False),
    Column("state", String(8), nullable=False),  # queued, sending; sent, failed, unknown, expired are final
    Column("person", String(64), nullable=False),  # the number's passing hash
    Column("sealed", LargeBinary),  # the number, encrypted; NULL in a final state
    Column("line", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("country", String(2)),
    Column("place", String(32), nullable=False),
    Column("page", Integer, nullable=False, default=0),  # pages that Twilio has accepted; the one to send next
    Column("attempts", Integer, nullable=False, default=0),  # of this page; in `sending`: looks at Twilio's list
    Column("claim", String(32)),  # drawn anew at each claim: only its holder settles
    Column("sid", String(36)),  # of the last page, or of the call
    Column("why", String(40)),  # a code, never words
    Column("asked_at", Float, nullable=False),  # seconds of 1970, as all times here
    Column("due_at", Float, nullable=False),  # when to send, or to send again, or to look
    Column("tried_at", Float),  # when the request went out that `sending` waits for
    Index("outbox_due", "state", "due_at"),
    Index("outbox_person", "person", "asked_at"),
    Index("outbox_asked", "asked_at"),
)

events = Table(
    "events",
    tables,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), unique=True),  # HMAC of what was answered; none after thirty days
    Column("hour", String(13), nullable=False),  # 2026-11-23T01, UTC
    Column("channel", String(8), nullable=False),
    Column("language", String(16), nullable=False),
    Column("intent", String(16), nullable=False),
    Column("country", String(2)),
    Column("layer", String(16), nullable=False),
    Column("segments", Integer, nullable=False),
)

# What a report asks of events, counted while they are folded: millions of rows need no index and no long wait.
days = Table(
    "days",
    tables,
    Column("day", String(10), primary_key=True),  # 2026-11-23, UTC
    Column("channel", String(8), primary_key=True),
    Column("language", String(16), primary_key=True),
    Column("intent", String(16), primary_key=True),
    Column("answers", BigInteger, nullable=False),
)
countries = Table(
    "countries",
    tables,
    Column("day", String(10), primary_key=True),
    Column("country", String(2), primary_key=True),  # "" where none is known
    Column("answers", BigInteger, nullable=False),
)
