"""Whether a request really comes from the carrier: Twilio's signature over the public URL."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import structlog
from fastapi import Request
from starlette.datastructures import URL

from kame_voice.core.settings import Settings, SettingsError
from kame_voice.legs.twilio_rest import signature_fits
from kame_voice.web.media_socket import Upgrade

__all__ = ["SIGNATURE_HELP", "Signatures", "check_carrier_is_known"]

log = structlog.get_logger()

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


def check_carrier_is_known(settings: Settings, host: str) -> None:
    """Before serving on `host`: that Twilio's requests can be told from strangers'.

    Raises SettingsError: no public URL or token, or signatures off on an address that strangers reach.
    """
    if not settings.twilio_signatures:
        # Through a tunnel strangers come from 127.0.0.1 too: the public address must be local as well.
        for where, name in (
            ("--host", host),
            ("KAME_PUBLIC_URL", urlsplit(settings.public_url).hostname or ""),
        ):
            if name and name != "localhost" and not _is_loopback(name):
                raise SettingsError(
                    "signatures are off, so anybody could place calls",
                    where=f"KAME_TWILIO_SIGNATURES with {where} {name}",
                    do="switch signatures on, or serve on 127.0.0.1 under a local public URL",
                )
        log.warning(
            "TWILIO SIGNATURES ARE OFF", where="requests from this machine only", do="never in production"
        )
    if not settings.public_url:
        raise SettingsError(
            "is not set, so the carrier cannot be told where to connect",
            where="KAME_PUBLIC_URL",
            do="set it to the https:// address at which Twilio reaches this server, or to "
            "http://127.0.0.1:8080 to try it on this machine alone; see `kame-voice doctor`",
        )
    if settings.twilio_signatures and not settings.twilio_auth_token.get_secret_value():
        raise SettingsError(
            "is not set, so Twilio's requests cannot be checked",
            where="TWILIO_AUTH_TOKEN",
            do="copy it from Twilio's console; on this machine alone any secret will do; "
            "see `kame-voice doctor`",
        )


def _path_and_query(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def _is_loopback(client: str | None) -> bool:
    try:
        return client is not None and ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
