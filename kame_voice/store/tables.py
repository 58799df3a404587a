"""The tables, as SQLAlchemy declares them. Their fields are explained in `store/rows.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

__all__ = ["Base", "Call", "Event", "FlowSnapshot", "Oracle", "Turn", "UtcDateTime"]


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
        Index("ix_calls_line_started_at", "line", "started_at"),
        Index("ix_calls_provider_id", "provider_id"),
        Index("ix_calls_status", "status"),
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
    utterance: Mapped[int | None]


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
    asked_ms: Mapped[int]
    first_token_ms: Mapped[int | None]
    delivered_ms: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(32))
    error: Mapped[str | None] = mapped_column(Text)


class Event(Base):
    """Something that happened on a call."""

    __tablename__ = "events"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_ms: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    data: Mapped[dict[str, Any]]
