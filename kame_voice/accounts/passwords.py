"""Passwords: what is asked of them, and argon2 hashes of them. Hashing never runs on the event loop."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from kame_voice.core.errors import KameError
from kame_voice.core.priority import lower_priority

__all__ = ["MIN_LENGTH", "Passwords", "WeakPassword"]

MIN_LENGTH: Final = 12
_MAX_LENGTH: Final = 256
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's password storage cheat sheet, argon2id: 19 MiB, two passes, one lane; about 40 ms of one core."""


class WeakPassword(KameError):
    """A password that is too easy to guess."""

    code = "weak-password"


class Passwords:
    """Hashes and compares on one thread that yields to audio. Methods block until it is done."""

    def __init__(self) -> None:
        # One thread: however many sign in at once, they cost no more than one core's idle time.
        self._pool = ThreadPoolExecutor(1, "passwords", initializer=lower_priority)
        # Compared with where there is no such user, so that the time taken tells nothing.
        self._nobody = self._pool.submit(_HASHER.hash, "nobody's password")

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)

    def hash(self, password: str, name: str) -> str:
        """The hash to keep of `name`'s new password. Raises WeakPassword."""
        plain = _plain(password)
        if len(plain) < MIN_LENGTH:
            raise WeakPassword(f"the password is shorter than {MIN_LENGTH} characters", do="make it longer")
        if len(plain) > _MAX_LENGTH:
            raise WeakPassword(f"the password is longer than {_MAX_LENGTH} characters", do="make it shorter")
        if len(set(plain)) < 5:
            raise WeakPassword("the password repeats a few characters", do="use more different ones")
        if len(name) > 2 and name.lower() in plain.lower():
            raise WeakPassword("the password holds the user's name", do="choose something else")
        return self._pool.submit(_HASHER.hash, plain).result()

    def renewed(self, password: str) -> str:
        """The hash of a password that is known to be right, by today's parameters."""
        return self._pool.submit(_HASHER.hash, _plain(password)).result()

    def fits(self, password: str, kept: str | None) -> bool:
        """Whether this is the password of hash `kept`; with None it takes as long and is False."""
        plain = _plain(password)[:_MAX_LENGTH]
        return self._pool.submit(_fits, plain, kept or self._nobody.result()).result() and kept is not None

    def is_dated(self, kept: str) -> bool:
        """Whether the hash was made with parameters that are no longer ours."""
        return _HASHER.check_needs_rehash(kept)


def _fits(plain: str, kept: str) -> bool:
    try:
        return _HASHER.verify(kept, plain)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _plain(password: str) -> str:
    # The same characters may be typed in several ways; NFKC as RFC 8265 has it.
    return unicodedata.normalize("NFKC", password)
