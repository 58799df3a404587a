"""One browser's call as a leg: sound in order and on time, both ways. Knows no SDP and no aiortc object.

From the caller: packets are put in order, decoded and handed on at once; the session's metronome is
the only jitter buffer. One that is still missing when this path's late packets have come is concealed. To
the caller: one packet every 20 ms of an absolute clock, silence included, so that the browser's jitter buffer
stays small.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Self

import numpy as np

from kame_voice.audio import opus
from kame_voice.audio.concealment import LONGEST, conceal
from kame_voice.core.clock import Clock
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs.base import CallerAudio, Dtmf, LegClosed, LegEvent, LegNote, MarkHeard, WaitsForMissing
from kame_voice.legs.late_window import LateWindow
from kame_voice.legs.media_clock import MediaClock
from kame_voice.legs.rtp_dtmf import RtpDtmf
from kame_voice.legs.rtp_order import OrderedPacket, RtpOrder
from kame_voice.legs.webrtc_messages import HangUp, PlayoutDelay, Pressed, parse
from kame_voice.legs.webrtc_peer import PacketReceived, Peer
from kame_voice.legs.webrtc_playout import RtpPlayout

__all__ = ["News", "WebRtcLeg"]

News = Callable[[], AbstractAsyncContextManager[AsyncIterator[str]]]
"""What the browser is told over the data channel: messages, until the call is over."""

_PACKET: Final = SAMPLE_RATE // 50
_FILLED_S: Final = 0.01
"""A hole so much overdue has been filled with silence by the session."""
_VANISHED_S: Final = 7.0
"""Browsers send audio all the time, muted or not: without any for so long, they are gone."""
_LOOK_EVERY_S: Final = 0.5
_LAST_NEWS_S: Final = 1.0


class WebRtcLeg:
    """One call's peer. An async context manager: leaving it closes the peer and ends all that it ran."""

    def __init__(self, peer: Peer, *, telemetry: Telemetry, clock: Clock, news: News | None = None) -> None:
        self._peer = peer
        self._telemetry = telemetry
        self._clock = clock
        self._news = news
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._closed = False
        self._order = RtpOrder(opus.OPUS_HZ)
        self._keys = RtpDtmf()
        self._decoder = opus.OpusDecoder()
        self._media_clock = MediaClock(clock())
        self._late_window = LateWindow()
        self._heard_to = 0
        self._before: Pcm = np.zeros(0, np.float32)
        self._last_packet_at = clock()
        self._giving_up: asyncio.TimerHandle | None = None
        self._in_hole = 0
        self._concealed = 0
        self._malformed = 0
        self._playout = RtpPlayout(clock, self._mark_heard)
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._telling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._last_packet_at = self._clock()
        self._media_clock = MediaClock(self._last_packet_at)
        self._peer.listen(self)
        self._peer.play(self._playout.next_payload)
        self._tasks = [self._group.create_task(self._watch(), name="watch the browser")]
        if self._news is not None:
            self._telling = self._group.create_task(self._tell(self._news), name="tell the browser")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(LegClosed("dropped", "the call was ended"))
        for task in self._tasks:
            task.cancel()
        try:
            if kind is None and self._telling is not None and self._peer.has_channel:
                await asyncio.wait([self._telling], timeout=_LAST_NEWS_S)
        finally:
            if self._telling is not None:
                self._telling.cancel()
            await asyncio.shield(self._peer.close())
            if kind is not None and issubclass(kind, asyncio.CancelledError):
                await self._group.__aexit__(kind, error, trace)
            else:
                await self._group.__aexit__(None, None, None)

    # See `Leg`.

    async def events(self) -> AsyncIterator[LegEvent]:
        """See `Leg.events`."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LegClosed):
                return

    async def play(self, pcm: Pcm, marks: Sequence[str] = ()) -> int:
        """See `Leg.play`. Raises ValueError when `pcm` is not whole packets of 480 samples."""
        if len(pcm) % _PACKET:
            raise ValueError(f"{len(pcm)} samples are not a multiple of {_PACKET} (20 ms)")
        if self._closed:
            return self._playout.played_to
        at_sample = self._playout.queue(pcm, marks, self._media_clock)
        await self._playout.room()
        return at_sample

    async def clear(self) -> set[str]:
        """See `Leg.clear`. What was sent is on its way to the ear and cannot be called back."""
        return self._playout.clear(self._media_clock)

    async def hang_up(self) -> None:
        """See `Leg.hang_up`."""
        self._close(LegClosed("ended_by_us"))

    def caller_hung_up(self) -> None:
        """The caller says so, by whatever way."""
        self._close(LegClosed("hung_up"))

    # See `PeerListener`.

    def packet(self, packet: PacketReceived) -> None:
        """The caller's sound."""
        if self._closed:
            return
        now = self._last_packet_at = self._clock()
        if packet.is_event:
            digit = self._keys.pressed(packet.timestamp, packet.payload)
            if digit is not None:
                self._events.put_nowait(Dtmf(digit))
        # an event takes a number in the sequence, but no time: sound is missing while a key is down
        payload = b"" if packet.is_event else packet.payload
        at_sample = self._order.push(packet.sequence, packet.timestamp, payload)
        if samples := opus.samples_in(payload):
            self._note_lateness(at_sample + samples, now)
        self._hand_on()

    def message(self, text: str) -> None:
        """What the page says over the data channel."""
        if self._closed:
            return
        match parse(text):
            case Pressed(digit):
                self._events.put_nowait(Dtmf(digit))
            case HangUp():
                self.caller_hung_up()
            case PlayoutDelay(seconds):
                self._playout.far_buffer_s = seconds
            case None:
                self._telemetry.wire_unknown.inc()

    def gone(self, reason: str, *, orderly: bool) -> None:
        """The connection is over."""
        self._close(LegClosed("hung_up") if orderly else LegClosed("dropped", reason))

    # From the caller.

    def _note_lateness(self, end_sample: int, now: float) -> None:
        self._media_clock.arrived(end_sample, now)
        if self._late_window.came(now - self._media_clock.moment_of(end_sample)):
            self._events.put_nowait(WaitsForMissing(self._late_window.seconds))

    def _hand_on(self) -> None:
        """Decode what is in order; give up what is missing when its time has come, packet by packet."""
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        while not self._closed:
            for packet in self._order.ready():
                self._decode(packet)
            hole = self._order.hole
            if hole is None:
                return
            missing = max(0, (hole.until - self._heard_to) // hole.packets)
            until_s = self._media_clock.moment_of(self._heard_to + missing) + self._late_window.seconds
            wait_s = until_s - self._clock()
            if wait_s > 0 and not self._order.overfull:
                self._giving_up = asyncio.get_running_loop().call_later(wait_s, self._hand_on)
                return
            self._order.skip()
            self._fill(missing, in_time=wait_s > -_FILLED_S)

    def _fill(self, missing: int, *, in_time: bool) -> None:
        if in_time and 0 < self._in_hole + missing <= LONGEST:
            self._concealed += missing
            self._telemetry.caller_concealed.inc(missing)
            self._hear(conceal(self._before, missing, self._in_hole), self._heard_to)
        else:
            self._heard_to += missing
        self._in_hole += missing

    def _decode(self, packet: OrderedPacket) -> None:
        if not packet.payload:
            return
        try:
            pcm = self._decoder.decode(packet.payload)
        except opus.BadPayload:
            self._malformed += 1
            self._telemetry.wire_unknown.inc()
            return
        self._before = pcm[-LONGEST:]
        self._in_hole = 0
        self._hear(pcm, packet.at_sample)

    def _hear(self, pcm: Pcm, at_sample: int) -> None:
        if at_sample < self._heard_to:
            return
        self._heard_to = at_sample + len(pcm)
        self._events.put_nowait(CallerAudio(pcm, at_sample))

    # Beside the sound.

    def _mark_heard(self, name: str) -> None:
        if not self._closed:
            self._events.put_nowait(MarkHeard(name))

    async def _watch(self) -> None:
        """Has the browser gone without a word? How far away is it?"""
        while not self._closed:
            await asyncio.sleep(_LOOK_EVERY_S)
            silent_s = self._clock() - self._last_packet_at
            if silent_s >= _VANISHED_S:
                self._close(LegClosed("dropped", f"nothing came from the browser for {silent_s:.0f} s"))
            round_trip_s = await self._peer.round_trip_s()
            if round_trip_s is not None:
                self._playout.path_s = round_trip_s / 2

    async def _tell(self, news: News) -> None:
        async with news() as messages:
            async for text in messages:
                if not await self._peer.send(text):
                    return
        await self._peer.flushed()

    def _close(self, closed: LegClosed) -> None:
        if self._closed:
            return
        self._closed = True
        if self._giving_up is not None:
            self._giving_up.cancel()
        self._playout.close()
        self._telemetry.frames_sent.inc(self._playout.sent)
        self._telemetry.frames_late.inc(self._playout.late)
        self._telemetry.caller_late.inc(self._order.late * _PACKET)
        self._events.put_nowait(LegNote("rtp", self._figures()))
        self._events.put_nowait(closed)

    def _figures(self) -> dict[str, int | None]:
        return {
            "received": self._order.received,
            "lost": self._order.lost,
            "late": self._order.late,
            "malformed": self._malformed,
            "concealed_ms": self._concealed * 1000 // SAMPLE_RATE,
            "late_window_ms": round(self._late_window.seconds * 1000),
            "sent": self._playout.sent,
            "sent_late": self._playout.late,
            "far_side_ms": round(self._playout.far_side_s * 1000),
        }
