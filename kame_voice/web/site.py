"""The FastAPI application that every room of the web hangs its routes on: gate, pages, errors, headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from fastapi import FastAPI

from kame_voice import __version__
from kame_voice.accounts.accounts import Accounts
from kame_voice.core.settings import Settings
from kame_voice.store.archive import Archive
from kame_voice.web.accounts import audit, door, mine, users
from kame_voice.web.auth.cookies import Cookies
from kame_voice.web.auth.gate import Gate
from kame_voice.web.errors import answer_errors
from kame_voice.web.pages.render import Pages
from kame_voice.web.security_headers import SecurityHeaders

__all__ = ["new_site"]

_MAX_BODY: Final = 1 << 20
"""Bytes of a request: forms, notes and webhooks are small."""


def new_site(
    settings: Settings,
    archive: Archive,
    accounts: Accounts,
    customers: Callable[[], Iterable[str]] = tuple,
) -> FastAPI:
    """An application that knows who is asking, and answers errors; its routes are included after.

    `customers` are those that flows name today.
    """
    web = FastAPI(
        title="kame_voice",
        version=__version__,
        description="Inbound calls and their record.",
        # They would load scripts from elsewhere, which our own policy refuses; /openapi.json stays.
        docs_url=None,
        redoc_url=None,
        max_body_size=_MAX_BODY,
    )
    https = settings.public_url.startswith("https://")
    gate = Gate(settings, archive.users, archive.keys, accounts.trail, Cookies(secure=https))
    web.state.gate = gate
    web.state.pages = Pages()
    web.add_middleware(SecurityHeaders, https=https)
    answer_errors(web)
    for routes in (
        web.state.pages.static.router(),
        door.router(gate, accounts.sign_in, accounts.people),
        mine.router(gate, accounts.sign_in, accounts.people),
        users.router(gate, accounts.people, customers),
        audit.router(archive.audit),
    ):
        web.include_router(routes)

    return web
