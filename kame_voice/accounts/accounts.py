"""All that is done about people, built together: passwords, audit trail, signing in, managing users."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from kame_voice.accounts.passwords import Passwords
from kame_voice.accounts.people import People
from kame_voice.accounts.sign_in import SignIn
from kame_voice.accounts.trail import AuditTrail
from kame_voice.core.settings import Settings
from kame_voice.store.archive import Archive
from kame_voice.store.rows import AuditRow

__all__ = ["Accounts"]


class Accounts:
    """`put` takes audit rows without waiting: the store writer's. `close` ends the passwords' thread."""

    def __init__(self, settings: Settings, archive: Archive, put: Callable[[AuditRow], None]) -> None:
        self._settings = settings
        self.passwords = Passwords()
        self.trail = AuditTrail(put)
        self.people = People(archive.users, archive.keys, self.passwords, self.trail)
        self.sign_in = SignIn(
            archive.users,
            archive.keys,
            self.passwords,
            self.trail,
            timedelta(hours=settings.session_max_h),
        )

    def close(self) -> None:
        """End the passwords' thread."""
        self.passwords.close()

    def set_up_link(self) -> str | None:
        """Where the first admin makes an account, once; None where there is a user already. Blocks."""
        secret = self.people.first_link()
        return f"{self._settings.public_url}/welcome/{secret}" if secret else None
