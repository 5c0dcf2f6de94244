"""The first three tables. They may be there already: the line made them by itself once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _callers()
    _outbox()
    _events()


def downgrade() -> None:
    for table in ("callers", "outbox", "events"):
        op.drop_table(table)


def _callers() -> None:
    op.create_table(
        "callers",
        sa.Column("caller", sa.String(64), primary_key=True),
        sa.Column("language", sa.String(16)),
        sa.Column("country", sa.String(2)),
        sa.Column("place", sa.String(32), nullable=False, server_default="menu"),
        sa.Column("place_before", sa.String(32), nullable=False, server_default="menu"),
        sa.Column("answered", sa.String(64)),
        sa.Column("opted_out", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("seen_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        if_not_exists=True,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("once", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(4), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("line", sa.String(32), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("page", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("claim", sa.String(32)),
        sa.Column("sid", sa.String(36)),
        sa.Column("why", sa.String(40)),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("tried_at", sa.Float),
        if_not_exists=True,
    )
    for name, columns in (("due", ["state", "due_at"]), ("person", ["person", "asked_at"]), ("asked", ["asked_at"])):
        op.create_index(f"outbox_{name}", "outbox", columns, if_not_exists=True)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(32), unique=True),
        sa.Column("hour", sa.String(13), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("intent", sa.String(16), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("layer", sa.String(16), nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        if_not_exists=True,
    )
