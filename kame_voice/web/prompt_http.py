"""HTTP by uvicorn, for peers that send what they begin: a half-open request does not stay for ever."""

from __future__ import annotations

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["REQUEST_WITHIN_S", "PromptHttp"]

REQUEST_WITHIN_S: Final = 20.0
"""From a request's first byte, or the connection's start, to the request's last: bodies here are small."""


class PromptHttp(H11Protocol):
    """Closes a connection whose request is not whole in time. How long an answer takes is not its concern.

    Without it a peer that sends a byte now and then holds a connection, and in the end all file
    descriptors of the process. Between two requests uvicorn's own keep-alive time holds.
    """

    within_s = REQUEST_WITHIN_S

    _overdue: asyncio.TimerHandle | None = None
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._upgraded and self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._await_request()
        else:
            self._be_content()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_content()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on the connection is another protocol's, which it may be for hours."""
        self._upgraded = True
        self._be_content()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """An answer that came before the request's end closes the connection: nothing more is awaited."""
        self._be_content()
        super().on_response_complete()

    def _await_request(self) -> None:
        if self._overdue is None:
            self._overdue = self.loop.call_later(self.within_s, self._give_up)

    def _be_content(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self._overdue = None
        self.transport.close()
