"""Speech made shorter without being heard to be: a little of a pause, or one period of a voice. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["shortened"]

_QUIET: Final = 0.003
"""RMS: −50 dBFS, the room behind a voice."""
_SHORTEST: Final = SAMPLE_RATE // 400
_LONGEST: Final = SAMPLE_RATE // 80
"""A voice's period: 400 to 80 Hz."""
_SEAM: Final = SAMPLE_RATE // 100
_ALIKE: Final = 0.5
"""Above this correlation the two sides of a seam add up as one wave, below it as two."""
_ONSET: Final = 8.0
"""A seam is not laid where it gets so much louder or softer: there a consonant begins."""


def shortened(pcm: Pcm) -> Pcm:
    """`pcm` [n, 24 kHz] with up to half of it left out where it is quiet, else up to 12.5 ms; or as it is.

    Where voices are shortened, the stretch that is left out ends on what it began with, as near as can be,
    and the sides are faded into each other over 10 ms.
    """
    if len(pcm) < 2 * (_SEAM + _LONGEST):
        return pcm
    if _rms(pcm) < _QUIET:
        return _joined(pcm, _SEAM // 2, len(pcm) // 2, alike=False)
    start = (len(pcm) - _LONGEST - _SEAM) // 2
    head = pcm[start : start + _SEAM]
    before, after = _rms(head), _rms(pcm[start + _LONGEST : start + _LONGEST + _SEAM])
    if max(before, after) > _ONSET * max(min(before, after), _QUIET):
        return pcm
    views = np.lib.stride_tricks.sliding_window_view(pcm[start + _SHORTEST : start + _LONGEST + _SEAM], _SEAM)
    energy = np.sqrt((views**2).sum(axis=1) * (head**2).sum()) + 1e-9
    likeness = (views @ head) / energy
    best = int(likeness.argmax())
    return _joined(pcm, start, _SHORTEST + best, alike=bool(likeness[best] > _ALIKE))


def _joined(pcm: Pcm, start: int, left_out: int, *, alike: bool) -> Pcm:
    """Without [start, start + left_out): faded from the one side into the other."""
    rising = np.linspace(0, 1, _SEAM, dtype=np.float32)
    falling = 1 - rising
    if not alike:
        rising, falling = np.sqrt(rising), np.sqrt(falling)
    seam = pcm[start : start + _SEAM] * falling
    seam = seam + pcm[start + left_out : start + left_out + _SEAM] * rising
    joined: Pcm = np.concatenate([pcm[:start], seam, pcm[start + left_out + _SEAM :]])
    return joined


def _rms(pcm: Pcm) -> float:
    return float(np.sqrt(np.mean(pcm**2)))
