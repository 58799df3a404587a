"""The SQLite file that a server has open: if somebody takes it away, it is put back with all it held."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine

from kame_voice.store.errors import DatabaseUnreachable

__all__ = ["DatabaseFile"]

_GONE_FOR_S: Final = 1.0
"""A file that is being moved into place may be missing for a moment."""


class DatabaseFile:
    """Knows whether the file still has its name. Without it everything would be lost at the server's end:
    an unlinked file lives only as long as the connections to it.
    """

    @classmethod
    def of(cls, url: URL) -> DatabaseFile | None:
        """The file of a SQLite database; None for a database server."""
        return cls(Path(str(url.database))) if url.get_backend_name() == "sqlite" else None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gone_since: float | None = None

    def is_gone(self, now: float) -> bool:
        """Whether the file has been missing for a second; `now` in seconds of any monotonic clock.

        Infinity is the end of all things: no second is waited. An empty file is missing too: whoever
        connects to a missing one makes that.
        """
        try:
            missing = self._path.stat().st_size == 0
        except FileNotFoundError:
            missing = True
        if not missing:
            self._gone_since = None
            return False
        if self._gone_since is None:
            self._gone_since = now
        return now == float("inf") or now - self._gone_since >= _GONE_FOR_S

    def put_back(self, engine: Engine) -> None:
        """Write all that `engine`'s open connection sees to the file's old place. Raises DatabaseUnreachable.

        Connections from before must then be closed: they go on reading the file without a name.
        """
        copy = self._path.with_name(f".{self._path.name}.rescued")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            os.close(os.open(copy, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            _copy(engine, copy)
            for ending in ("-wal", "-shm"):  # of the old file, whose pages the copy holds
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
            copy.replace(self._path)
        except (OSError, sqlite3.Error) as error:
            raise DatabaseUnreachable(
                f"the file was taken away while in use, and cannot be put back ({error})",
                where=str(self._path),
                do="make room and mend the folder's permissions; until then do not stop the server",
            ) from error
        self._gone_since = None


def _copy(engine: Engine, place: Path) -> None:
    target = sqlite3.connect(place)
    try:
        with engine.connect().execution_options(kame_begin=None) as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            if not source.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.OperationalError("no connection to it was open")
            source.backup(target)
    finally:
        target.close()
