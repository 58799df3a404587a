"""Users of a running app, and clients that are signed in as them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable

import httpx

from kame_voice.accounts.secrets import csrf_token, digest, new_secret
from kame_voice.accounts.viewer import Via, Viewer
from kame_voice.core.nouns import Role
from kame_voice.store.users import UserRecord
from kame_voice.web.auth.gate import Gate
from tests.support.running_app import RunningApp

__all__ = ["PASSWORD", "ROOT", "add_user", "as_user", "gate_of_app", "visiting"]

PASSWORD = "correct horse battery staple"
ROOT = Viewer(None, "tests", Role.ADMIN, None, Via.CLI)
_PAGE = {"accept": "text/html"}


def gate_of_app(line: RunningApp) -> Gate:
    """The gate of the running app."""
    gate: Gate = line.app.asgi.state.gate
    return gate


def add_user(
    line: RunningApp,
    name: str = "rita",
    role: Role = Role.REVIEWER,
    customers: Iterable[str] = ("acme",),
    password: str | None = None,
) -> UserRecord:
    """A new user; hashing a password takes 40 ms, so only those who sign in by form get one."""
    return line.app.accounts.people.add(name, role, customers, ROOT, None, password)


@contextlib.asynccontextmanager
async def visiting(line: RunningApp, **options: object) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is not signed in; it asks for pages and does not follow redirects."""
    async with httpx.AsyncClient(base_url=line.url, trust_env=False, headers=_PAGE, **options) as client:  # type: ignore[arg-type]
        yield client


@contextlib.asynccontextmanager
async def as_user(
    line: RunningApp,
    name: str = "rita",
    role: Role = Role.REVIEWER,
    customers: Iterable[str] = ("acme",),
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is signed in as a new user and sends the CSRF token that its pages hold."""
    user = add_user(line, name, role, customers)
    gate, secret = gate_of_app(line), new_secret()
    gate.keys.open_session(digest(secret), user.id, gate.now(), gate.lifetime, address=None, browser=None)
    async with visiting(line) as client:
        client.cookies.set(gate.cookies.session_name, secret)
        client.headers["x-csrf-token"] = csrf_token(secret)
        yield client
