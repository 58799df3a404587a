"""The tables of people: users, their sessions, tokens and one-time links, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kame_voice.store.tables import Base

__all__ = ["ApiToken", "AuditEntry", "OneTimeLink", "User", "UserSession"]


class User(Base):
    """Somebody who may sign in. `customers` holds slugs, or "*" for all of them."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_name", "name", unique=True),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    customers: Mapped[list[Any]]
    password_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class UserSession(Base):
    """A signed-in browser. Only the hash of its cookie is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_user_id", "user_id"),)

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str | None] = mapped_column(String(64))
    browser: Mapped[str | None] = mapped_column(String(256))


class ApiToken(Base):
    """A program's key to what its user may see. Only its hash and its first letters are kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        Index("ix_api_tokens_user_id", "user_id"),
        Index("uq_api_tokens_hash", "hash", unique=True),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    begins: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OneTimeLink(Base):
    """A link that sets a password once. Without a user it makes the first admin."""

    __tablename__ = "one_time_links"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AuditEntry(Base):
    """What somebody did. Outlives the user and the call that it names."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at_id", "at", "id"),
        Index("ix_audit_who_at", "who", "at"),
        Index("ix_audit_call_id_at", "call_id", "at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[str | None] = mapped_column(String(64))
    who: Mapped[str] = mapped_column(String(64))
    via: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(64))
    call_id: Mapped[str | None] = mapped_column(String(64))
    customer: Mapped[str | None] = mapped_column(String(64))
    data: Mapped[dict[str, Any]]
