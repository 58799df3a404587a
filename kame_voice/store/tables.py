"""The tables, as SQLAlchemy declares them. Their fields are explained in `store/rows.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

__all__ = [
    "FLAGGED",
    "NOT_SUMMARISED",
    "NO_VECTOR",
    "Base",
    "Call",
    "CallTag",
    "Event",
    "FlowSnapshot",
    "Note",
    "OpenQuestion",
    "Oracle",
    "Turn",
    "UtcDateTime",
]

NOT_SUMMARISED = text("summarised = false")
"""The condition of the index of calls whose summary is due; a query words it alike to use that index."""

NO_VECTOR = text("vector IS NULL")
"""The condition of the index of questions whose meaning is still to be computed."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time of day without its time zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables; constraints are named alike on every database, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - declared so by SQLAlchemy
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        int: BigInteger,
    }


FLAGGED = {
    "ungrounded": "ungrounded > 0",
    "unanswered": "unanswered > 0",
    "barge_ins": "barge_ins > 0",
    "failures": "failures > 0",
}
"""Flag of a call → the condition of its partial index; a query words it alike to use that index."""


class FlowSnapshot(Base):
    """A flow as it was for the calls that name its version."""

    __tablename__ = "flows"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    line: Mapped[str] = mapped_column(String(64))
    customer: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    first_used_at: Mapped[datetime]


class Call(Base):
    """One conversation."""

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_started_at_id", "started_at", "id"),
        Index("ix_calls_line_started_at_id", "line", "started_at", "id"),
        Index("ix_calls_customer_started_at_id", "customer", "started_at", "id"),
        Index("ix_calls_status_started_at_id", "status", "started_at", "id"),
        Index("ix_calls_provider_id", "provider_id"),
        *(
            Index(
                f"ix_calls_{flag}", "started_at", "id", sqlite_where=text(rare), postgresql_where=text(rare)
            )
            for flag, rare in FLAGGED.items()
        ),
        Index("ix_calls_words_id", "words_id", unique=True),
        Index("ix_calls_summary_due", "id", sqlite_where=NOT_SUMMARISED, postgresql_where=NOT_SUMMARISED),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(128))
    line: Mapped[str] = mapped_column(String(64))
    customer: Mapped[str] = mapped_column(String(64))
    from_number: Mapped[str] = mapped_column(String(256))
    to_number: Mapped[str] = mapped_column(String(256))
    # Not a foreign key: a call is kept even where its flow could not be.
    flow_version: Mapped[str] = mapped_column(String(64))
    front_end: Mapped[str] = mapped_column(String(32))
    oracle_mode: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(32))
    end_reason: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    recording: Mapped[str | None] = mapped_column(String(256))
    response_gap_ms: Mapped[list[Any]]
    informed_gap_ms: Mapped[list[Any]]
    owner: Mapped[str | None] = mapped_column(String(128))
    # The summary, written by `store.concluding` once the call is over: a list reads no other table.
    summarised: Mapped[bool] = mapped_column(server_default=false())
    # Why it could not be summed up: the call is set aside until the next start.
    summary_error: Mapped[str | None] = mapped_column(Text)
    worst_gap_ms: Mapped[int | None]
    ungrounded: Mapped[int] = mapped_column(Integer, server_default="0")
    unanswered: Mapped[int] = mapped_column(Integer, server_default="0")
    barge_ins: Mapped[int] = mapped_column(Integer, server_default="0")
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    turn_count: Mapped[int] = mapped_column(Integer, server_default="0")
    oracle_outcomes: Mapped[dict[str, Any] | None]
    opening: Mapped[str | None] = mapped_column(Text)
    # Of its words in the table that `store.search` keeps: by time, as `started_at` in microseconds.
    words_id: Mapped[int | None]
    # What people decided about it.
    disposition: Mapped[str | None] = mapped_column(String(32))


class Turn(Base):
    """What one side said."""

    __tablename__ = "turns"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    speaker: Mapped[str] = mapped_column(String(16))
    text: Mapped[str | None] = mapped_column(Text)
    heard_text: Mapped[str | None] = mapped_column(Text)
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    verbatim: Mapped[bool]
    oracle_ids: Mapped[list[Any]]
    portions: Mapped[list[Any]] = mapped_column(JSON, server_default="[]")
    utterance: Mapped[int | None]
    word_ms: Mapped[list[Any] | None]


class Oracle(Base):
    """One candidate answer."""

    __tablename__ = "oracles"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(32))
    basis: Mapped[str] = mapped_column(Text)
    is_final: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    facts: Mapped[list[Any]]
    grounded: Mapped[bool | None]
    model: Mapped[str | None] = mapped_column(String(128))
    asked_ms: Mapped[int]
    first_token_ms: Mapped[int | None]
    adopted_ms: Mapped[int | None]
    confirmed_ms: Mapped[int | None]
    delivered_ms: Mapped[int | None]
    spoken_ms: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(32))
    error: Mapped[str | None] = mapped_column(Text)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cache_read_tokens: Mapped[int | None]
    cache_write_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None]


class Event(Base):
    """Something that happened on a call."""

    __tablename__ = "events"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_ms: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    data: Mapped[dict[str, Any]]


class Note(Base):
    """What somebody wrote about a call, or about a moment of it."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_call_id", "call_id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    at_ms: Mapped[int | None]
    author: Mapped[str] = mapped_column(String(128))
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]


class CallTag(Base):
    """A word that calls are gathered by."""

    __tablename__ = "call_tags"
    __table_args__ = (Index("ix_call_tags_tag", "tag", "call_id"),)

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(48), primary_key=True)


class OpenQuestion(Base):
    """A question that no fact answered. `vector`: its meaning, float16 [384]; None until it is made."""

    __tablename__ = "open_questions"
    __table_args__ = (
        Index("ix_open_questions_line_asked_at", "line", "asked_at"),
        Index("ix_open_questions_no_vector", "call_id", sqlite_where=NO_VECTOR, postgresql_where=NO_VECTOR),
    )

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    oracle_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    line: Mapped[str] = mapped_column(String(64))
    customer: Mapped[str] = mapped_column(String(64))
    at_ms: Mapped[int]
    asked_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
