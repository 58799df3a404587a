"""Users as they are kept, and what two people do at the same moment. On both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from kame_voice.core.errors import KameError
from kame_voice.core.nouns import Role
from kame_voice.store.errors import LastAdmin, LinkSpent, UserExists
from kame_voice.store.users import UserStore
from tests.store.conftest import Shelf

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
HASH = "$argon2id$"


def at_once(*deeds: Callable[[], object]) -> list[type[KameError] | None]:
    """Do all of it at the same moment; the errors that were raised, in the order of `deeds`."""
    ready = threading.Barrier(len(deeds))

    def done(deed: Callable[[], object]) -> type[KameError] | None:
        ready.wait()
        try:
            deed()
        except KameError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(done, deeds))


def with_admins(shelf: Shelf, *names: str, password: str | None = HASH) -> UserStore:
    users = UserStore(shelf.database)
    for name in names:
        users.add(name, Role.ADMIN, [], NOW, password)
    return users


def test_the_last_admin_stays_one(either_shelf: Shelf) -> None:
    users = with_admins(either_shelf, "ana")
    ana = users.named("ana")
    with pytest.raises(LastAdmin, match="make somebody else an admin first"):
        users.set_role(ana.id, Role.REVIEWER)
    with pytest.raises(LastAdmin, match="make somebody else an admin first"):
        users.disable(ana.id, NOW)
    assert (users.named("ana").role, users.named("ana").disabled_at) == (Role.ADMIN, None)


def test_an_admin_who_cannot_sign_in_yet_does_not_count(either_shelf: Shelf) -> None:
    users = with_admins(either_shelf, "ana")
    users.add("new", Role.ADMIN, [], NOW)
    with pytest.raises(LastAdmin, match="choose a password first"):
        users.set_role(users.named("ana").id, Role.REVIEWER)
    users.set_role(users.named("new").id, Role.REVIEWER)


def test_before_anybody_has_a_password_admins_may_change(either_shelf: Shelf) -> None:
    users = with_admins(either_shelf, "typo", "ana", password=None)
    users.disable(users.named("typo").id, NOW)
    with pytest.raises(LastAdmin):
        users.disable(users.named("ana").id, NOW)


def test_two_admins_cannot_remove_each_other_at_once(either_shelf: Shelf) -> None:
    users = with_admins(either_shelf, "ana", "ben")
    ana, ben = users.named("ana"), users.named("ben")
    for _ in range(5):
        errors = at_once(lambda: users.set_role(ana.id, Role.REVIEWER), lambda: users.disable(ben.id, NOW))
        assert sorted(error is LastAdmin for error in errors) == [False, True], errors
        users.set_role(ana.id, Role.ADMIN)
        users.enable(ben.id)


def test_a_name_is_taken_once(either_shelf: Shelf) -> None:
    users = UserStore(either_shelf.database)
    deeds = [lambda: users.add("Ana", Role.REVIEWER, [], NOW)] * 3
    assert sorted(error is UserExists for error in at_once(*deeds)) == [False, True, True]
    assert [user.name for user in users.all()] == ["ana"]


def test_a_link_makes_one_first_admin(either_shelf: Shelf) -> None:
    users = UserStore(either_shelf.database)
    users.add_link("secret", None, NOW, NOW + timedelta(hours=1))
    deeds = [partial(users.spend_link, "secret", HASH, NOW, name) for name in ("ana", "eve")]
    assert sorted(error is LinkSpent for error in at_once(*deeds)) == [False, True]
    assert len(users.all()) == 1
