"""The database: SQLite in a file by default, PostgreSQL by URL; its tables brought up to date at start."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from kame_voice.store.errors import BadDatabaseUrl, DatabaseSchema, DatabaseUnreachable, explain

__all__ = ["Database"]

_T = TypeVar("_T")

_READ_BUSY_MS: Final = 5_000
_READ_TIMEOUT_S: Final = 60.0
"""Long enough for a migration of large tables."""
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_ADVISORY_LOCK: Final = 0x6B616D65
"""Any number that nobody else takes ("kame"): servers that start together migrate one by one."""


class Database:
    """One database; `engine` is for reading and for repairs, the writer makes its own."""

    def __init__(self, url: str, *, busy_ms: int = _READ_BUSY_MS) -> None:
        self.url = _checked(url)
        self.where = self.url.render_as_string(hide_password=True)
        self.engine = self.make_engine(busy_ms)

    @classmethod
    def open(cls, url: str, *, busy_ms: int = _READ_BUSY_MS) -> Database:
        """Open for a server: make the database if there is none, upgrade its tables to this version.

        Raises BadDatabaseUrl, DatabaseUnreachable, DatabaseLocked, DatabaseCorrupt or DatabaseSchema.
        """
        database = cls(url, busy_ms=busy_ms)
        database._make_file()
        try:
            database._upgrade()
        except (SQLAlchemyError, OSError) as error:
            database.close()
            raise explain(error, database.where) from error
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def open_existing(cls, url: str) -> Database:
        """Open for a look: nothing is made or upgraded. Raises as `open` does."""
        database = cls(url)
        try:
            database._check_revision()
        except (SQLAlchemyError, OSError) as error:
            database.close()
            raise explain(error, database.where) from error
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close all connections of `engine`."""
        self.engine.dispose()

    def read(self, work: Callable[[Session], _T]) -> _T:
        """What `work` finds, in one session. Blocks. Raises the StoreErrors of `store.errors.explain`."""
        try:
            with Session(self.engine) as session:
                return work(session)
        except (SQLAlchemyError, OSError) as error:
            raise explain(error, self.where) from error

    def change(self, work: Callable[[Session], _T]) -> _T:
        """Do `work` as one transaction, on SQLite the only writing one from its start. Raises as `read`."""
        try:
            with (
                self.engine.connect().execution_options(kame_begin="BEGIN IMMEDIATE") as connection,
                Session(connection, expire_on_commit=False) as session,
                session.begin(),
            ):
                return work(session)
        except (SQLAlchemyError, OSError) as error:
            raise explain(error, self.where) from error

    def make_engine(self, busy_ms: int, *, pool_size: int = 5, timeout_s: float = _READ_TIMEOUT_S) -> Engine:
        """A pool of connections: SQLite waits `busy_ms` for a lock, PostgreSQL `timeout_s` for an answer."""
        if self.url.get_backend_name() == "sqlite":
            engine = create_engine(self.url, pool_size=pool_size, connect_args={"timeout": busy_ms / 1000})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        # pg8000's `timeout` bounds connecting and every answer, so a hanging server is an error, not a stop.
        options = {"timeout": timeout_s} if self.url.get_driver_name() == "pg8000" else {}
        try:
            return create_engine(
                self.url, pool_size=pool_size, pool_pre_ping=True, pool_recycle=1800, connect_args=options
            )
        except ModuleNotFoundError as error:
            raise BadDatabaseUrl(
                f"the driver {error.name} is not installed",
                where=self.where,
                do='install it: pip install "kame-voice[postgres]"',
            ) from error

    def _make_file(self) -> None:
        """Make a SQLite file that only its owner reads: it holds what callers said."""
        if self.url.get_backend_name() != "sqlite":
            return
        path = Path(str(self.url.database))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise DatabaseUnreachable(
                f"cannot be made ({error.strerror})", where=str(path), do="check KAME_DATA_DIR"
            ) from error

    def _upgrade(self) -> None:
        from alembic import command
        from alembic.util.exc import CommandError

        if self.url.get_backend_name() == "sqlite":
            # Kept in the file: readers never wait for the writer, nor it for them.
            with self.engine.connect().execution_options(kame_begin=None) as plain:
                plain.execute(text("PRAGMA journal_mode=WAL"))
        with (
            self.engine.connect().execution_options(kame_begin="BEGIN IMMEDIATE") as connection,
            connection.begin(),
        ):
            if self.url.get_backend_name() == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            try:
                command.upgrade(_alembic(connection), "head")
            except CommandError as error:
                raise self._foreign_schema(str(error)) from error

    def _check_revision(self) -> None:
        from alembic.migration import MigrationContext
        from alembic.script import ScriptDirectory

        if self.url.get_backend_name() == "sqlite" and not Path(str(self.url.database)).exists():
            raise DatabaseUnreachable(
                "there is no database yet", where=self.where, do="start `kame-voice serve` once"
            )
        with self.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            wanted = ScriptDirectory.from_config(_alembic(connection)).get_current_head()
        if found != wanted:
            raise self._foreign_schema(f"revision {found}, this version has {wanted}")

    def _foreign_schema(self, detail: str) -> DatabaseSchema:
        return DatabaseSchema(
            f"the tables are of another version ({detail})",
            where=self.where,
            do="start this version's `kame-voice serve` once, or use the version that wrote it",
        )


def _alembic(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+pg8000")
            backend = "postgresql"
    except (ArgumentError, NoSuchModuleError) as error:
        raise BadDatabaseUrl(
            "is no database URL",
            where="KAME_DATABASE_URL",
            do="write it as postgresql://user:password@host/name",
        ) from error
    if backend not in ("sqlite", "postgresql"):
        raise BadDatabaseUrl(
            f"{backend} is not supported", where="KAME_DATABASE_URL", do="use sqlite:///… or postgresql://…"
        )
    if backend == "sqlite" and (not parsed.database or ":memory:" in parsed.database):
        raise BadDatabaseUrl(
            "a database in memory loses every call",
            where="KAME_DATABASE_URL",
            do="name a file: sqlite:///data/kame.db",
        )
    return parsed


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # We say BEGIN ourselves, so that a migration is one transaction (the driver's own does not cover DDL).
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        connection.isolation_level = None
    cursor = connection.cursor()
    # NORMAL: with WAL a lost power supply may cost the last commits, never the file; kill -9 costs nothing.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("kame_begin", "BEGIN")
    if begin is not None:
        connection.exec_driver_sql(begin)
