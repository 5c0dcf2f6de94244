"""What Alembic runs for each migration: on the connection, and in the transaction, that ivr.database gives it."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
