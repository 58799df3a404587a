"""The agent's voice as Opus payloads, one every 20 ms of an absolute clock. Knows no peer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from kame_voice.audio.opus import SILENCE, OpusEncoder
from kame_voice.core.clock import Clock
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.legs.media_clock import MediaClock

__all__ = ["RtpPlayout"]

_PACKET_S: Final = 0.02
_PACKET: Final = SAMPLE_RATE // 50
_LEAD: Final = 2
"""Packets that wait here at most while the session is paced: as much as the telephone's leg keeps."""
_LATE_S: Final = 0.02
_RESTART_S: Final = 0.2
"""After such a stall the clock starts anew; sooner, what was missed is sent at once."""
_QUIET: Final = 3e-5
"""Below one step of 16 bits: silence."""
_TAIL: Final = 5
"""Silent packets that are still coded, so that the end of a word leaves the encoder."""
_NOTHING: Final[Pcm] = np.zeros(_PACKET, np.float32)
_POSITION_SLACK: Final = 2 * _PACKET
"""A start that lies this little after the last end is its continuation: clocks are not that sure."""


class RtpPlayout:
    """`queue` what is to be said; `next_payload` is called by whoever sends, and paces it.

    A mark is heard when the last packet before it was sent and `far_side_s` has passed: the way
    (`path_s`) and the browser's own buffers (`far_buffer_s`, which the page may report).
    `sent` and `late` (by more than 20 ms): packets.
    """

    def __init__(self, clock: Clock, mark_heard: Callable[[str], None]) -> None:
        self._clock = clock
        self._mark_heard = mark_heard
        self._encoder = OpusEncoder()
        self._queue: deque[Pcm | str] = deque()
        self._queued = 0
        self._on_the_way: deque[tuple[float, str]] = deque()
        self._due: float | None = None
        self._silent_run = _TAIL
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self.played_to = 0
        self.path_s = 0.02
        self.far_buffer_s = 0.08
        self.sent = 0
        self.late = 0

    @property
    def far_side_s(self) -> float:
        """From our sending to the caller's ear, as far as known."""
        return self.path_s + self.far_buffer_s

    def queue(self, pcm: Pcm, marks: Sequence[str], media_clock: MediaClock) -> int:
        """Take `pcm` [a multiple of 480] and the marks after it; the media position of its start.

        The position is that of its sending: what the caller says in answer comes after it.
        """
        now = self._clock()
        starts = (max(self._due, now) if self._due is not None else now) + self._queued * _PACKET_S
        at_sample = self.played_to
        if len(pcm):
            position = media_clock.sample_at(starts)
            if position > self.played_to + _POSITION_SLACK:
                at_sample = position
            self.played_to = at_sample + len(pcm)
        for start in range(0, len(pcm), _PACKET):
            self._queue.append(pcm[start : start + _PACKET])
            self._queued += 1
        self._queue.extend(marks)
        if self._queued >= _LEAD:
            self._room.clear()
        return at_sample

    async def room(self) -> None:
        """Return once less than the lead waits."""
        await self._room.wait()

    def clear(self, media_clock: MediaClock) -> set[str]:
        """Throw away what waits; the marks among it."""
        unheard = {item for item in self._queue if isinstance(item, str)}
        self._queue.clear()
        self._queued = 0
        self.played_to = min(self.played_to, media_clock.sample_at(self._clock()))
        self._room.set()
        return unheard

    def close(self) -> None:
        """Nothing is paced any more."""
        self._closed = True
        self._queue.clear()
        self._queued = 0
        self._room.set()

    async def next_payload(self) -> bytes:
        """The next 20 ms, when it is time for them."""
        now = self._clock()
        if self._due is None or now - self._due > _RESTART_S:
            self._count_late(now)
            self._due = now
        if self._due > now:
            await asyncio.sleep(self._due - now)
            now = self._clock()
        self._count_late(now)
        self._due += _PACKET_S
        self.sent += 1
        payload = self._take(now)
        while self._on_the_way and self._on_the_way[0][0] <= now:
            self._mark_heard(self._on_the_way.popleft()[1])
        return payload

    def _count_late(self, now: float) -> None:
        if self._due is not None and now - self._due > _LATE_S:
            self.late += 1

    def _take(self, now: float) -> bytes:
        pcm: Pcm | None = None
        if self._queue and not isinstance(head := self._queue[0], str):
            pcm = head
            self._queue.popleft()
            self._queued -= 1
        heard_at = now + _PACKET_S + self.far_side_s
        while self._queue and isinstance(mark := self._queue[0], str):
            self._queue.popleft()
            self._on_the_way.append((heard_at, mark))
        if self._queued < _LEAD:
            self._room.set()
        return self._coded(pcm)

    def _coded(self, pcm: Pcm | None) -> bytes:
        if pcm is None or float(abs(pcm).max()) < _QUIET:
            self._silent_run += 1
            if self._silent_run > _TAIL:
                return SILENCE
            pcm = _NOTHING if pcm is None else pcm
        else:
            self._silent_run = 0
        return self._encoder.encode(pcm)
