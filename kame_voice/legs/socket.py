"""The text socket a leg speaks over: starlette's WebSocket in the server, memory in tests."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SocketClosed", "TextSocket"]


class SocketClosed(Exception):
    """The connection is gone, by whichever side."""


class TextSocket(Protocol):
    """One WebSocket connection, text messages only."""

    async def receive_text(self) -> str:
        """The next message. Raises SocketClosed, at once after our own `close` too."""
        ...

    async def send_text(self, text: str) -> None:
        """Send one message; waits while the peer does not read. Raises SocketClosed."""
        ...

    async def close(self, code: int) -> None:
        """Close with a WebSocket code. Raises SocketClosed when it is closed already."""
        ...
