"""Signing in by name and password: one answer for every way to fail, a new session for success."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kame_voice.accounts.passwords import Passwords
from kame_voice.accounts.secrets import digest, new_secret
from kame_voice.accounts.throttle import Throttle, TooManyTries
from kame_voice.accounts.trail import Action, AuditTrail
from kame_voice.accounts.viewer import Via, Viewer, viewer_of
from kame_voice.core.errors import KameError
from kame_voice.store.keys import KeyStore
from kame_voice.store.users import UserRecord, UserStore

__all__ = ["SignIn", "Visitor", "WrongPassword"]


class WrongPassword(KameError):
    """Name and password do not fit, whichever of them is wrong."""

    code = "wrong-password"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where somebody comes from: network address, and what their browser calls itself."""

    address: str
    browser: str | None = None


class SignIn:
    """Opens sessions. Methods block: a database and a password's hash."""

    def __init__(
        self,
        users: UserStore,
        keys: KeyStore,
        passwords: Passwords,
        trail: AuditTrail,
        lifetime: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._users = users
        self._keys = keys
        self._passwords = passwords
        self._trail = trail
        self._lifetime = lifetime
        self._now = now
        self._throttle = Throttle()

    def by_password(self, name: str, password: str, visitor: Visitor) -> str:
        """The secret of a new session. Raises WrongPassword, TooManyTries."""
        user = self._proven(name, password, visitor)
        self._throttle.succeeded(name)
        return self.open(user, visitor)

    def confirm(self, viewer: Viewer, password: str, visitor: Visitor) -> None:
        """Have somebody who is signed in prove that it is still them. Raises as `by_password` does."""
        self._proven(viewer.name, password, visitor)
        self._throttle.succeeded(viewer.name)

    def open(self, user: UserRecord, visitor: Visitor) -> str:
        """The secret of a new session for a user who has shown who they are."""
        secret = new_secret()
        self._keys.open_session(
            digest(secret),
            user.id,
            self._now(),
            self._lifetime,
            address=visitor.address,
            browser=visitor.browser,
        )
        self._trail.record(Action.SIGN_IN, viewer_of(user, Via.SESSION), address=visitor.address)
        return secret

    def _proven(self, name: str, password: str, visitor: Visitor) -> UserRecord:
        try:
            self._throttle.take(name, visitor.address)
        except TooManyTries:
            self._failed(name, visitor, "too many tries")
            raise
        found = self._users.password_of(name)
        if not self._passwords.fits(password, found[1] if found else None) or found is None:
            self._failed(name, visitor, "wrong password")
            raise WrongPassword("name and password do not fit", do="check both, or ask an admin for a link")
        user, kept = found
        if self._passwords.is_dated(kept):
            self._users.rehash(user.id, self._passwords.renewed(password))
        return user

    def _failed(self, name: str, visitor: Visitor, why: str) -> None:
        self._trail.record(
            Action.SIGN_IN_FAILED, None, who=name, address=visitor.address, data={"reason": why}
        )
