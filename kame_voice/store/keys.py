"""What opens the door: sessions of browsers and tokens of programs, each known by its hash alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kame_voice.store.account_tables import ApiToken, User, UserSession
from kame_voice.store.database import Database
from kame_voice.store.errors import TokenExists, TokenNotFound
from kame_voice.store.users import UserRecord, record_of

__all__ = ["KeyStore", "SessionRecord", "TokenRecord"]

_NOTED_EVERY: Final = timedelta(minutes=1)
"""How often a use is written down: a page with ten requests writes once."""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One signed-in browser."""

    hash: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None
    browser: str | None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One API token; `begins` are the first letters of it, to tell it from others."""

    id: str
    name: str
    begins: str
    created_at: datetime
    used_at: datetime | None


class KeyStore:
    """Reads and changes sessions and tokens. Methods block; all raise the StoreErrors of `Database.read`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Sessions.

    def open_session(
        self,
        session_hash: str,
        user_id: str,
        now: datetime,
        lifetime: timedelta,
        *,
        address: str | None,
        browser: str | None,
    ) -> None:
        """Keep a session that just began, and note that its user signed in; forget what has expired."""

        def change(session: Session) -> None:
            session.execute(delete(UserSession).where(UserSession.expires_at <= now))
            session.execute(update(User).where(User.id == user_id).values(signed_in_at=now))
            session.add(
                UserSession(
                    hash=session_hash,
                    user_id=user_id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + lifetime,
                    address=address,
                    browser=browser[:256] if browser else None,
                )
            )

        self._database.change(change)

    def user_of_session(self, session_hash: str, now: datetime, idle: timedelta) -> UserRecord | None:
        """Whose session this is, where it lives and its user may sign in. Notes that it was used."""

        def look(session: Session) -> tuple[UserRecord, datetime] | None:
            row = session.get(UserSession, session_hash)
            if row is None or row.expires_at <= now or row.seen_at + idle <= now:
                return None
            user = session.get(User, row.user_id)
            return None if user is None or user.disabled_at is not None else (record_of(user), row.seen_at)

        found = self._database.read(look)
        if found is None:
            return None
        user, seen_at = found
        if now - seen_at >= _NOTED_EVERY:
            seen = update(UserSession).where(UserSession.hash == session_hash).values(seen_at=now)
            self._database.change(lambda session: session.execute(seen))
        return user

    def sessions(self, user_id: str, now: datetime, idle: timedelta) -> Sequence[SessionRecord]:
        """The user's living sessions, last used first."""
        query = (
            select(UserSession)
            .where(
                UserSession.user_id == user_id, UserSession.expires_at > now, UserSession.seen_at > now - idle
            )
            .order_by(UserSession.seen_at.desc())
        )
        return self._database.read(
            lambda session: [
                SessionRecord(r.hash, r.created_at, r.seen_at, r.expires_at, r.address, r.browser)
                for r in session.scalars(query)
            ]
        )

    def close_session(self, session_hash: str) -> None:
        """End one session; nothing where there is none."""
        gone = delete(UserSession).where(UserSession.hash == session_hash)
        self._database.change(lambda session: session.execute(gone))

    def close_sessions(self, user_id: str, but: str | None = None) -> None:
        """End all sessions of a user, `but` the one of this hash."""
        gone = delete(UserSession).where(UserSession.user_id == user_id, UserSession.hash != (but or ""))
        self._database.change(lambda session: session.execute(gone))

    # Tokens.

    def add_token(self, user_id: str, name: str, token_hash: str, begins: str, now: datetime) -> TokenRecord:
        """Keep a new token of the user. Raises TokenExists."""

        def change(session: Session) -> TokenRecord:
            taken = select(ApiToken.id).where(ApiToken.user_id == user_id, ApiToken.name == name)
            if session.scalar(taken) is not None:
                raise TokenExists("a token of this name exists", where=name, do="choose another name")
            token = ApiToken(
                id=uuid.uuid4().hex,
                user_id=user_id,
                name=name,
                hash=token_hash,
                begins=begins,
                created_at=now,
            )
            session.add(token)
            session.flush()
            return _token(token)

        return self._database.change(change)

    def user_of_token(self, token_hash: str, now: datetime) -> UserRecord | None:
        """Whose token this is, where its user may sign in. Notes that it was used."""

        def look(session: Session) -> tuple[UserRecord, ApiToken] | None:
            token = session.scalar(select(ApiToken).where(ApiToken.hash == token_hash))
            user = session.get(User, token.user_id) if token is not None else None
            if token is None or user is None or user.disabled_at is not None:
                return None
            return record_of(user), token

        found = self._database.read(look)
        if found is None:
            return None
        user, token = found
        if token.used_at is None or now - token.used_at >= _NOTED_EVERY:
            used = update(ApiToken).where(ApiToken.id == token.id).values(used_at=now)
            self._database.change(lambda session: session.execute(used))
        return user

    def tokens(self, user_id: str) -> Sequence[TokenRecord]:
        """The user's tokens by name."""
        query = select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.name)
        return self._database.read(lambda session: [_token(token) for token in session.scalars(query)])

    def revoke_token(self, user_id: str, name: str) -> None:
        """End a token. Raises TokenNotFound."""

        def change(session: Session) -> None:
            query = select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.name == name)
            token = session.scalar(query)
            if token is None:
                raise TokenNotFound("there is no such token", where=name)
            session.delete(token)

        self._database.change(change)


def _token(token: ApiToken) -> TokenRecord:
    return TokenRecord(token.id, token.name, token.begins, token.created_at, token.used_at)
