"""Managing users, for the pages and the command line alike; each change is written to the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from kame_voice.accounts.passwords import Passwords
from kame_voice.accounts.secrets import digest, new_api_token, new_secret
from kame_voice.accounts.trail import Action, AuditTrail
from kame_voice.accounts.viewer import Viewer
from kame_voice.core.errors import KameError
from kame_voice.core.nouns import Role
from kame_voice.flows.schema import SLUG_PATTERN
from kame_voice.store.keys import KeyStore, TokenRecord
from kame_voice.store.users import EVERY_CUSTOMER, UserRecord, UserStore

__all__ = ["LINK_LIFETIME", "BadUser", "People"]

LINK_LIFETIME: Final = timedelta(hours=24)
"""How long a one-time link may be used: set-up, invitation, forgotten password."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_TOKEN_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


class BadUser(KameError):
    """A name, a customer or a token's name that cannot be."""

    code = "bad-user"


class People:
    """Changes users, links and tokens in somebody's name (`by`, from `address`). Methods block."""

    def __init__(
        self,
        users: UserStore,
        keys: KeyStore,
        passwords: Passwords,
        trail: AuditTrail,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._users = users
        self._keys = keys
        self._passwords = passwords
        self._trail = trail
        self._now = now

    def add(
        self,
        name: str,
        role: Role,
        customers: Iterable[str],
        by: Viewer,
        address: str | None,
        password: str | None = None,
    ) -> UserRecord:
        """A new user, who signs in once a password is set. Raises BadUser, UserExists, WeakPassword."""
        name = checked_name(name)
        slugs = checked_customers(customers)
        hashed = self._passwords.hash(password, name) if password is not None else None
        user = self._users.add(name, role, slugs, self._now(), hashed)
        self._note(Action.USER_ADD, by, address, user, role=role.value, customers=list(slugs))
        return user

    def link(self, user: UserRecord, by: Viewer, address: str | None) -> str:
        """The secret of a one-time link with which `user` sets a new password; an earlier one dies.

        Raises BadUser: who is disabled could not use it.
        """
        if user.disabled_at is not None:
            raise BadUser("is disabled, and could not use a link", where=user.name, do="enable them first")
        secret = new_secret()
        self._users.add_link(digest(secret), user.id, self._now(), self._now() + LINK_LIFETIME)
        self._note(Action.USER_LINK, by, address, user)
        return secret

    def first_link(self) -> str | None:
        """The secret of a one-time link that makes the first admin; None where there is a user already."""
        if self._users.any():
            return None
        secret = new_secret()
        self._users.add_link(digest(secret), None, self._now(), self._now() + LINK_LIFETIME)
        return secret

    def linked(self, secret: str) -> UserRecord | None:
        """Whose link this is; None for the first admin's. Raises LinkSpent."""
        return self._users.linked(digest(secret), self._now())

    def spend_link(self, secret: str, name: str, password: str, address: str | None) -> UserRecord:
        """Set the password that the link allows; `name` is the first admin's. Raises LinkSpent, BadUser,
        WeakPassword."""
        owner = self.linked(secret)
        name = owner.name if owner else checked_name(name)
        hashed = self._passwords.hash(password, name)
        user = self._users.spend_link(digest(secret), hashed, self._now(), name)
        self._trail.record(
            Action.PASSWORD if owner else Action.USER_ADD,
            None,
            who=user.name,
            address=address,
            data={"user": user.name, "by": "one-time link"},
        )
        return user

    def set_password(
        self,
        user: UserRecord,
        password: str,
        by: Viewer,
        address: str | None,
        keep_session: str | None = None,
    ) -> None:
        """Set a password; sessions end, but the one of secret `keep_session`. Raises WeakPassword."""
        hashed = self._passwords.hash(password, user.name)
        self._users.set_password(user.id, hashed, digest(keep_session) if keep_session else None)
        self._note(Action.PASSWORD, by, address, user)

    def set_role(self, user: UserRecord, role: Role, by: Viewer, address: str | None) -> None:
        """Change the role. Raises LastAdmin."""
        if role is user.role:
            return
        self._users.set_role(user.id, role)
        self._note(Action.USER_ROLE, by, address, user, before=user.role.value, after=role.value)

    def set_customers(
        self, user: UserRecord, customers: Iterable[str], by: Viewer, address: str | None
    ) -> None:
        """Change whose calls the user may see. Raises BadUser."""
        slugs = checked_customers(customers)
        if set(slugs) == set(user.customers):
            return
        self._users.set_customers(user.id, slugs)
        self._note(Action.USER_CUSTOMERS, by, address, user, before=list(user.customers), after=list(slugs))

    def disable(self, user: UserRecord, by: Viewer, address: str | None) -> None:
        """Keep the user out from now on: sessions end, tokens stop working. Raises LastAdmin."""
        self._users.disable(user.id, self._now())
        self._note(Action.USER_DISABLE, by, address, user)

    def enable(self, user: UserRecord, by: Viewer, address: str | None) -> None:
        """Let the user in again."""
        self._users.enable(user.id)
        self._note(Action.USER_ENABLE, by, address, user)

    def sign_out_everywhere(
        self, user: UserRecord, by: Viewer, address: str | None, keep_session: str | None = None
    ) -> None:
        """End all the user's sessions but the one whose secret is `keep_session`."""
        self._keys.close_sessions(user.id, digest(keep_session) if keep_session else None)
        self._note(Action.USER_SIGN_OUT, by, address, user)

    def new_token(
        self, user: UserRecord, name: str, by: Viewer, address: str | None
    ) -> tuple[TokenRecord, str]:
        """A new API token, and the token itself, which is not kept. Raises BadUser, TokenExists."""
        name = name.strip()
        if not _TOKEN_NAME.fullmatch(name):
            raise BadUser("a token needs a name of at most 64 characters", where=name[:64], do="name its use")
        secret = new_api_token()
        token = self._keys.add_token(user.id, name, digest(secret), secret[:10], self._now())
        self._note(Action.TOKEN_NEW, by, address, user, token=name)
        return token, secret

    def revoke_token(self, user: UserRecord, name: str, by: Viewer, address: str | None) -> None:
        """End an API token. Raises TokenNotFound."""
        self._keys.revoke_token(user.id, name)
        self._note(Action.TOKEN_REVOKE, by, address, user, token=name)

    def _note(
        self, action: Action, by: Viewer, address: str | None, user: UserRecord, **data: object
    ) -> None:
        self._trail.record(action, by, address=address, data={"user": user.name, **data})


def checked_name(name: str) -> str:
    """The name as it is kept, in lower case. Raises BadUser."""
    kept = name.strip().lower()
    if not _NAME.fullmatch(kept):
        raise BadUser(
            "this is no user name: at most 64 letters, digits and ._@+- fit",
            where=repr(name[:80]),
            do="choose another",
        )
    return kept


def checked_customers(customers: Iterable[str]) -> tuple[str, ...]:
    """Customers as they are kept: slugs of flows, or EVERY_CUSTOMER alone. Raises BadUser."""
    slugs = sorted({slug.strip() for slug in customers} - {""})
    if EVERY_CUSTOMER in slugs:
        return (EVERY_CUSTOMER,)
    for slug in slugs:
        if not re.fullmatch(SLUG_PATTERN, slug):
            raise BadUser(
                "this is no customer", where=repr(slug[:80]), do="write it as flows do: a-z, 0-9, -"
            )
    return tuple(slugs)
