"""What browsers are told to refuse: foreign scripts, framing, sniffing, leaks by referrer, caching."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SecurityHeaders", "add_security_headers", "content_security_policy"]

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    # Not "no-referrer": forms would then be sent with "Origin: null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
}
_A_YEAR: Final = "max-age=31536000"


def content_security_policy(frame_ancestors: str = "'none'", style_nonce: str | None = None) -> str:
    """Only our own files; no inline script or style but a style with `style_nonce`.

    `frame_ancestors` are the origins whose pages may show this one in a frame.
    """
    style = "'self'" if style_nonce is None else f"'self' 'nonce-{style_nonce}'"
    return (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"style-src {style}; img-src 'self' data:; media-src 'self' blob:; "
        f"frame-ancestors {frame_ancestors}"
    )


def add_security_headers(headers: MutableHeaders, scope: Scope, *, https: bool) -> None:
    """Add what an answer to the request of `scope` has not set itself."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    nonce = scope.get("state", {}).get("style_nonce")
    headers.setdefault("content-security-policy", content_security_policy(style_nonce=nonce))
    if "frame-ancestors 'none'" in headers["content-security-policy"]:
        headers.setdefault("x-frame-options", "DENY")
    # What callers said is not for the disk of a shared computer.
    headers.setdefault("cache-control", "no-store")
    if https:
        headers.setdefault("strict-transport-security", _A_YEAR)


class SecurityHeaders:
    """Adds the headers to every HTTP answer; WebSockets pass untouched.

    But for the answer after a bug: starlette gives that outside of all middleware (web/errors.py).
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(MutableHeaders(scope=message), scope, https=self._https)
            await send(message)

        await self._app(scope, receive, send_with_headers)
