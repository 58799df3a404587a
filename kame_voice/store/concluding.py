"""Concludes calls that are over: their summary, their words for the search, their open questions.

Runs on the record writer's thread once everything of a call is stored, and again should more of it
come. Whatever a crash kept from being concluded, and calls of an older version, are due at the next start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Select, select, update
from sqlalchemy.orm import Session

from kame_voice.store.rows import UNFINISHED
from kame_voice.store.search import Line, keep_words
from kame_voice.store.summary import InVain, Summary, summarise
from kame_voice.store.tables import NOT_SUMMARISED, Call, Event, FlowSnapshot, OpenQuestion, Oracle, Turn

__all__ = ["conclude_due", "conclude_one", "due_ids", "is_due_again", "set_aside", "take_up_again"]

_T = TypeVar("_T", Turn, Oracle, Event, OpenQuestion)
_R = TypeVar("_R", tuple[Call], tuple[str])

_COLUMNS: Final = (
    "worst_gap_ms", "ungrounded", "unanswered", "barge_ins", "failures", "turn_count", "oracle_outcomes",
    "opening",
)  # fmt: skip


def is_due_again(connection: Connection, call_ids: Collection[str]) -> None:
    """More of these calls was stored: a summary made before is made anew. Does not commit."""
    connection.execute(
        update(Call).where(Call.id.in_(call_ids), Call.summarised.is_(True)).values(summarised=False)
    )


def take_up_again(connection: Connection) -> None:
    """Calls that were set aside are due once more. Does not commit."""
    aside = (NOT_SUMMARISED, Call.summary_error.is_not(None))
    connection.execute(update(Call).where(*aside).values(summary_error=None))


def set_aside(connection: Connection, call_id: str, why: str) -> None:
    """The call is not summed up until `take_up_again`. Does not commit."""
    connection.execute(update(Call).where(Call.id == call_id).values(summary_error=why))


def due_ids(connection: Connection, limit: int) -> Sequence[str]:
    """The ids of at most `limit` calls that are over and not summed up."""
    return connection.scalars(_due(select(Call.id)).limit(limit)).all()


def conclude_due(connection: Connection, limit: int) -> int:
    """Conclude at most `limit` calls that are over; how many there were. Does not commit.

    About 2 ms for a call of 20 turns.
    """
    return _conclude_all(connection, _due(select(Call)).limit(limit))


def conclude_one(connection: Connection, call_id: str) -> None:
    """Conclude this call, where it is due. Does not commit."""
    _conclude_all(connection, _due(select(Call)).where(Call.id == call_id))


def _due(query: Select[_R]) -> Select[_R]:
    return query.where(NOT_SUMMARISED, Call.summary_error.is_(None), Call.status.not_in(UNFINISHED)).order_by(
        Call.id
    )


def _conclude_all(connection: Connection, due: Select[tuple[Call]]) -> int:
    with Session(connection, autoflush=False) as session:
        # Locked: of servers that share a database, one sums a call up, and the others find it done.
        calls = session.scalars(due.with_for_update()).all()
        if not calls:
            return 0  # as after most rows: those of running calls
        unknown = _unknown_sentences(session, {call.flow_version for call in calls})
        parts = _Parts(session, [call.id for call in calls])
        for call in calls:
            _conclude(session, call, parts, unknown.get(call.flow_version))
        session.flush()
    return len(calls)


def _unknown_sentences(session: Session, versions: Collection[str]) -> dict[str, str | None]:
    flows = session.scalars(select(FlowSnapshot).where(FlowSnapshot.version.in_(versions)))
    return {flow.version: flow.content.get("unknown") for flow in flows}


class _Parts:
    """What belongs to several calls, read by one query a table."""

    def __init__(self, session: Session, call_ids: Sequence[str]) -> None:
        def read(table: type[_T], *order: Any) -> dict[str, list[_T]]:
            of: Any = table
            found: dict[str, list[_T]] = defaultdict(list)
            for row in session.scalars(select(table).where(of.call_id.in_(call_ids)).order_by(*order)):
                found[row.call_id].append(row)
            return found

        self.turns = read(Turn, Turn.start_ms, Turn.index)
        self.oracles = read(Oracle, Oracle.asked_ms, Oracle.id)
        self.events = read(Event, Event.index)
        self.questions = read(OpenQuestion)


def _conclude(session: Session, call: Call, parts: _Parts, unknown: str | None) -> None:
    turns = parts.turns[call.id]
    summary = summarise(call, turns, parts.oracles[call.id], parts.events[call.id], unknown)
    for name in _COLUMNS:
        setattr(call, name, getattr(summary, name))
    lines = [Line(turn.speaker, turn.start_ms, turn.text) for turn in turns if turn.text]
    call.words_id = keep_words(session.connection(), call, lines)
    kept = {question.oracle_id: question for question in parts.questions[call.id]}
    _keep_questions(session, call, summary, kept)
    call.summarised, call.summary_error = True, None


def _keep_questions(session: Session, call: Call, summary: Summary, kept: dict[str, OpenQuestion]) -> None:
    """The call's open questions are those of its summary; one that stays keeps its vector."""
    wanted = {one.oracle_id: one for one in summary.in_vain if one.text.strip()}
    for id_, question in kept.items():
        if id_ not in wanted:
            session.delete(question)
    for id_, one in wanted.items():
        if id_ not in kept:
            session.add(_open_question(call, one))
        elif kept[id_].text != one.text:
            kept[id_].text, kept[id_].vector = one.text, None


def _open_question(call: Call, asked: InVain) -> OpenQuestion:
    return OpenQuestion(
        call_id=call.id,
        oracle_id=asked.oracle_id,
        line=call.line,
        customer=call.customer,
        at_ms=asked.at_ms,
        asked_at=(call.answered_at or call.started_at) + timedelta(milliseconds=asked.at_ms),
        text=asked.text,
    )
