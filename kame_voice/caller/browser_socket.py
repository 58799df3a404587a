"""A WebRTC connection that speaks like a media socket, so that a `LiveCall` can pace it.

Stands for a browser: offers sound and a data channel, encodes by aiortc's own Opus, and places what
arrives as it arrives, like the carrier's buffer does for a phone call, so that both are measured alike.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Any, Final, Self

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from kame_voice.audio import g711
from kame_voice.audio.resample import Resampler
from kame_voice.caller.errors import StreamRefused
from kame_voice.caller.live import SocketGone
from kame_voice.caller.twilio_side import RATE
from kame_voice.core.clock import Clock

__all__ = ["BrowserSocket", "NetworkPath"]

_OPUS_HZ: Final = 48_000
_CONNECT_WITHIN_S: Final = 10.0
_CLOSE_WITHIN_S: Final = 3.0
_CHANNEL: Final = "call"
_Send = Callable[[bytes], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class NetworkPath:
    """What happens to each sound packet on its way, either direction: lost with `loss` (0..1), late by
    0 to `jitter_s`, so that packets overtake each other. `buffer_s`: the browser's jitter buffer.
    """

    loss: float = 0.0
    jitter_s: float = 0.0
    buffer_s: float = 0.0
    seed: int = 1


class BrowserSocket:
    """See `MediaSocket`. An async context manager: the connection is closed when it is left."""

    def __init__(self, clock: Clock, path: NetworkPath | None = None) -> None:
        self.told: list[dict[str, Any]] = []
        self._clock = clock
        self._path = path or NetworkPath()
        self._chance = random.Random(self._path.seed)
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._microphone = _Microphone()
        self._inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._stream_sid = ""
        self._ear = _Ear()
        self._first: tuple[float, int] | None = None
        self._latest = -1
        self._up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channel = self._connection.createDataChannel(_CHANNEL)
        self._channel.on("message", self._message)
        self._connection.on("connectionstatechange", self._state_changed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inbox.put_nowait(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._connection.close(), _CLOSE_WITHIN_S)

    async def offer(self) -> str:
        """The SDP to be sent to the server."""
        self._transceiver = self._connection.addTransceiver(self._microphone, direction="sendrecv")
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def connect(self, answer: str) -> None:
        """Take the server's SDP and wait until sound flows. Raises StreamRefused."""
        # in place of aiortc's jitter buffer: what counts here is when a packet came
        self._transceiver.receiver._RTCRtpReceiver__jitter_buffer = self  # type: ignore[attr-defined]
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        try:
            await asyncio.wait_for(asyncio.shield(self._up), _CONNECT_WITHIN_S)
        except TimeoutError as error:
            raise StreamRefused("the connection did not come about in time", where="webrtc") from error
        transport = self._transceiver.receiver.transport.transport
        transport._send = self._impaired(transport._send)  # type: ignore[assignment]

    async def part(self, *, orderly: bool) -> None:
        """Hang up; or vanish, without a word to the server, as a browser whose computer lost its power."""
        if orderly:
            self._say({"type": "hangup"})
            await asyncio.sleep(0.1)
            return
        self._up = asyncio.get_running_loop().create_future()
        for protocol in list(self._transceiver.receiver.transport.transport._connection._protocols):
            protocol.transport.abort()

    # See `MediaSocket`.

    async def send(self, text: str) -> None:
        """Media becomes sound, dtmf a message; the rest is nothing a browser says."""
        if self._connection.connectionState in {"closed", "failed"}:
            raise SocketGone("the server closed the connection")
        message = json.loads(text)
        self._stream_sid = message.get("streamSid", self._stream_sid)
        match message["event"]:
            case "media":
                self._microphone.say(base64.b64decode(message["media"]["payload"]))
            case "dtmf":
                self._say({"type": "dtmf", "digit": message["dtmf"]["digit"]})

    async def receive(self) -> str:
        """The server's sound, as a carrier's message would hold it."""
        message = await self._inbox.get()
        if message is None:
            raise SocketGone("the server closed the connection")
        return message

    # What comes.

    def add(self, packet: Any) -> tuple[bool, None]:
        """One RTP packet, called by aiortc's receiver."""
        now = self._clock()
        if self._first is None:
            self._first = (now, packet.timestamp)
        if self._path.loss and self._chance.random() < self._path.loss:
            return False, None
        if not self._path.buffer_s:
            self._play(packet.timestamp, packet.payload)
            return False, None
        began, timestamp = self._first
        wait_s = began + (packet.timestamp - timestamp) / _OPUS_HZ + self._path.buffer_s - now
        if wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._play, packet.timestamp, packet.payload)
        return False, None

    def _play(self, timestamp: int, payload: bytes) -> None:
        if timestamp <= self._latest:
            return
        self._latest = timestamp
        coded = base64.b64encode(self._ear.hear(payload)).decode("ascii")
        media = {"event": "media", "streamSid": self._stream_sid, "media": {"payload": coded}}
        self._inbox.put_nowait(json.dumps(media))

    def _message(self, text: str) -> None:
        self.told.append(json.loads(text))

    def _say(self, message: dict[str, Any]) -> None:
        if self._channel.readyState == "open":
            self._channel.send(json.dumps(message))

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected" and not self._up.done():
            self._up.set_result(None)
        elif state in {"failed", "closed"}:
            self._inbox.put_nowait(None)

    def _impaired(self, send: _Send) -> _Send:
        """`send` as this path does it; only sound suffers (RFC 7983 tells it by its first byte)."""
        if not self._path.loss and not self._path.jitter_s:
            return send
        late: set[asyncio.Task[None]] = set()

        async def send_late(data: bytes, delay_s: float) -> None:
            await asyncio.sleep(delay_s)
            with contextlib.suppress(ConnectionError):
                await send(data)

        async def impaired(data: bytes) -> None:
            if not 127 < data[0] < 192:
                await send(data)
            elif self._chance.random() >= self._path.loss:
                delay_s = self._chance.uniform(0, self._path.jitter_s)
                task = asyncio.get_running_loop().create_task(send_late(data, delay_s), name="late packet")
                late.add(task)
                task.add_done_callback(late.discard)

        return impaired


class _Microphone(MediaStreamTrack):
    """Mu-law frames as they are said, to 48 kHz; aiortc encodes them."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        self._up = Resampler(RATE, _OPUS_HZ)
        self._at = 0

    def say(self, coded: bytes) -> None:
        """The next 20 ms."""
        self._frames.put_nowait(coded)

    async def recv(self) -> av.AudioFrame:
        pcm = self._up.feed(g711.decode(await self._frames.get()))
        frame = av.AudioFrame("s16", "mono", len(pcm))
        frame.planes[0].update((np.clip(pcm, -1, 1) * 32767).astype(np.int16))
        frame.sample_rate = _OPUS_HZ
        frame.pts = self._at
        frame.time_base = Fraction(1, _OPUS_HZ)
        self._at += len(pcm)
        return frame


class _Ear:
    """Opus packets to mu-law, by FFmpeg's own decoder rather than the server's libopus."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("opus", "r")
        self._codec.sample_rate = _OPUS_HZ
        self._codec.layout = "stereo"
        self._down = Resampler(_OPUS_HZ, RATE)

    def hear(self, payload: bytes) -> bytes:
        """One packet's sound."""
        parts = [frame.to_ndarray()[0] for frame in self._codec.decode(av.Packet(payload))]
        pcm = np.concatenate(parts) if parts else np.zeros(_OPUS_HZ // 50, np.float32)
        return g711.encode(self._down.feed(pcm.astype(np.float32)))
