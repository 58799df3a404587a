"""Cursors of lists: opaque to whoever carries them from one page to the next."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from kame_voice.store.errors import BadCursor

__all__ = ["bad_cursor", "decoded", "encoded", "moment_cursor", "read_moment"]


def moment_cursor(at: datetime, row_id: str) -> str:
    """The cursor behind a row of a list that is ordered by a moment, then by an id."""
    return encoded(f"{at.isoformat()} {row_id}")


def read_moment(cursor: str) -> tuple[datetime, str]:
    """The row that a `moment_cursor` stands behind. Raises BadCursor."""
    try:
        moment, row_id = decoded(cursor).split(" ")
        at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise bad_cursor(cursor) from error
    if at.tzinfo is None:
        raise bad_cursor(cursor)
    return at, row_id


def encoded(position: str) -> str:
    """A position as a cursor."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def decoded(cursor: str) -> str:
    """The position in a cursor. Raises ValueError."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(cursor) from error


def bad_cursor(cursor: str) -> BadCursor:
    """What to tell whoever brought a cursor that no list gave."""
    return BadCursor("is no cursor of ours", where=cursor[:80], do="take `next` of a page, unchanged")
