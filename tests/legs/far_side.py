"""Twilio's end of the media socket, in memory."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from kame_voice.audio import g711
from kame_voice.core.nouns import Pcm

__all__ = ["FarSide", "packet", "start_message"]


def start_message(**changes: Any) -> str:
    start = {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "t"},
    }
    return json.dumps({"event": "start", "sequenceNumber": "1", "start": start | changes, "streamSid": "MZ1"})


def packet(
    number: int, *, at_ms: int | None = None, track: str = "inbound", code: int = 0x80, size: int = 160
) -> str:
    """The `number`th (from 0) 20 ms packet of the caller's voice."""
    return json.dumps(
        {
            "event": "media",
            "sequenceNumber": str(number + 2),
            "media": {
                "track": track,
                "chunk": str(number + 1),
                "timestamp": str(number * 20 if at_ms is None else at_ms),
                "payload": base64.b64encode(bytes([code]) * size).decode(),
            },
            "streamSid": "MZ1",
        }
    )


class FarSide:
    """The server's socket: a test says what Twilio says and reads what came, with its time."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.closed_with: int | None = None
        self.writable = True
        self._on_message: Callable[[bytes], None] | None = None
        self._on_closed: Callable[[], None] | None = None
        self._held: deque[str] = deque()
        self._gone = False

    def says(self, *messages: str) -> None:
        self._held.extend(messages)
        self._deliver()

    def drops(self) -> None:
        self._gone = True
        self._deliver()

    def got(self, event: str) -> list[dict[str, Any]]:
        return [message for _, message in self.sent if message["event"] == event]

    def times(self, event: str) -> list[float]:
        return [when for when, message in self.sent if message["event"] == event]

    def order(self) -> list[str]:
        return [message["event"] for _, message in self.sent]

    def heard(self) -> Pcm:
        """All audio that came, at 8 kHz."""
        return g711.decode(b"".join(base64.b64decode(m["media"]["payload"]) for m in self.got("media")))

    # legs.socket.TextSocket

    def listen(self, on_message: Callable[[bytes], None], on_closed: Callable[[], None]) -> None:
        self._on_message, self._on_closed = on_message, on_closed
        self._deliver()

    def hold(self) -> None:
        self._on_message = self._on_closed = None

    def send(self, *messages: bytes) -> None:
        if not self._gone:
            now = asyncio.get_running_loop().time()
            self.sent += [(now, json.loads(message)) for message in messages]

    def close(self, code: int) -> None:
        self.closed_with = code
        self.drops()

    def _deliver(self) -> None:
        while self._held and self._on_message is not None:
            self._on_message(self._held.popleft().encode())
        if self._gone and self._on_closed is not None:
            on_closed, self._on_closed = self._on_closed, None
            on_closed()
