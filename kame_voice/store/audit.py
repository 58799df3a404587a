"""The audit log as it is read: what was done, newest first, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import and_, or_, select

from kame_voice.store.account_tables import AuditEntry
from kame_voice.store.cursors import moment_cursor, read_moment
from kame_voice.store.database import Database

__all__ = ["AuditLine", "AuditPage", "AuditReader"]


class AuditLine(BaseModel):
    """One thing somebody did."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    at: datetime
    who: str
    via: str
    action: str
    address: str | None
    call_id: str | None
    customer: str | None
    data: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the log; `next` is the cursor of the page after it."""

    entries: list[AuditLine]
    next: str | None


class AuditReader:
    """Reads the log. Blocks; raises the StoreErrors of `Database.read`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        call_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> AuditPage:
        """At most `limit` entries, newest first. Raises BadCursor.

        `action` may be a group of them, such as "call".
        """
        query = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit + 1)
        if who is not None:
            query = query.where(AuditEntry.who == who)
        if call_id is not None:
            query = query.where(AuditEntry.call_id == call_id)
        if action is not None:
            query = query.where(
                or_(
                    AuditEntry.action == action,
                    AuditEntry.action.startswith(f"{action}.", autoescape=True),
                )
            )
        if since is not None:
            query = query.where(AuditEntry.at >= since)
        if until is not None:
            query = query.where(AuditEntry.at < until)
        if before is not None:
            at, entry_id = read_moment(before)
            query = query.where(or_(AuditEntry.at < at, and_(AuditEntry.at == at, AuditEntry.id < entry_id)))
        found = self._database.read(lambda session: list(session.scalars(query)))
        page = found[:limit]
        more = len(found) > limit
        return AuditPage(
            entries=[AuditLine.model_validate(entry) for entry in page],
            next=moment_cursor(page[-1].at, page[-1].id) if more else None,
        )
