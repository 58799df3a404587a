"""The dependencies that every protected route declares: `CurrentViewer`, `Supervisor`, `Admin`.

They work for HTTP and WebSocket routes alike. A route without one of them must stand in
`web/auth/public.py` with its reason; a test walks all routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, WebSocketException
from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocket

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.core.nouns import Role
from kame_voice.web.auth.csrf import SAFE_METHODS, check_csrf
from kame_voice.web.auth.gate import gate_of

__all__ = [
    "Admin",
    "CurrentViewer",
    "OptionalViewer",
    "Supervisor",
    "address_of",
    "audit",
    "known_viewer",
    "optional_viewer",
    "require",
    "viewer",
]

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


async def viewer(connection: HTTPConnection) -> Viewer:
    """Who is asking: by bearer token, else by session cookie (then changes need a CSRF token as well).

    Raises HTTPException 401 (403 while nobody at all could be let in); closes a WebSocket with 1008.
    """
    try:
        found = await _look_up(connection)
    except HTTPException as refusal:
        if isinstance(connection, WebSocket):
            raise WebSocketException(WS_1008_POLICY_VIOLATION, str(refusal.detail)) from refusal
        raise
    connection.state.viewer = found
    return found


CurrentViewer = Annotated[Viewer, Depends(viewer)]


async def optional_viewer(connection: HTTPConnection) -> Viewer | None:
    """Who is asking on a route that is open to everybody; None for a stranger, or where `viewer` refuses."""
    gate = gate_of(connection)
    if "authorization" not in connection.headers and gate.cookies.session(connection) is None:
        return None
    try:
        found = await _look_up(connection)
    except HTTPException:
        return None
    connection.state.viewer = found
    return found


OptionalViewer = Annotated[Viewer | None, Depends(optional_viewer)]


@cache
def require(role: Role) -> Callable[[HTTPConnection, Viewer], Awaitable[Viewer]]:
    """A dependency: the viewer, who has at least this role. HTTPException 403 where not."""

    async def viewer_with_role(connection: HTTPConnection, somebody: CurrentViewer) -> Viewer:
        if not somebody.is_at_least(role):
            if isinstance(connection, WebSocket):
                raise WebSocketException(WS_1008_POLICY_VIOLATION, f"for {role.value}s")
            raise HTTPException(403, f"This is for {role.value}s; you are a {somebody.role.value}.")
        return somebody

    return viewer_with_role


Supervisor = Annotated[Viewer, Depends(require(Role.SUPERVISOR))]
Admin = Annotated[Viewer, Depends(require(Role.ADMIN))]


def known_viewer(connection: HTTPConnection) -> Viewer | None:
    """Who was found to be asking, where a route has asked already."""
    found: Viewer | None = getattr(connection.state, "viewer", None)
    return found


def audit(
    connection: HTTPConnection,
    action: Action,
    *,
    call_id: str | None = None,
    customer: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write down what the viewer of this request does. Never waits."""
    gate_of(connection).trail.record(
        action,
        known_viewer(connection),
        address=address_of(connection),
        call_id=call_id,
        customer=customer,
        data=data,
    )


def address_of(connection: HTTPConnection) -> str:
    """Where the request comes from; behind a proxy that is believed, where the proxy says."""
    return connection.client.host if connection.client else "unknown"


async def _look_up(connection: HTTPConnection) -> Viewer:
    gate = gate_of(connection)
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found = await run_in_threadpool(gate.by_token, token.strip())
        if found is None:
            await _refuse_if_closed(connection)
            raise HTTPException(401, "This bearer token is not known, or was revoked.", _CHALLENGE)
        return found
    cookie = gate.cookies.session(connection)
    found = await run_in_threadpool(gate.by_session, cookie) if cookie else None
    if cookie is None or found is None:
        await _refuse_if_closed(connection)
        raise HTTPException(401, "Sign in, or send 'Authorization: Bearer …' with a token.", _CHALLENGE)
    if isinstance(connection, WebSocket):
        if not gate.is_ours(connection):
            raise HTTPException(403, "This socket was opened by another site.")
    elif connection.scope["method"] not in SAFE_METHODS:
        await check_csrf(connection, cookie)
    return found


async def _refuse_if_closed(connection: HTTPConnection) -> None:
    if await run_in_threadpool(gate_of(connection).closed):
        raise HTTPException(
            403,
            "Nobody can sign in yet. Open the one-time link that “kame-voice serve” printed when it started: "
            "it makes the first account. For scripts alone, set KAME_API_TOKEN.",
        )
