"""Closes calls that a crash left open, at the length of their record. It is told who lives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kame_voice.store.recordings import RecordingStore
from kame_voice.store.rows import UNFINISHED, CallStatus
from kame_voice.store.tables import Call, Event, Turn

__all__ = ["interrupt_the_dead"]

log = structlog.get_logger()


def interrupt_the_dead(
    session: Session,
    recordings: RecordingStore,
    now: datetime,
    still_runs: Callable[[str | None], bool],
) -> int:
    """Turn calls whose owner does not live into `interrupted`, and commit; how many there were."""
    unfinished = session.scalars(select(Call).where(Call.status.in_(UNFINISHED))).all()
    dead = [call for call in unfinished if not still_runs(call.owner)]
    for call in dead:
        _interrupt(session, recordings, call, now)
    session.commit()
    return len(dead)


def _interrupt(session: Session, recordings: RecordingStore, call: Call, now: datetime) -> None:
    try:
        recorded_ms = recordings.repair(call.id) or 0
    except OSError as error:
        log.error("a recording cannot be repaired", call_id=call.id, error=str(error))
        recorded_ms = 0
    last_turn = session.scalar(select(func.max(Turn.end_ms)).where(Turn.call_id == call.id))
    last_event = session.scalar(select(func.max(Event.at_ms)).where(Event.call_id == call.id))
    index = session.scalar(select(func.max(Event.index)).where(Event.call_id == call.id))
    # The recording counts the caller's samples: where there is one it knows best.
    duration_ms = max(recorded_ms, last_turn or 0, last_event or 0)
    call.status = CallStatus.INTERRUPTED
    call.end_reason = "the server stopped without warning"
    call.duration_ms = duration_ms
    call.ended_at = (call.answered_at or call.started_at) + timedelta(milliseconds=duration_ms)
    session.add(
        Event(
            call_id=call.id,
            index=0 if index is None else index + 1,
            at_ms=duration_ms,
            kind="interrupted",
            data={"closed_at": now.isoformat()},
        )
    )
    log.warning("call closed as interrupted", call_id=call.id, duration_ms=duration_ms)
