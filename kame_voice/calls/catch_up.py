"""The agent's voice caught up after a stall, so that it does not stay late for the rest of the call. Pure.

A front end that makes a frame every 80 ms is never ahead: what a stall has delayed waits in a row, and each
frame after it too. `shortened` takes a few milliseconds out of the frames until none has to wait.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from kame_voice.audio.shorten import shortened
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.front_end.base import SpokenFrame

__all__ = ["CatchUp"]

_PACKET: Final = SAMPLE_RATE // 50
_STANDING: Final = 4
"""Frames in a row that had to wait, until it is no mere jitter."""
_NOTHING: Final[Pcm] = np.zeros(0, np.float32)


class CatchUp:
    """`next` gives each frame as it is to be played: whole packets of 20 ms, one at least.

    What does not fill a packet waits for the next frame. `left_out`: samples so far.
    """

    def __init__(self) -> None:
        self._waited = 0
        self._rest = _NOTHING
        self.left_out = 0

    def next(self, frame: SpokenFrame) -> SpokenFrame:
        """`frame`, or a shorter one where frames have been waiting."""
        if frame.cut:
            self._rest = _NOTHING
        self._waited = self._waited + 1 if frame.waiting else 0
        if self._waited < _STANDING and not len(self._rest):
            return frame
        pcm = shortened(frame.pcm) if self._waited >= _STANDING else frame.pcm
        self.left_out += len(frame.pcm) - len(pcm)
        pcm = np.concatenate([self._rest, pcm])
        whole = max(len(pcm) // _PACKET, 1) * _PACKET
        if len(pcm) < whole:
            pcm = np.pad(pcm, (0, whole - len(pcm)))
        self._rest = pcm[whole:]
        return replace(frame, pcm=pcm[:whole])
