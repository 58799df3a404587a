"""Many cheap callers in one process: the wire to the letter, no script, no voice detection as it runs.

Costs about a tenth of `PhoneCaller` a call, so that the load of the measuring does not become
the measurement.
"""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from kame_voice.audio import g711
from kame_voice.caller.caller import Server, ring
from kame_voice.caller.errors import StreamRefused
from kame_voice.caller.playback import Playback
from kame_voice.caller.twilio_side import (
    FRAME_BYTES,
    FRAME_MS,
    RATE,
    CallIdentity,
    Clear,
    Mark,
    Media,
    MediaStream,
    parse,
)
from kame_voice.caller.twiml import Connect, describe
from kame_voice.caller.wire_stats import WireStats, measure

__all__ = ["LoadCall", "LoadReport", "place_load"]

_FRAME_S: Final = FRAME_MS / 1000
_CLOSE_WITHIN_S: Final = 2.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_NO_MASK: Final = b"\x00\x00\x00\x00"
"""A legal masking key that leaves the payload as it is: the server unmasks all the same."""
_STEP: Final = RATE * 2
_OPEN_WITHIN_S: Final = 10.0


@dataclass(slots=True)
class LoadReport:
    """What one of the callers saw, from `since_s` on its own media clock to its end."""

    wire: WireStats
    echo_ms: list[float] = field(default_factory=list)
    own_late_ms: list[float] = field(default_factory=list)
    failure: str = ""


