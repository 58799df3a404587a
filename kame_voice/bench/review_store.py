"""The filled database that the review's benchmarks look at: SQLite in a folder, or PostgreSQL by its URL."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.pool import NullPool

from kame_voice.core.errors import KameError
from kame_voice.flows.folder import flow_paths
from kame_voice.flows.loader import load_flow
from kame_voice.flows.schema import Flow
from kame_voice.store.archive import Archive
from kame_voice.store.database import Database
from kame_voice.store.tables import Call

__all__ = ["ForeignCalls", "MeasuredStore", "measured_store"]


class ForeignCalls(KameError):
    """The database to be filled holds calls of its own."""

    code = "foreign-calls"


@dataclass(frozen=True, slots=True)
class MeasuredStore:
    """A filled store; `settings` make a server use it. `filled_s` is None where it had been filled before."""

    settings: dict[str, str]
    name: str
    filled_s: float | None

    @property
    def notes(self) -> list[str]:
        """What the report says about it."""
        return [] if self.filled_s is None else [f"Filling took {self.filled_s:.0f} s."]


@contextlib.contextmanager
def measured_store(
    flows_dir: Path,
    wanted: Callable[[Archive, Sequence[Flow]], None],
    *,
    prefix: str,
    calls: int,
    folder: Path | None,
    database_url: str | None,
) -> Iterator[MeasuredStore]:
    """A store of `calls` calls whose ids begin with `prefix`, made by `wanted` unless it is so already.

    Raises ForeignCalls where anything else is in it: no invented call may come among real ones.
    """
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kame-review-")))
        url = database_url or f"sqlite:///{place / 'kame.db'}"
        archive = Archive.open(url, place)
        try:
            filled_s = None
            if not _is_filled(archive.database, prefix, calls):
                begun = time.monotonic()
                wanted(archive, [load_flow(path) for path in flow_paths(flows_dir)])
                _settle(archive.database)
                filled_s = time.monotonic() - begun
        finally:
            archive.close()
        settings = {"KAME_DATA_DIR": str(place), "KAME_DATABASE_URL": url}
        name = "PostgreSQL" if archive.database.url.get_backend_name() == "postgresql" else "SQLite"
        yield MeasuredStore(settings, name, filled_s)


def _is_filled(database: Database, prefix: str, calls: int) -> bool:
    def count(begins: str) -> int:
        query = select(func.count()).where(Call.id.startswith(begins))
        return database.read(lambda session: session.scalar(query) or 0)

    mine, every = count(prefix), count("")
    if mine == calls:
        return True
    if every:
        raise ForeignCalls(
            f"holds {every} calls already", where=database.where, do="name an empty database or folder"
        )
    return False


def _settle(database: Database) -> None:
    """What PostgreSQL does by itself within minutes (autovacuum), done at once."""
    if database.url.get_backend_name() == "postgresql":
        # An engine of its own: a vacuum runs in no transaction.
        engine = create_engine(database.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
