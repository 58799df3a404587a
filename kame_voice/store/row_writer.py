"""Rows on their way to the database: the newest version of each is kept until it is stored.

Knows no thread and no clock of its own: `write(now)` is one try.
"""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kame_voice.core.telemetry import Telemetry
from kame_voice.store.concluder import Concluder
from kame_voice.store.concluding import is_due_again
from kame_voice.store.database import Database
from kame_voice.store.database_file import DatabaseFile
from kame_voice.store.errors import DatabaseUnreachable, StoreError, explain, is_bad_row
from kame_voice.store.rows import Row, call_of
from kame_voice.store.upsert import WRITE_ORDER, upsert

__all__ = ["RowWriter"]

_BUSY_MS: Final = 150
"""The longest wait for another's lock, short because recordings wait behind it."""
_ANSWER_S: Final = 5.0
"""The longest wait for a database server's answer."""
_BATCH: Final = 500
"""Rows a transaction; several transactions a try when there is a backlog."""
_BATCHES: Final = 20
_FIRST_RETRY_S: Final = 0.25
_LAST_RETRY_S: Final = 5.0

log = structlog.get_logger()


class RowWriter:
    """Keeps at most `max_rows` waiting rows; a new one beyond that is dropped and counted."""

    def __init__(self, database: Database, telemetry: Telemetry, max_rows: int) -> None:
        self._where = database.where
        self._file = DatabaseFile.of(database.url)
        self._forget_readers = database.close
        self._engine = database.make_engine(_BUSY_MS, pool_size=1, timeout_s=_ANSWER_S)
        self._concluder = Concluder(self._engine, telemetry)
        self._telemetry = telemetry
        self._max_rows = max_rows
        self._waiting: dict[tuple[int, tuple[str | int, ...]], Row] = {}
        self._down = False
        self._overflowing = False
        # At the start calls may be due that a crash, or an older version, left behind.
        self._conclude = True
        self._retry_s = _FIRST_RETRY_S
        self._retry_at = float("-inf")

    @property
    def waiting(self) -> int:
        """Rows not yet stored."""
        return len(self._waiting)

    def add(self, row: Row) -> None:
        """Take a row, in place of an earlier version of it that still waits."""
        key = (WRITE_ORDER.index(type(row)), row.key)
        if key in self._waiting or len(self._waiting) < self._max_rows:
            self._waiting[key] = row
            return
        self._telemetry.record_dropped.labels(_kind(row)).inc()
        if not self._overflowing:
            self._overflowing = True
            log.error("records are being lost", waiting=len(self._waiting), database=self._where)

    def write(self, now: float) -> None:
        """Store what waits, unless the last try failed too short a time ago. A failure is kept to be retried.

        `now` in seconds of any monotonic clock.
        """
        if now < self._retry_at or not self._is_in_place(now):
            return
        for _ in range(_BATCHES):
            if not self._waiting:
                self._conclude_some(now)
                return
            # Calls before what belongs to them; otherwise in the order of arrival.
            batch = sorted(self._waiting, key=lambda key: key[0])[:_BATCH]
            if not self._store(batch, now):
                return

    def close(self) -> None:
        """Close the connection; what still waits is lost and counted."""
        self._is_in_place(float("inf"))
        for row in self._waiting.values():
            self._telemetry.record_dropped.labels(_kind(row)).inc()
        if self._waiting:
            log.error("records were lost at the end", rows=len(self._waiting), database=self._where)
        self._waiting.clear()
        self._engine.dispose()

    def _is_in_place(self, now: float) -> bool:
        """Whether there is a database to write to; a SQLite file that was taken away is put back."""
        if self._file is None or not self._file.is_gone(now):
            return True
        try:
            self._file.put_back(self._engine)
        except (SQLAlchemyError, DatabaseUnreachable) as error:
            self._failed(error, now)
            return False
        self._engine.dispose()
        self._forget_readers()
        log.error("the database file was taken away while in use; it was put back", database=self._where)
        return True

    def _store(self, batch: list[tuple[int, tuple[str | int, ...]]], now: float) -> bool:
        try:
            with self._engine.begin() as connection:
                rows = [self._waiting[key] for key in batch]
                upsert(connection, rows)
                is_due_again(connection, {call_id for row in rows if (call_id := call_of(row)) is not None})
        except (SQLAlchemyError, OSError, UnicodeError) as error:
            if isinstance(error, SQLAlchemyError | OSError) and not is_bad_row(error):
                self._failed(error, now)
                return False
            if len(batch) > 1:
                # One row spoils the transaction: find it by halves, so that the others are kept.
                half = len(batch) // 2
                return self._store(batch[:half], now) and self._store(batch[half:], now)
            self._refuse(self._waiting.pop(batch[0]), error)
            return True
        for key in batch:
            del self._waiting[key]
        self._conclude = True
        self._succeeded()
        return True

    def _conclude_some(self, now: float) -> None:
        """With everything stored: sum up calls that are over, a few a try."""
        if not self._conclude:
            return
        self._conclude = False  # also where it fails in a way that trying again would not mend
        try:
            self._conclude = self._concluder.round()
        except (SQLAlchemyError, OSError) as error:
            self._conclude = True
            self._failed(error, now)

    def _failed(self, error: SQLAlchemyError | OSError | StoreError, now: float) -> None:
        self._retry_at = now + self._retry_s
        self._retry_s = min(self._retry_s * 2, _LAST_RETRY_S)
        if not self._down:
            self._down = True
            told = error if isinstance(error, StoreError) else explain(error, self._where)
            log.error("records are not being stored", code=told.code, error=str(told))

    def _succeeded(self) -> None:
        self._retry_s = _FIRST_RETRY_S
        if self._down or self._overflowing:
            self._down = self._overflowing = False
            log.warning("records are stored again", database=self._where)

    def _refuse(self, row: Row, error: Exception) -> None:
        self._telemetry.record_dropped.labels(_kind(row)).inc()
        # Only the error's kind: its text may hold a caller's words.
        log.error("a record cannot be stored", kind=_kind(row), key=row.key, error=type(error).__name__)


def _kind(row: Row) -> str:
    return type(row).__name__.removesuffix("Row").lower()
