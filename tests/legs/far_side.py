"""Twilio's end of the media socket, in memory."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from kame_voice.audio import g711
from kame_voice.core.nouns import Pcm
from kame_voice.legs.socket import SocketClosed

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


def packet(number: int, *, at_ms: int | None = None, track: str = "inbound", code: int = 0x80) -> str:
    """The `number`th (from 0) 20 ms packet of the caller's voice."""
    return json.dumps(
        {
            "event": "media",
            "sequenceNumber": str(number + 2),
            "media": {
                "track": track,
                "chunk": str(number + 1),
                "timestamp": str(number * 20 if at_ms is None else at_ms),
                "payload": base64.b64encode(bytes([code]) * 160).decode(),
            },
            "streamSid": "MZ1",
        }
    )


class FarSide:
    """The server's socket: a test puts in what Twilio says and reads what came, with its time."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.closed_with: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._gone = False

    def says(self, *messages: str) -> None:
        for message in messages:
            self._inbox.put_nowait(message)

    def drops(self) -> None:
        self._gone = True
        self._inbox.put_nowait(None)

    def got(self, event: str) -> list[dict[str, Any]]:
        return [message for _, message in self.sent if message["event"] == event]

    def times(self, event: str) -> list[float]:
        return [when for when, message in self.sent if message["event"] == event]

    def order(self) -> list[str]:
        return [message["event"] for _, message in self.sent]

    def heard(self) -> Pcm:
        """All audio that came, at 8 kHz."""
        return g711.decode(b"".join(base64.b64decode(m["media"]["payload"]) for m in self.got("media")))

    async def receive_text(self) -> str:
        message = await self._inbox.get()
        if message is None:
            raise SocketClosed
        return message

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        if self._gone:
            raise SocketClosed
        self.sent.append((asyncio.get_running_loop().time(), json.loads(text)))

    async def close(self, code: int) -> None:
        if self._gone:
            raise SocketClosed
        self.closed_with = code
        self.drops()
