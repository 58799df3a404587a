"""What can be wrong with the database, told so that a person can mend it."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from kame_voice.core.errors import KameError

__all__ = [
    "AmbiguousCallId",
    "BadCursor",
    "BadDatabaseUrl",
    "BadNote",
    "BadSearch",
    "CallNotFound",
    "CallRunning",
    "DatabaseCorrupt",
    "DatabaseFull",
    "DatabaseLocked",
    "DatabaseSchema",
    "DatabaseUnreachable",
    "LastAdmin",
    "LinkSpent",
    "SoundKept",
    "StoreError",
    "SummaryFailed",
    "TokenExists",
    "TokenNotFound",
    "UnsafeRecordingName",
    "UserExists",
    "UserNotFound",
    "explain",
    "is_bad_row",
    "is_outage",
]


class StoreError(KameError):
    """Something about what is kept of calls."""

    code = "store"


class BadDatabaseUrl(StoreError):
    """`database_url` names no database that this program can use."""

    code = "bad-database-url"


class DatabaseUnreachable(StoreError):
    """The database cannot be opened or connected to."""

    code = "database-unreachable"


class DatabaseLocked(StoreError):
    """Another program holds the database."""

    code = "database-locked"


class DatabaseCorrupt(StoreError):
    """The file is not a database, or a damaged one."""

    code = "database-corrupt"


class DatabaseFull(StoreError):
    """There is no room left to write."""

    code = "disk-full"


class DatabaseSchema(StoreError):
    """The tables are not those of this version."""

    code = "database-schema"


class CallNotFound(StoreError):
    """No call has this id."""

    code = "call-not-found"


class CallRunning(StoreError):
    """A call that runs cannot be deleted."""

    code = "call-running"


class AmbiguousCallId(StoreError):
    """Several calls' ids begin like this."""

    code = "ambiguous-call-id"


class BadCursor(StoreError):
    """The cursor of a list is not one that a list gave."""

    code = "bad-cursor"


class BadSearch(StoreError):
    """The words to search for make no query."""

    code = "bad-search"


class BadNote(StoreError):
    """A note or tag that cannot be kept as it is."""

    code = "bad-note"


class UnsafeRecordingName(StoreError):
    """A recording's name that could lead out of the recordings' folder."""

    code = "unsafe-recording-name"


class SummaryFailed(StoreError):
    """A call that is over could not be summed up; it was set aside."""

    code = "summary-failed"


class SoundKept(StoreError):
    """A recording, or its outline, could not be deleted; nor was its call."""

    code = "sound-kept"


class UserExists(StoreError):
    """A user of this name exists."""

    code = "user-exists"


class UserNotFound(StoreError):
    """There is no such user."""

    code = "user-not-found"


class LastAdmin(StoreError):
    """The change would leave nobody to manage users."""

    code = "last-admin"


class LinkSpent(StoreError):
    """A one-time link that is unknown, used or expired."""

    code = "link-spent"


class TokenExists(StoreError):
    """The user has a token of this name."""

    code = "token-exists"


class TokenNotFound(StoreError):
    """The user has no token of this name."""

    code = "token-not-found"


def explain(error: SQLAlchemyError | OSError, where: str) -> StoreError:
    """The error as a person should read it. `where` names the database without its password.

    An OSError is a broken connection: pg8000 lets those through as they are.
    """
    cause = error.orig if isinstance(error, DBAPIError) else None
    number = getattr(cause, "sqlite_errorcode", None)
    # Extended codes keep the primary one in their low byte (sqlite.org/rescode.html).
    primary = number & 0xFF if isinstance(number, int) else None
    text = " ".join(str(cause or error).split())
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseLocked(
            "another program holds the database", where=where, do="close it, or wait until it is done"
        )
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DatabaseCorrupt(
            f"the file is damaged or no database ({text})",
            where=where,
            do="move it away and start again, or restore a backup",
        )
    if primary == sqlite3.SQLITE_FULL or _sqlstate(cause) == "53100":
        return DatabaseFull("no room is left to write", where=where, do="free space on its disk")
    if primary == sqlite3.SQLITE_READONLY:
        return DatabaseUnreachable("the database may not be written", where=where, do="mend its permissions")
    if primary == sqlite3.SQLITE_ERROR or (_sqlstate(cause) or "")[:2] == "42":
        return DatabaseSchema(
            f"the tables are not as expected ({text})", where=where, do="run `kame-voice serve` once"
        )
    return DatabaseUnreachable(
        f"cannot be opened ({text})", where=where, do="check KAME_DATABASE_URL and KAME_DATA_DIR"
    )


def is_bad_row(error: Exception) -> bool:
    """Whether the row itself can never be stored, so that trying again is of no use."""
    if isinstance(error, IntegrityError | DataError | UnicodeError):
        return True
    if isinstance(error, DBAPIError):
        # Classes 22 (data) and 23 (constraint) of PostgreSQL's Appendix A.
        return (_sqlstate(error.orig) or "")[:2] in ("22", "23")
    return isinstance(error, StatementError)


def is_outage(error: Exception) -> bool:
    """Whether the database cannot be used at present, whatever is asked of it: later the same may succeed."""
    if isinstance(error, OSError | NoConnectionFree):
        return True
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError | DataError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        number = getattr(error.orig, "sqlite_errorcode", 0)
        # Whole, not its low byte: a damaged search index (SQLITE_CORRUPT_VTAB) is no damaged file.
        return number in _SQLITE_OUTAGES or number & 0xFF in _SQLITE_BUSY
    state = _sqlstate(error.orig)
    return error.connection_invalidated or state is None or state[:2] in _POSTGRESQL_OUTAGES


_SQLITE_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}
_SQLITE_OUTAGES: Final = {
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY,
}  # fmt: skip
_POSTGRESQL_OUTAGES: Final = {"08", "25", "40", "53", "55", "57", "58"}
"""Classes of PostgreSQL's Appendix A: connection, read-only, deadlock, no room, locked, shut down, system."""


def _sqlstate(cause: BaseException | None) -> str | None:
    """The five letters of a PostgreSQL error: pg8000 keeps them as field `C`, psycopg as an attribute."""
    named = getattr(cause, "sqlstate", None)
    if isinstance(named, str):
        return named
    fields = cause.args[0] if cause is not None and cause.args else None
    state = fields.get("C") if isinstance(fields, dict) else None
    return state if isinstance(state, str) else None
