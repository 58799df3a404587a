"""How loud we speak: full, or ducked under a caller who may be about to take the turn. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["DUCKED", "Ducking"]

DUCKED: Final = 10 ** (-15 / 20)
"""Gain while ducked: still to be followed, yet plainly out of the caller's way."""

_RAMP: Final = SAMPLE_RATE // 100
"""Samples from one gain to the other, 10 ms: no click, and at once to the ear."""


class Ducking:
    """A gain that glides between full and ducked, continuous from frame to frame."""

    def __init__(self) -> None:
        self._gain = 1.0

    def apply(self, pcm: Pcm, *, ducked: bool) -> Pcm:
        """`pcm` [n] at the gain that is due; the same array where nothing is to be done."""
        target = DUCKED if ducked else 1.0
        if self._gain == target:
            return pcm if target == 1.0 else (pcm * np.float32(target))
        step = (1 - DUCKED) / _RAMP * (1 if target > self._gain else -1)
        gains = self._gain + step * np.arange(1, len(pcm) + 1)
        gains = np.minimum(gains, target) if step > 0 else np.maximum(gains, target)
        self._gain = float(gains[-1])
        return np.asarray(pcm * gains, np.float32)

    def reset(self) -> None:
        """Full gain at once, for speech that has not begun."""
        self._gain = 1.0
