"""Where on the caller's media clock a moment of ours lies. Pure."""

from __future__ import annotations

import math
from typing import Final

from kame_voice.core.nouns import SAMPLE_RATE

__all__ = ["MediaClock"]

_WINDOW_S: Final = 10.0
"""Long enough to hold an undelayed packet, short enough to follow two crystals that drift apart."""


class MediaClock:
    """Media position 0 is when its first sample could have been recorded at the earliest.

    Packets only ever arrive late, so the earliest arrival of the last one or two windows of 10 s
    tells the start; network jitter does not move it. Until the first one comes, `now` stands for it: how
    long a connection takes to come about says nothing about the path. Times in seconds of one clock.
    """

    def __init__(self, now: float) -> None:
        self._start = now
        self._before = math.inf
        self._lowest = math.inf
        self._window_ends = now + _WINDOW_S

    def arrived(self, end_sample: int, now: float) -> None:
        """Audio up to `end_sample` (24 kHz) came at `now`."""
        start = now - end_sample / SAMPLE_RATE
        if math.isinf(self._lowest) and math.isinf(self._before):
            self._start = start
        if now >= self._window_ends:
            self._before, self._lowest = self._lowest, math.inf
            self._window_ends = now + _WINDOW_S
            self._start = min(self._before, start)
        self._lowest = min(self._lowest, start)
        self._start = min(self._start, start)

    def sample_at(self, moment: float) -> int:
        """The media position (24 kHz, never below 0) that sounds at `moment`."""
        return max(0, round((moment - self._start) * SAMPLE_RATE))

    def moment_of(self, sample: int) -> float:
        """When the media position `sample` (24 kHz) sounds at the earliest."""
        return self._start + sample / SAMPLE_RATE
