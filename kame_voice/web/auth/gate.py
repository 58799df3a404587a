"""Looks up who a request comes from. The one place that knows sessions, tokens and their lifetimes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from kame_voice.accounts.secrets import digest, same
from kame_voice.accounts.trail import AuditTrail
from kame_voice.accounts.viewer import Via, Viewer, viewer_of
from kame_voice.core.nouns import Role
from kame_voice.core.settings import Settings
from kame_voice.store.keys import KeyStore
from kame_voice.store.users import UserStore
from kame_voice.web.auth.cookies import Cookies

__all__ = ["Gate", "gate_of"]


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything that a route needs to know who is there. Methods that look up block."""

    settings: Settings
    users: UserStore
    keys: KeyStore
    trail: AuditTrail
    cookies: Cookies
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def idle(self) -> timedelta:
        """After so long without a request a session ends."""
        return timedelta(minutes=self.settings.session_idle_min)

    @property
    def lifetime(self) -> timedelta:
        """After so long a session ends, however busy it is."""
        return timedelta(hours=self.settings.session_max_h)

    def by_session(self, cookie: str) -> Viewer | None:
        """The user whose session this cookie opens. Blocks."""
        user = self.keys.user_of_session(digest(cookie), self.now(), self.idle)
        return viewer_of(user, Via.SESSION) if user else None

    def by_token(self, token: str) -> Viewer | None:
        """The user whose token this is, or the admin that KAME_API_TOKEN stands for. Blocks."""
        wanted = self.settings.api_token.get_secret_value()
        if wanted and same(token, wanted):
            return Viewer(None, "KAME_API_TOKEN", Role.ADMIN, None, Via.SETTINGS)
        user = self.keys.user_of_token(digest(token), self.now())
        return viewer_of(user, Via.TOKEN) if user else None

    def closed(self) -> bool:
        """Whether nobody could be let in: no user and no token. Blocks."""
        return not self.settings.api_token.get_secret_value() and not self.users.any()

    def is_ours(self, connection: HTTPConnection) -> bool:
        """Whether a browser's request was started by a page of ours, as far as its headers tell.

        Browsers name the `Origin` of what could change something, and pages cannot forge it.
        """
        origin = connection.headers.get("origin")
        if origin is not None:
            url = connection.url
            scheme = {"ws": "http", "wss": "https"}.get(url.scheme, url.scheme)
            return origin in (f"{scheme}://{url.netloc}", _origin(self.settings.public_url))
        return connection.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def gate_of(connection: HTTPConnection) -> Gate:
    """The gate of the app that serves this connection."""
    gate: Gate = connection.app.state.gate
    return gate


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
