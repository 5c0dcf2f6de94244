"""Answers by day, for reports; those that were counted so far are summed up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "days",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("channel", sa.String(8), primary_key=True),
        sa.Column("language", sa.String(16), primary_key=True),
        sa.Column("intent", sa.String(16), primary_key=True),
        sa.Column("answers", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "countries",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("answers", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO days SELECT substr(hour, 1, 10), channel, language, intent, count(*) "
        "FROM events GROUP BY 1, 2, 3, 4"
    )
    op.execute(
        "INSERT INTO countries SELECT substr(hour, 1, 10), coalesce(country, ''), count(*) FROM events GROUP BY 1, 2"
    )


def downgrade() -> None:
    op.drop_table("countries")
    op.drop_table("days")
