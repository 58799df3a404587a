"""The cookies of signed-in browsers: HttpOnly, SameSite=Lax, Secure where the public URL is https."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import Response
from starlette.requests import HTTPConnection

__all__ = ["Cookies"]

_VISIT_S: Final = 3600


class Cookies:
    """Sets, reads and clears two cookies: of a session, and of a visitor who is about to sign in."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        # The prefix makes browsers refuse the cookie from a sub-domain or without TLS (RFC 6265bis).
        prefix = "__Host-" if secure else ""
        self.session_name = f"{prefix}kame_session"
        self.visit_name = f"{prefix}kame_visit"

    def session(self, connection: HTTPConnection) -> str | None:
        """The secret of a signed-in browser, as it claims."""
        return connection.cookies.get(self.session_name) or None

    def visit(self, connection: HTTPConnection) -> str | None:
        """The secret of a visitor who has been shown a form."""
        return connection.cookies.get(self.visit_name) or None

    def set_session(self, response: Response, secret: str, lifetime: timedelta) -> None:
        """Sign the browser in; what it was before is forgotten."""
        self._set(response, self.session_name, secret, int(lifetime.total_seconds()))
        self._clear(response, self.visit_name)

    def clear_session(self, response: Response) -> None:
        """Sign the browser out."""
        self._clear(response, self.session_name)

    def set_visit(self, response: Response, secret: str) -> None:
        """Remember a visitor for as long as a form may be looked at."""
        self._set(response, self.visit_name, secret, _VISIT_S)

    def _set(self, response: Response, name: str, value: str, max_age: int) -> None:
        response.set_cookie(
            name, value, max_age=max_age, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def _clear(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")
