"""Users and the one-time links by which they set a password. Knows no password, only its hash."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kame_voice.core.nouns import Role
from kame_voice.store.account_tables import OneTimeLink, User, UserSession
from kame_voice.store.database import Database
from kame_voice.store.errors import LastAdmin, LinkSpent, UserExists, UserNotFound

__all__ = ["EVERY_CUSTOMER", "UserRecord", "UserStore", "record_of"]

EVERY_CUSTOMER: Final = "*"
"""In a user's customers: all there are and will be."""


@dataclass(frozen=True, slots=True)
class UserRecord:
    """One user as stored, without the password's hash. `customers` are slugs, or EVERY_CUSTOMER."""

    id: str
    name: str
    role: Role
    customers: tuple[str, ...]
    has_password: bool
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


class UserStore:
    """Reads and changes users. Methods block; all raise the StoreErrors of `Database.read`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any(self) -> bool:
        """Whether there is any user at all, disabled ones included."""
        return self._database.read(lambda session: session.scalar(select(User.id).limit(1)) is not None)

    def all(self) -> Sequence[UserRecord]:
        """All users by name."""
        return self._database.read(
            lambda s: [record_of(user) for user in s.scalars(select(User).order_by(User.name))]
        )

    def get(self, user_id: str) -> UserRecord | None:
        """The user with this id."""
        return self._database.read(lambda session: _record_or_none(session.get(User, user_id)))

    def named(self, name: str) -> UserRecord:
        """The user of this name, in any case. Raises UserNotFound."""
        return self._database.read(lambda session: record_of(_named(session, name)))

    def password_of(self, name: str) -> tuple[UserRecord, str] | None:
        """A user who may sign in, and the hash of the password; None for anybody else."""

        def look(session: Session) -> tuple[UserRecord, str] | None:
            user = session.scalar(select(User).where(User.name == name.lower()))
            if user is None or user.password_hash is None or user.disabled_at is not None:
                return None
            return record_of(user), user.password_hash

        return self._database.read(look)

    def add(
        self, name: str, role: Role, customers: Iterable[str], now: datetime, password_hash: str | None = None
    ) -> UserRecord:
        """A new user. Raises UserExists."""
        user = User(
            id=uuid.uuid4().hex,
            name=name.lower(),
            role=role.value,
            customers=sorted(set(customers)),
            password_hash=password_hash,
            created_at=now,
        )

        def insert(session: Session) -> UserRecord:
            session.add(user)
            try:
                session.flush()
            except IntegrityError as error:
                raise UserExists("there is a user of this name", where=name, do="choose another") from error
            return record_of(user)

        return self._database.change(insert)

    def set_password(self, user_id: str, password_hash: str, keep_session: str | None = None) -> None:
        """Set the password, and end all sessions but the one of hash `keep_session`. Raises UserNotFound."""

        def change(session: Session) -> None:
            _with_id(session, user_id).password_hash = password_hash
            session.execute(
                delete(UserSession).where(
                    UserSession.user_id == user_id, UserSession.hash != (keep_session or "")
                )
            )
            session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id))

        self._database.change(change)

    def rehash(self, user_id: str, password_hash: str) -> None:
        """Keep the same password under newer parameters."""
        self._database.change(
            lambda session: session.execute(
                update(User).where(User.id == user_id).values(password_hash=password_hash)
            )
        )

    def set_role(self, user_id: str, role: Role) -> None:
        """Change the role. Raises UserNotFound, LastAdmin."""

        def change(session: Session) -> None:
            with _keeping_an_admin(session):
                _with_id(session, user_id).role = role.value

        self._database.change(change)

    def set_customers(self, user_id: str, customers: Iterable[str]) -> None:
        """Change whose calls the user may see. Raises UserNotFound."""

        def change(session: Session) -> None:
            _with_id(session, user_id).customers = sorted(set(customers))

        self._database.change(change)

    def disable(self, user_id: str, now: datetime) -> None:
        """Keep the user from signing in, and end all sessions. Raises UserNotFound, LastAdmin."""

        def change(session: Session) -> None:
            with _keeping_an_admin(session):
                _with_id(session, user_id).disabled_at = now
            session.execute(delete(UserSession).where(UserSession.user_id == user_id))
            session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id))

        self._database.change(change)

    def enable(self, user_id: str) -> None:
        """Let a disabled user sign in again. Raises UserNotFound."""

        def change(session: Session) -> None:
            _with_id(session, user_id).disabled_at = None

        self._database.change(change)

    # One-time links.

    def add_link(self, link_hash: str, user_id: str | None, now: datetime, expires_at: datetime) -> None:
        """Keep a link that sets `user_id`'s password, or makes the first admin; earlier ones die."""

        def change(session: Session) -> None:
            stale = delete(OneTimeLink).where(OneTimeLink.expires_at <= now)
            session.execute(stale)
            if user_id is not None:
                session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id))
            session.add(OneTimeLink(hash=link_hash, user_id=user_id, created_at=now, expires_at=expires_at))

        self._database.change(change)

    def linked(self, link_hash: str, now: datetime) -> UserRecord | None:
        """Whose link this is; None for the first admin's. Raises LinkSpent."""
        return self._database.read(lambda session: _record_or_none(_linked(session, link_hash, now)))

    def spend_link(self, link_hash: str, password_hash: str, now: datetime, first_admin: str) -> UserRecord:
        """Set the password that the link allows, once; `first_admin` names the user where there is none.

        Raises LinkSpent: unknown, used, expired, or a first admin where there is a user already.
        """

        def spend(session: Session) -> UserRecord:
            # Locked: of two who use it at once, the second finds it spent.
            session.get(OneTimeLink, link_hash, with_for_update=True)
            user = _linked(session, link_hash, now)
            if user is None:
                user = User(
                    id=uuid.uuid4().hex,
                    name=first_admin.lower(),
                    role=Role.ADMIN.value,
                    customers=[EVERY_CUSTOMER],
                    created_at=now,
                )
                session.add(user)
                session.execute(delete(OneTimeLink).where(OneTimeLink.user_id.is_(None)))
            user.password_hash = password_hash
            session.flush()
            session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
            session.execute(delete(UserSession).where(UserSession.user_id == user.id))
            return record_of(user)

        return self._database.change(spend)


