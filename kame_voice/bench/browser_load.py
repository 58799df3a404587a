"""Many cheap callers in a browser's place: one process of them, real WebRTC, sound coded beforehand.

Costs a third of a `BrowserCaller` a call, so that the load of the measuring does not become the
measurement. `python -m` runs it: the measured server and its callers share no process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Final

import av
import httpx
import numpy as np
import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from kame_voice.audio.opus import SILENCE, OpusEncoder
from kame_voice.core.nouns import SAMPLE_RATE

__all__ = ["LoadOrder", "LoadResult", "noise"]

_FRAME_S: Final = 0.02
_TICKS: Final = 960
_SETTLE_S: Final = 3.0
"""Calls have begun and their greetings are over, but nothing is measured yet."""
_LATE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """`calls` calls of `seconds` each; one after the other within `places` at once.

    `talking`: each sends noise without pause instead of silence.
    """

    url: str
    line: str
    token: str
    calls: int
    places: int
    seconds: float
    talking: bool


@dataclass(slots=True)
class LoadResult:
    """`late`: packets that came over 20 ms after their place on an absolute clock, of `received`.

    `first_packet_s`: from asking for the answer to the first packet. `own_late_ms`: our own sending.
    """

    received: int = 0
    late: int = 0
    lost: int = 0
    jitter_ms: list[float] = field(default_factory=list)
    own_late_ms: list[float] = field(default_factory=list)
    first_packet_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class _Voice(MediaStreamTrack):
    """Ready-made packets, one every 20 ms of an absolute clock."""

    kind = "audio"

    def __init__(self, payloads: Sequence[bytes], result: LoadResult) -> None:
        super().__init__()
        self._payloads = payloads
        self._result = result
        self._began: float | None = None
        self._sent = 0

    async def recv(self) -> av.Packet:
        now = time.perf_counter()
        if self._began is None:
            self._began = now
        due = self._began + self._sent * _FRAME_S
        if due > now:
            await asyncio.sleep(due - now)
        self._result.own_late_ms.append((time.perf_counter() - due) * 1000)
        packet = av.Packet(self._payloads[self._sent % len(self._payloads)])
        packet.pts = self._sent * _TICKS
        packet.time_base = Fraction(1, 48_000)
        self._sent += 1
        return packet


class _Arrivals:
    """In the place of aiortc's jitter buffer: notes when packets come, decodes nothing."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.sequence: list[int] = []

    def add(self, packet: Any) -> tuple[bool, None]:
        self.at.append(time.perf_counter())
        self.sequence.append(packet.sequence_number)
        return False, None


def noise(seconds: float = 5.0) -> list[bytes]:
    """Noise at -20 dBFS as Opus packets: no two alike."""
    encoder = OpusEncoder()
    pcm = np.random.default_rng(7).normal(0, 0.1, int(seconds * SAMPLE_RATE)).astype(np.float32)
    frame = SAMPLE_RATE // 50
    return [encoder.encode(pcm[at : at + frame]) for at in range(0, len(pcm) - frame + 1, frame)]


async def _one(
    http: httpx.AsyncClient, order: LoadOrder, payloads: Sequence[bytes], into: LoadResult
) -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        channel = connection.createDataChannel("call")
        transceiver = connection.addTransceiver(_Voice(payloads, into), direction="sendrecv")
        arrivals = _Arrivals()
        transceiver.receiver._RTCRtpReceiver__jitter_buffer = arrivals  # type: ignore[attr-defined]
        await connection.setLocalDescription(await connection.createOffer())
        asked = time.perf_counter()
        answer = await http.post(
            f"{order.url}/webrtc/offer",
            json={"line": order.line, "sdp": connection.localDescription.sdp},
            headers={"Authorization": f"Bearer {order.token}"},
        )
        if not answer.is_success:
            into.failures.append(answer.text)
            return
        await connection.setRemoteDescription(RTCSessionDescription(answer.json()["sdp"], "answer"))
        await asyncio.sleep(order.seconds)
        if not arrivals.at:
            into.failures.append("no sound came")
            return
        into.first_packet_s.append(arrivals.at[0] - asked)
        _sum_up(arrivals, into)
        if channel.readyState == "open":
            channel.send(json.dumps({"type": "hangup"}))
            await asyncio.sleep(0.1)
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(connection.close(), 3)


def _sum_up(arrivals: _Arrivals, into: LoadResult) -> None:
    """Lateness against the earliest place that any packet of the call allows."""
    at = np.array(arrivals.at)
    place = (np.array(arrivals.sequence) - arrivals.sequence[0]) % 65_536
    settled = at >= at[0] + min(_SETTLE_S, (at[-1] - at[0]) / 2)
    lateness = at - place * _FRAME_S
    lateness = (lateness - lateness.min())[settled]
    into.received += int(settled.sum())
    into.late += int((lateness > _LATE_S).sum())
    into.lost += int(place.max() + 1 - len(place))
    into.jitter_ms += (np.abs(np.diff(at[settled]) - _FRAME_S) * 1000).tolist()


async def _run(order: LoadOrder) -> LoadResult:
    result = LoadResult()
    payloads = noise() if order.talking else [SILENCE]
    waiting = list(range(order.calls))

    async def place(number: int) -> None:
        await asyncio.sleep(0.137 * number)
        while waiting:
            waiting.pop()
            await _one(http, order, payloads, result)

    async with httpx.AsyncClient(trust_env=False, timeout=20) as http, asyncio.TaskGroup() as group:
        for number in range(order.places):
            group.create_task(place(number), name=f"place {number}")
    return result


def main() -> None:
    """Read a `LoadOrder` as JSON from stdin, write the `LoadResult` as JSON to stdout."""
    order = LoadOrder(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(_run(order))), sys.stdout)


if __name__ == "__main__":
    main()
