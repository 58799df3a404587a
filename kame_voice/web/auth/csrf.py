"""That what changes something was sent by a page of ours: a token bound to the cookie, and the origin."""

from __future__ import annotations

from typing import Final

from fastapi import HTTPException, Request
from starlette.requests import HTTPConnection

from kame_voice.accounts.secrets import csrf_token, same
from kame_voice.web.auth.gate import gate_of

__all__ = ["CSRF_FIELD", "CSRF_HEADER", "SAFE_METHODS", "check_csrf", "check_visit"]

CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "x-csrf-token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


async def check_csrf(connection: HTTPConnection, cookie: str) -> None:
    """Refuse a change that another site may have sent in the name of `cookie`'s owner.

    The token comes in the header X-CSRF-Token or the form's field `csrf`. Raises HTTPException 403.
    """
    if not gate_of(connection).is_ours(connection):
        raise HTTPException(403, "This request came from another site.")
    if not same(await _given(connection), csrf_token(cookie)):
        raise HTTPException(403, "This page is out of date. Load it again, then repeat what you did.")


async def check_visit(request: Request) -> None:
    """The same for a form of somebody who is not signed in: it belongs to a visitor's cookie.

    A dependency. Raises HTTPException 403.
    """
    cookie = gate_of(request).cookies.visit(request)
    if cookie is None:
        raise HTTPException(403, "The form's cookie is missing. Allow cookies, and load the page again.")
    await check_csrf(request, cookie)


async def _given(connection: HTTPConnection) -> str:
    header = connection.headers.get(CSRF_HEADER)
    if header is not None:
        return header
    if isinstance(connection, Request) and connection.headers.get("content-type", "").startswith(_FORMS):
        field = (await connection.form()).get(CSRF_FIELD, "")
        return field if isinstance(field, str) else ""
    return ""
