"""Who is looking, and whose calls they may see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kame_voice.core.nouns import Role
from kame_voice.store.users import EVERY_CUSTOMER, UserRecord

__all__ = ["Via", "Viewer", "viewer_of"]


class Via(StrEnum):
    """How somebody showed who they are."""

    SESSION = "session"
    TOKEN = "token"
    SETTINGS = "settings"
    CLI = "cli"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user, or a program with a user's token, for the length of one request.

    `customers` are those whose calls and lines may be seen; None: all of them. Every query of the
    store that is made for people takes it. `user_id` is None for KAME_API_TOKEN, which is nobody's.
    """

    user_id: str | None
    name: str
    role: Role
    customers: frozenset[str] | None
    via: Via

    def may_see(self, customer: str) -> bool:
        """Whether calls and lines of this customer may be seen."""
        return self.customers is None or customer in self.customers

    def is_at_least(self, role: Role) -> bool:
        """Whether the viewer may do what `role` may."""
        return self.role.includes(role)


def viewer_of(user: UserRecord, via: Via) -> Viewer:
    """The viewer that this user is. Admins see every customer."""
    everything = user.role is Role.ADMIN or EVERY_CUSTOMER in user.customers
    return Viewer(user.id, user.name, user.role, None if everything else frozenset(user.customers), via)
