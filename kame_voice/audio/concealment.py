"""What is played where a packet was lost: the sound before it, mirrored and fading. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["LONGEST", "conceal"]

LONGEST: Final = SAMPLE_RATE * 60 // 1000
"""Samples (60 ms) that may be concealed; a longer hole is silence."""


def conceal(before: Pcm, samples: int, after: int = 0) -> Pcm:
    """`samples` that follow on `before` [any length] without a step and fade to nothing by `LONGEST`.

    `after`: samples of the same hole that were concealed already. Mirrored, the wave goes on where it was,
    so that the seam does not click.
    """
    if not len(before):
        return np.zeros(samples, np.float32)
    there_and_back = np.concatenate([before[::-1], before])
    turns = -(-(after + samples) // len(there_and_back))
    fade = np.maximum(0.0, 1.0 - np.arange(after + samples, dtype=np.float32) / LONGEST)
    filled: Pcm = np.tile(there_and_back, turns)[: after + samples] * fade.astype(np.float32)
    return filled[after:]
