"""Random secrets and the hashes under which they are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

__all__ = ["API_TOKEN_PREFIX", "csrf_token", "digest", "new_api_token", "new_secret", "same"]

API_TOKEN_PREFIX: Final = "kame_"
"""Lets people, and scanners of leaked secrets, recognise a token."""


def new_secret() -> str:
    """256 random bits, safe in a URL and a cookie."""
    return secrets.token_urlsafe(32)


def new_api_token() -> str:
    """A new secret that is recognisably ours."""
    return API_TOKEN_PREFIX + new_secret()


def digest(secret: str) -> str:
    """The hash under which a random secret is kept. Not for passwords: those can be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_token(cookie: str) -> str:
    """What a form must send to show that the page it stands on was made for the owner of `cookie`."""
    return hmac.new(cookie.encode(), b"csrf", hashlib.sha256).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode(), wanted.encode())
