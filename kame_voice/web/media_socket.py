"""The media socket on the wire: a WebSocket without a web framework between it and the call.

`websockets` shakes hands, checks, closes and answers pings, without I/O. What comes a hundred times
a second a call, whole text messages, is taken and sent here: the library needs 20 µs for one, two
queues and a task more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

__all__ = ["MediaSocket", "Upgrade"]

_LARGEST: Final = 1 << 20
"""Bytes of one message. Twilio's largest, the start, has some hundred."""
_WHOLE_TEXT: Final = 0x81
_MASKED: Final = 0x80
_WAITING_BYTES: Final = 8192
"""About half a second of audio that the peer has not read: then it does not keep up."""
_CLOSE_WITHIN_S: Final = 2.0
_QUIET_S: Final = 20.0
"""A peer that says nothing for this long is asked for a sign, and given up after as long again."""
_GOING_AWAY: Final = 1012


class Upgrade(NamedTuple):
    """Who asks to open a socket. `path` with its query; `client` is an IP address, if known."""

    path: str
    signature: str | None
    client: str | None


class MediaSocket(asyncio.Protocol):
    """See `legs.socket.TextSocket`.

    `knock` decides about an upgrade, and starts the call when it says yes. `connections` is the
    web server's list of what it has to close when it stops, by `shutdown`.
    """

    def __init__(self, knock: Callable[[Upgrade, MediaSocket], bool], connections: set[Any]) -> None:
        self.writable = True
        self._knock = knock
        self._connections = connections
        self._protocol = ServerProtocol(max_size=_LARGEST)
        self._transport: asyncio.Transport
        self._rest = b""
        self._fragments: list[bytes] = []
        self._on_message: Callable[[bytes], None] | None = None
        self._on_closed: Callable[[], None] | None = None
        self._held: deque[bytes] = deque()
        self._lost = False
        self._quiet = self._asked = False
        self._timer: asyncio.TimerHandle | None = None

    # legs.socket.TextSocket

    def listen(self, on_message: Callable[[bytes], None], on_closed: Callable[[], None]) -> None:
        self._on_message, self._on_closed = on_message, on_closed
        while self._held and self._on_message is not None:
            self._on_message(self._held.popleft())
        self._tell_lost()

    def hold(self) -> None:
        self._on_message = self._on_closed = None

    def send(self, *messages: bytes) -> None:
        if self._is_up:
            self._transport.write(b"".join([part for text in messages for part in (_head(len(text)), text)]))

    def close(self, code: int) -> None:
        if self._is_up:
            self._protocol.send_close(code)
            self._flush()
            self._call_later(_CLOSE_WITHIN_S, self._transport.abort)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WAITING_BYTES)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._quiet = False
        if self._rest:
            data = self._rest + data
        self._rest = self._take(data)

    def eof_received(self) -> None:
        self._protocol.receive_eof()

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._lost = True
        self._tell_lost()

    def shutdown(self) -> None:
        """The web server stops."""
        self.close(_GOING_AWAY)
        self._transport.close()

    # What comes.

    def _take(self, data: bytes) -> bytes:
        """Frame by frame; returns the beginning of one that is not whole yet."""
        at, size = 0, len(data)
        while at < size:
            if self._protocol.state is not OPEN:
                self._take_slowly(data[at:])
                return b""
            if size - at < 2:
                break
            length, head = data[at + 1] & 0x7F, 6
            if length > 125:
                head = 8 if length == 126 else 14
                length = int.from_bytes(data[at + 2 : at + head - 4], "big")
            end = at + head + length
            if not data[at + 1] & _MASKED or length > _LARGEST:
                # a fault, and the library's to say which
                self._take_slowly(data[at:])
                return b""
            if end > size:
                break
            if data[at] == _WHOLE_TEXT and not self._fragments:
                self._deliver(apply_mask(data[at + head : end], data[at + head - 4 : at + head]))
            else:
                self._take_slowly(data[at:end])
            at = end
        return data[at:]

    def _take_slowly(self, data: bytes) -> None:
        """Whatever is not one whole text message: by the library."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._answer(event)
            elif isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                self._join(event)
        self._flush()

    def _answer(self, request: Request) -> None:
        address = self._transport.get_extra_info("peername")
        signatures = request.headers.get_all("X-Twilio-Signature")
        upgrade = Upgrade(
            request.path, signatures[0] if len(signatures) == 1 else None, address[0] if address else None
        )
        response = self._protocol.accept(request)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS and not self._knock(upgrade, self):
            response = self._protocol.reject(HTTPStatus.FORBIDDEN, "")
        self._protocol.send_response(response)
        self._call_later(_QUIET_S, self._watch)

    def _join(self, frame: Frame) -> None:
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            message, self._fragments = b"".join(self._fragments), []
            self._deliver(message)

    def _deliver(self, message: bytes) -> None:
        if self._on_message is None:
            self._held.append(message)
        else:
            self._on_message(message)

    def _tell_lost(self) -> None:
        on_closed = self._on_closed
        if self._lost and on_closed is not None:
            self._on_closed = None
            on_closed()

    @property
    def _is_up(self) -> bool:
        """A connection that was reset has said no goodbye: to the protocol it is open still.

        Writing to it is an error to uvloop, where asyncio only warns.
        """
        return self._protocol.state is OPEN and not self._transport.is_closing()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if self._transport.is_closing():
                return
            if data:
                self._transport.write(data)
            else:
                self._transport.close()

    def _watch(self) -> None:
        """A peer whose network is gone does not say so."""
        if self._quiet and self._asked:
            self._transport.abort()
            return
        self._asked = self._quiet and self._protocol.state is OPEN
        if self._asked:
            self._protocol.send_ping(b"")
            self._flush()
        self._quiet = True
        self._call_later(_QUIET_S, self._watch)

    def _call_later(self, seconds: float, act: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, act)


def _head(length: int) -> bytes:
    if length < 126:
        return bytes((_WHOLE_TEXT, length))
    if length < 1 << 16:
        return bytes((_WHOLE_TEXT, 126)) + length.to_bytes(2, "big")
    return bytes((_WHOLE_TEXT, 127)) + length.to_bytes(8, "big")
