"""Whether a request really comes from the carrier: Twilio's signature over the public URL."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import URL

from kame_voice.core.settings import Settings
from kame_voice.legs.twilio_rest import signature_fits
from kame_voice.web.media_socket import Upgrade

__all__ = ["SIGNATURE_HELP", "Signatures"]

SIGNATURE_HELP: Final = (
    "Set KAME_PUBLIC_URL to the exact address that Twilio calls, "
    "and TWILIO_AUTH_TOKEN to the account's token."
)


class Signatures:
    """Checks requests against `public_url`: behind a proxy, what we see ourselves is not what was signed.

    With `twilio_signatures` off, only requests from this machine pass.
    """

    def __init__(self, settings: Settings) -> None:
        self._on = settings.twilio_signatures
        self._token = settings.twilio_auth_token.get_secret_value()
        self._public = settings.public_url

    @property
    def socket_base(self) -> str:
        """The public URL in the WebSocket scheme: wss:// for https://."""
        return "ws" + self._public.removeprefix("http")

    async def form(self, request: Request) -> dict[str, str] | None:
        """The form of a webhook, or None when the carrier did not sign it."""
        body = (await request.body()).decode("utf-8", "replace")
        form = dict(parse_qsl(body, keep_blank_values=True))
        if not self._on:
            return form if _is_loopback(request.client.host if request.client else None) else None
        url = self._public + _path_and_query(request.url)
        return form if self._fits(url, form, request.headers.get("x-twilio-signature")) else None

    def upgrade(self, upgrade: Upgrade) -> bool:
        """Whether the carrier signed this WebSocket upgrade."""
        if not self._on:
            return _is_loopback(upgrade.client)
        return self._fits(self.socket_base + upgrade.path, {}, upgrade.signature)

    def _fits(self, url: str, form: dict[str, str], signature: str | None) -> bool:
        return signature is not None and signature_fits(self._token, url, form, signature)


def _path_and_query(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def _is_loopback(client: str | None) -> bool:
    try:
        return client is not None and ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
