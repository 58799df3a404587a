"""Runs the revisions on the connection that `store.database` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from kame_voice.store import account_tables  # noqa: F401 - its tables belong to Base's
from kame_voice.store.tables import Base

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
# SQLite cannot alter a table in place: batch mode copies it.
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
context.run_migrations()
