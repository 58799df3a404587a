"""Cuts a stream with holes into whole frames, by sample position. Pure; knows no time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["Framer", "FramerCounters"]

_LEAD: Final = SAMPLE_RATE
"""A stream may begin this much after its clock (carriers: 60 ms) and have lost nothing by it."""


@dataclass(frozen=True, slots=True)
class FramerCounters:
    """What a stream lost, in samples.

    `gap_samples`: silence put into frames where audio was missing, from where the stream began.
    `late_samples`: audio thrown away because its place was already filled or handed out.
    """

    gap_samples: int
    late_samples: int


class Framer:
    """Frames of `frame_samples`, one after the other; `position` is where the next one starts."""

    def __init__(self, frame_samples: int) -> None:
        self.frame_samples = frame_samples
        self.position = 0
        self._gap_samples = 0
        self._late_samples = 0
        self._end = 0
        self._began: int | None = None
        self._pieces: deque[tuple[int, Pcm]] = deque()

    def counters(self) -> FramerCounters:
        """What was lost so far."""
        return FramerCounters(self._gap_samples, self._late_samples)

    def push(self, pcm: Pcm, at_sample: int) -> None:
        """Place `pcm` [any length] at its position. What comes before the end of the rest is late."""
        if self._began is None and len(pcm):
            self._begin(at_sample)
        late = min(len(pcm), self._end - at_sample)
        if late > 0:
            self._late_samples += late
            pcm = pcm[late:]
            at_sample += late
        if len(pcm):
            self._pieces.append((at_sample, pcm))
            self._end = at_sample + len(pcm)

    def pop(self) -> Pcm | None:
        """The next frame [frame_samples] when audio has come up to its end, else None."""
        if self._end < self.position + self.frame_samples:
            return None
        return self.pop_due()

    def pop_due(self) -> Pcm:
        """The next frame [frame_samples] at its deadline: whatever is missing is silence."""
        start, end = self.position, self.position + self.frame_samples
        frame = np.zeros(self.frame_samples, np.float32)
        filled = 0
        while self._pieces and self._pieces[0][0] < end:
            at_sample, pcm = self._pieces.popleft()
            fits = min(len(pcm), end - at_sample)
            frame[at_sample - start : at_sample - start + fits] = pcm[:fits]
            filled += fits
            if fits < len(pcm):
                self._pieces.appendleft((end, pcm[fits:]))
        lead = min(max(0, (self._began or 0) - start), self.frame_samples)
        self._gap_samples += self.frame_samples - filled - lead
        self.position = end
        self._end = max(self._end, end)
        return frame

    def _begin(self, at_sample: int) -> None:
        """What was handed out before the stream's first audio was no loss after all."""
        self._began = at_sample if at_sample <= _LEAD else 0
        self._gap_samples -= min(self._began, self.position)
