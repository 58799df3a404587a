"""People who are signed in to a running app: with an HTTP client, or with a real browser."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
from playwright.async_api import Page

from kame_voice.accounts.secrets import csrf_token, digest, new_secret
from kame_voice.core.nouns import Role
from kame_voice.web.auth.gate import Gate
from tests.support.browser import OpenBrowser
from tests.support.running_app import RunningApp

__all__ = ["cookie_of", "signed_in", "signed_in_page"]


def cookie_of(line: RunningApp, name: str, role: Role, customers: Iterable[str] = ("acme",)) -> str:
    """Open a session of a user, who is made where there is none of the name; the cookie's secret."""
    gate: Gate = line.app.asgi.state.gate
    known = next((user for user in gate.users.all() if user.name == name), None)
    user = known or gate.users.add(name, role, customers, gate.now())
    secret = new_secret()
    gate.keys.open_session(digest(secret), user.id, gate.now(), gate.lifetime, address=None, browser=None)
    return secret


@contextlib.asynccontextmanager
async def signed_in(
    line: RunningApp, role: Role = Role.REVIEWER, customers: Iterable[str] = ("acme",), name: str = ""
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session's cookie and the CSRF token of its pages."""
    secret = cookie_of(line, name or f"{role.value}-{'-'.join(customers)}", role, customers)
    gate: Gate = line.app.asgi.state.gate
    async with httpx.AsyncClient(
        base_url=line.url,
        trust_env=False,
        cookies={gate.cookies.session_name: secret},
        headers={"x-csrf-token": csrf_token(secret)},
    ) as client:
        yield client


@contextlib.asynccontextmanager
async def signed_in_page(
    browser: OpenBrowser,
    line: RunningApp,
    role: Role = Role.SUPERVISOR,
    customers: Iterable[str] = ("acme",),
    name: str = "",
    **options: Any,
) -> AsyncIterator[Page]:
    """A page of a real browser in which somebody is signed in. `options` as of `OpenBrowser.page`."""
    secret = cookie_of(line, name or f"{role.value}-in-chromium", role, customers)
    gate: Gate = line.app.asgi.state.gate
    async with browser.page(**options) as page:
        await page.context.add_cookies(
            [{"name": gate.cookies.session_name, "value": secret, "url": line.url, "httpOnly": True}]
        )
        yield page