def _linked(session: Session, link_hash: str, now: datetime) -> User | None:
    link = session.get(OneTimeLink, link_hash)
    if link is None or link.expires_at <= now:
        raise LinkSpent("this link was used or has expired", do="ask an admin for a new one")
    if link.user_id is not None:
        user = session.get(User, link.user_id)
        if user is None or user.disabled_at is not None:
            raise LinkSpent("this link's user may not sign in", do="ask an admin")
        return user
    if session.scalar(select(User.id).limit(1)) is not None:
        raise LinkSpent("there is an admin already", do="sign in, or ask an admin for a link")
    return None


@contextmanager
def _keeping_an_admin(session: Session) -> Iterator[None]:
    """Refuse a change after which no admin is left, or none that has a password where one had. LastAdmin."""
    admins = select(User.password_hash.is_not(None)).where(
        User.role == Role.ADMIN.value, User.disabled_at.is_(None)
    )
    # Locked: two changes at once must not each count on the other's admin.
    could_sign_in = any(session.scalars(admins.order_by(User.id).with_for_update()))
    yield
    session.flush()
    left = session.scalars(admins).all()
    if not left:
        raise LastAdmin("nobody would be left to manage users", do="make somebody else an admin first")
    if could_sign_in and not any(left):
        raise LastAdmin(
            "no admin who has a password would be left", do="let another admin choose a password first"
        )


def _named(session: Session, name: str) -> User:
    user = session.scalar(select(User).where(User.name == name.lower()))
    if user is None:
        raise UserNotFound("there is no such user", where=name, do="see `kame-voice users list`")
    return user


def _with_id(session: Session, user_id: str) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise UserNotFound("there is no such user", where=user_id, do="see `kame-voice users list`")
    return user


def _record_or_none(user: User | None) -> UserRecord | None:
    return None if user is None else record_of(user)


def record_of(user: User) -> UserRecord:
    """A row as the rest of the program knows it."""
    return UserRecord(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        customers=tuple(user.customers),
        has_password=user.password_hash is not None,
        created_at=user.created_at,
        signed_in_at=user.signed_in_at,
        disabled_at=user.disabled_at,
    )
