"""Which WebSocket goes where: media sockets to the calls, all others to uvicorn's own protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from kame_voice.web.media_socket import MediaSocket, Upgrade

__all__ = ["MEDIA_PATH", "upgrades"]

MEDIA_PATH: Final = "/twilio/media/"


def upgrades(knock: Callable[[Upgrade, MediaSocket], bool]) -> Callable[..., asyncio.Protocol]:
    """What uvicorn takes as `ws`: it makes one for each connection that asks for a WebSocket."""

    def protocol(config: Config, server_state: ServerState, app_state: dict[str, Any]) -> asyncio.Protocol:
        return _Switch(
            lambda: MediaSocket(knock, server_state.connections),
            lambda: WebSocketsSansIOProtocol(config, server_state, app_state),
        )

    return protocol


class _Switch(asyncio.Protocol):
    """Reads the request line, which uvicorn hands over with the whole head, then steps aside."""

    def __init__(self, media: Callable[[], asyncio.Protocol], other: Callable[[], asyncio.Protocol]) -> None:
        self._media = media
        self._other = other
        self._transport: asyncio.BaseTransport
        self._chosen: asyncio.Protocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._chosen is None:
            self._chosen = self._media() if data.startswith(_MEDIA_LINE) else self._other()
            self._chosen.connection_made(self._transport)
            # not at once: uvicorn is about to set this one
            asyncio.get_running_loop().call_soon(self._transport.set_protocol, self._chosen)
        self._chosen.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._chosen is not None:
            self._chosen.connection_lost(exc)


_MEDIA_LINE: Final = f"GET {MEDIA_PATH}".encode()