class LoadCall(asyncio.Protocol):
    """One media socket: sends `frames` (base64) round and round every 20 ms, plays what comes."""

    def __init__(self, stream: MediaStream, url: str, headers: dict[str, str], frames: Sequence[str]) -> None:
        self.playback = Playback()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent = 0
        self.own_late_ms: list[float] = []
        self.began_at = 0.0
        self._stream = stream
        self._frames = frames
        self._url = urlsplit(url)
        self._headers = headers
        self._buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._open = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's
        self._transport = cast(asyncio.Transport, transport)
        lines = [
            f"GET {self._url.path} HTTP/1.1",
            f"Host: {self._url.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in self._headers.items()),
        ]
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._buffer += data
        if not self._open and not self._finish_upgrade(now):
            return
        while (message := self._pop_frame()) is not None:
            opcode, payload = message
            if opcode == _TEXT:
                self._message(payload.decode(), now - self.began_at)
            elif opcode == _PING:
                self._write(_PONG, payload)
            elif opcode == _CLOSE:
                self._end(f"server closed ({int.from_bytes(payload[:2], 'big')})")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"connection lost ({exc or 'closed'})")

    # What the load does.

    def hang_up(self) -> None:
        """Stop message, close; the connection goes when the server has closed too.

        Gone at once, with sound unread, the kernel would reset it and the server never read the goodbye.
        """
        if not self._open or self.closed.done():
            self._end("")
            return
        self._write(_TEXT, self._stream.stop().encode())
        self._write(_CLOSE, (1000).to_bytes(2, "big"))
        self._settle("")
        assert self._transport is not None
        asyncio.get_running_loop().call_later(_CLOSE_WITHIN_S, self._transport.close)

    def report(self, since_s: float, said: NDArray[np.float32]) -> LoadReport:
        """Sum up, from `since_s` on this call's clock; `said` is one round of what it sends."""
        samples = self.sent * FRAME_BYTES
        heard = self.playback.heard(samples)
        wire = measure(self.playback, heard, max(self.own_late_ms, default=0) / 1000, since_s=since_s)
        failure = self.closed.result() if self.closed.done() else "still open"
        repeated = np.resize(said, samples) if samples else said[:0]
        return LoadReport(wire, _echo_ms(repeated, heard, round(since_s * RATE)), self.own_late_ms, failure)

    def _finish_upgrade(self, now: float) -> bool:
        head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            return False
        status = head.split(b"\r\n", 1)[0].decode("latin-1")
        if " 101 " not in status + " ":
            self._end(f"upgrade refused: {status}")
            return False
        self._buffer[:] = rest
        self._open = True
        self.began_at = now
        self._write(_TEXT, self._stream.connected().encode())
        self._write(_TEXT, self._stream.start().encode())
        self._began_loop = self._loop.time()
        self._timer = self._loop.call_at(self._began_loop + _FRAME_S, self._tick)
        self.opened.set_result(None)
        return True

    def _tick(self) -> None:
        if self.closed.done():
            return
        now = time.perf_counter()
        self.playback.due(now - self.began_at)
        self.own_late_ms.append((now - self.began_at - (self.sent + 1) * _FRAME_S) * 1000)
        frame = self._frames[self.sent % len(self._frames)]
        self.sent += 1
        self._write(_TEXT, self._stream.media(frame).encode())
        self._return_marks()
        self._timer = self._loop.call_at(self._began_loop + (self.sent + 1) * _FRAME_S, self._tick)

    def _message(self, text: str, now_s: float) -> None:
        match parse(text, self._stream.call.stream_sid):
            case Media(payload):
                self.playback.receive(payload, now_s)
            case Mark(name):
                self.playback.mark(name, now_s)
            case Clear():
                self.playback.clear(now_s)

    def _return_marks(self) -> None:
        # on the 20 ms tick: a load needs no finer marks
        while self.playback.marks:
            self._write(_TEXT, self._stream.mark(self.playback.marks.pop(0).name).encode())

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else bytes((0x80 | opcode, 0xFE))
        length = b"" if size < 126 else size.to_bytes(2, "big")
        assert self._transport is not None
        self._transport.write(head + length + _NO_MASK + payload)

    def _pop_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return None
        opcode, payload = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return opcode, payload

    def _end(self, why: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(StreamRefused(why, where=self._url.path))
        self._settle(why)
        if self._transport:
            self._transport.close()

    def _settle(self, why: str) -> None:
        if not self.closed.done():
            self.closed.set_result(why)
            if self._timer:
                self._timer.cancel()


async def place_load(
    server: Server, to_number: str, calls: int, said: NDArray[np.float32], ramp_s: float
) -> list[LoadCall]:
    """Set up `calls` calls, evenly over `ramp_s` and in different phases of the 20 ms. They talk at once.

    `said` [n] at 8 kHz is spoken over and over. Raises StreamRefused when one is not taken.
    """
    audio = g711.encode(said)
    frames = [
        base64.b64encode(audio[at : at + FRAME_BYTES]).decode()
        for at in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)
    ]
    loop = asyncio.get_running_loop()
    began = loop.time()
    placed: list[LoadCall] = []
    async with httpx.AsyncClient(trust_env=False, timeout=15) as http:
        for number in range(calls):
            await asyncio.sleep(max(began + ramp_s * number / calls - loop.time(), 0))
            identity = CallIdentity(f"+1555{number:07d}", to_number)
            verbs = await ring(http, server, identity)
            connect = next((verb for verb in verbs if isinstance(verb, Connect)), None)
            if connect is None:
                raise StreamRefused(f"call {number + 1} was refused: it {describe(verbs)}", where=server.url)
            stream = MediaStream(identity, connect.parameters)
            place = urlsplit(server.dialled(connect.url))
            _, call = await loop.create_connection(
                lambda: LoadCall(stream, place.geturl(), server.signature(connect.url), frames),  # noqa: B023
                place.hostname or "",
                place.port or 80,
            )
            try:
                await asyncio.wait_for(call.opened, _OPEN_WITHIN_S)
            except TimeoutError as error:
                raise StreamRefused("the media socket was not opened in time", where=connect.url) from error
            placed.append(call)
    return placed


def _echo_ms(said: NDArray[np.float32], heard: NDArray[np.float32], since: int) -> list[float]:
    """How long after it was spoken the caller hears each second of itself, by cross-correlation."""
    delays = []
    for start in range(since, len(said) - 2 * _STEP, _STEP):
        spoken, ear = said[start : start + _STEP], heard[start : start + 2 * _STEP]
        size = len(ear) + len(spoken)
        match = np.fft.irfft(np.fft.rfft(ear, size) * np.conj(np.fft.rfft(spoken, size)), size)
        best = int(np.argmax(match[:_STEP]))
        if match[best] > 0.3 * float(np.linalg.norm(spoken)) * float(
            np.linalg.norm(ear[best : best + _STEP]) + 1e-9
        ):
            delays.append(best * 1000 / RATE)
    return delays
