"""The text socket a leg speaks over: `web.media_socket` in the server, memory in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["SocketClosed", "TextSocket"]


class SocketClosed(Exception):
    """The connection is gone, by whichever side."""


class TextSocket(Protocol):
    """One WebSocket connection, text messages only.

    Calls, not coroutines: a call's 100 packets a second pass here, and each task that has to be
    woken costs more than what is done with the packet.
    """

    @property
    def writable(self) -> bool:
        """False while the peer does not keep up with reading."""
        ...

    def listen(self, on_message: Callable[[bytes], None], on_closed: Callable[[], None]) -> None:
        """Call `on_message` with each message (UTF-8), then `on_closed` once; what waits already, now."""
        ...

    def hold(self) -> None:
        """Keep what comes for the next to `listen`. So it is before the first one."""
        ...

    def send(self, *messages: bytes) -> None:
        """Send text messages (UTF-8) in one go. Does nothing on a closed socket."""
        ...

    def close(self, code: int) -> None:
        """Close with a WebSocket code. Does nothing on a closed socket."""
        ...
