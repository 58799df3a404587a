"""The caller's end of the media socket: a WebSocket client that behaves as Twilio's does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from kame_voice.caller.errors import StreamRefused
from kame_voice.caller.live import SocketGone

__all__ = ["WebSocketClient", "open_socket"]

_USER_AGENT: Final = "Twilio.TmeWs/1.0"
_OPEN_WITHIN_S: Final = 10.0


class WebSocketClient:
    """A `MediaSocket` on a WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        """Raises SocketGone once the server has closed."""
        try:
            await self._connection.send(text)
        except (ConnectionClosed, OSError) as error:
            raise SocketGone(_how(error)) from error

    async def receive(self) -> str | bytes:
        """The server's next message. Raises SocketGone once it has closed."""
        try:
            return await self._connection.recv()
        except (ConnectionClosed, OSError) as error:
            raise SocketGone(_how(error)) from error

    def abort(self) -> None:
        """Break the connection: no closing handshake."""
        self._connection.transport.abort()


@contextlib.asynccontextmanager
async def open_socket(
    url: str, headers: dict[str, str], *, reads: bool = True
) -> AsyncIterator[WebSocketClient]:
    """Open `url` with `headers`; closed (1000) when the body ends. Raises StreamRefused.

    With `reads` false nothing is taken from the network beyond one message: a peer that has hung.
    """
    try:
        connection = await connect(
            url,
            additional_headers=headers,
            user_agent_header=_USER_AGENT,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=_OPEN_WITHIN_S,
            close_timeout=2,
            max_queue=None if reads else 1,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        raise StreamRefused(
            f"the server answered HTTP {status} to the socket's upgrade (Twilio's error 31920)",
            where=url,
            do="compare KAME_PUBLIC_URL and TWILIO_AUTH_TOKEN of both sides" if status == 403 else None,
        ) from error
    except (InvalidHandshake, InvalidURI, OSError, TimeoutError) as error:
        raise StreamRefused(
            f"the media socket cannot be opened: {error or 'timed out'}", where=url
        ) from error
    try:
        yield WebSocketClient(connection)
    finally:
        await connection.close()


def _how(error: ConnectionClosed | OSError) -> str:
    received = error.rcvd if isinstance(error, ConnectionClosed) else None
    if received is None:
        return "connection lost"
    return f"{received.code} {received.reason}".strip()
