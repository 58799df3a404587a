"""Deletes calls with all that the database holds of them, for good; never one that runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, func, literal, or_, select, text, tuple_, update
from sqlalchemy.orm import Session

from kame_voice.store.account_tables import AuditEntry
from kame_voice.store.database import Database
from kame_voice.store.errors import CallRunning
from kame_voice.store.rows import UNFINISHED
from kame_voice.store.tables import Call, UtcDateTime

__all__ = ["CallEraser", "OldCall"]

_SETTLED: Final = timedelta(minutes=1)
"""After its end: the last of its rows may still be on their way, and would bring it back."""
_WORDED: Final = ("call.note", "call.tag", "live.whisper")
"""What the audit log keeps people's words of."""


@dataclass(frozen=True, slots=True)
class OldCall:
    """A call that may be deleted."""

    id: str
    line: str
    customer: str
    started_at: datetime


class CallEraser:
    """Methods block; they raise the StoreErrors of `Database.read` and `Database.change`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def erasable(self, call_id: str, now: datetime) -> OldCall | None:
        """The call, if it may be deleted; None where there is none. Raises CallRunning."""
        found = self._find(Call.id == call_id, 1)
        if found and not self._find(and_(Call.id == call_id, _is_over(now)), 1):
            raise CallRunning(
                "the call runs, or has just ended", where=call_id, do="delete it a minute after its end"
            )
        return found[0] if found else None

    def begun_before(
        self,
        moment: datetime,
        now: datetime,
        limit: int,
        *,
        after: OldCall | None = None,
        is_recorded: bool = False,
    ) -> Sequence[OldCall]:
        """Calls that began before `moment`, the oldest first, later than `after`; with a recording alone."""
        wanted = _before(moment, now, is_recorded=is_recorded)
        if after is not None:
            # As one comparison: with an OR, SQLite reads and sorts all that are left.
            here = tuple_(literal(after.started_at, UtcDateTime), literal(after.id))
            wanted = and_(wanted, tuple_(Call.started_at, Call.id) > here)
        return self._find(wanted, limit)

    def count_before(self, moment: datetime, now: datetime, *, is_recorded: bool = False) -> int:
        """How many calls began before `moment` and may be deleted; with a recording alone."""
        query = select(func.count()).select_from(Call).where(_before(moment, now, is_recorded=is_recorded))
        return self._database.read(lambda session: session.scalar(query) or 0)

    def delete(self, call_ids: Collection[str], now: datetime) -> int:
        """Delete these calls with their turns, oracles, events, notes, tags, questions, words; how many.

        What the audit log says of them keeps who, what and when, and loses their words.
        """

        def work(session: Session) -> int:
            if session.get_bind().dialect.name == "sqlite":
                # Else what was deleted stays in the file until its place is needed.
                session.execute(text("PRAGMA secure_delete = ON"))
            gone = session.scalars(
                delete(Call).where(Call.id.in_(call_ids), _is_over(now)).returning(Call.id)
            )
            ids = gone.all()
            worded = and_(AuditEntry.call_id.in_(ids), AuditEntry.action.in_(_WORDED))
            session.execute(update(AuditEntry).where(worded).values(data={}))
            return len(ids)

        return self._database.change(work)

    def forget_recordings(self, call_ids: Collection[str]) -> None:
        """The calls stay; that they have a recording is forgotten."""
        unrecorded = update(Call).where(Call.id.in_(call_ids)).values(recording=None)
        self._database.change(lambda session: session.execute(unrecorded))

    def known(self, call_ids: Collection[str]) -> set[str]:
        """Those of these ids that are calls."""
        query = select(Call.id).where(Call.id.in_(call_ids))
        return self._database.read(lambda session: set(session.scalars(query)))

    def _find(self, wanted: ColumnElement[bool], limit: int) -> Sequence[OldCall]:
        query = (
            select(Call.id, Call.line, Call.customer, Call.started_at)
            .where(wanted)
            .order_by(Call.started_at, Call.id)
            .limit(limit)
        )
        return self._database.read(lambda session: [OldCall(*row) for row in session.execute(query)])


def _is_over(now: datetime) -> ColumnElement[bool]:
    settled = or_(Call.ended_at.is_(None), Call.ended_at < now - _SETTLED)
    return and_(Call.status.not_in(UNFINISHED), settled)


def _before(moment: datetime, now: datetime, *, is_recorded: bool) -> ColumnElement[bool]:
    wanted = and_(Call.started_at < moment, _is_over(now))
    return and_(wanted, Call.recording.is_not(None)) if is_recorded else wanted
