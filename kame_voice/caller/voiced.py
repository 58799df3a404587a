"""Where a voice sounds in a recording, to the sample, by energy. Pure.

For clean lines (synthesised speech, a quiet reading): no match for a real VAD in noise, but it
has no window to blur the edges, which is what response gaps are measured between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.audio import g711
from kame_voice.caller.twilio_side import RATE

__all__ = ["VOICED_DB", "Span", "is_voiced", "spans"]

VOICED_DB: Final = -45.0
"""dBFS of a 10 ms window's RMS that counts as voice: above mu-law's noise, below quiet speech."""
_WINDOW: Final = RATE // 100
_POWER: Final = 10 ** (VOICED_DB / 10)
_LEVEL_BELOW_SPEECH_DB: Final = 30.0
_POWER_OF_CODE: Final = g711.decode(bytes(range(256))) ** 2


@dataclass(frozen=True, slots=True)
class Span:
    """Voice from sample `start` to `end` (exclusive) at 8 kHz, short pauses included."""

    start: int
    end: int


def is_voiced(audio: bytes) -> bool:
    """Whether any 10 ms of mu-law `audio` reach `VOICED_DB`. Cheap: one look-up a sample."""
    power = _POWER_OF_CODE[np.frombuffer(audio, np.uint8)]
    whole = len(power) // _WINDOW * _WINDOW
    if not whole:
        return bool(len(power)) and bool(power.mean() >= _POWER)
    return bool(power[:whole].reshape(-1, _WINDOW).mean(axis=1).max() >= _POWER)


def spans(pcm: NDArray[np.float32], *, pause_ms: int = 300, adaptive: bool = False) -> list[Span]:
    """The voiced stretches of `pcm` [n] at 8 kHz; pauses up to `pause_ms` do not end one.

    The threshold is `VOICED_DB`, or with `adaptive` 30 dB below the loud parts if that is higher
    (recordings with noise between the words). Within the first and last window of a stretch its
    edge is the first and last sample louder than the threshold.
    """
    windows = len(pcm) // _WINDOW
    if not windows:
        return []
    power = (pcm[: windows * _WINDOW].astype(np.float64) ** 2).reshape(windows, _WINDOW).mean(axis=1)
    threshold = _POWER
    if adaptive:
        threshold = max(threshold, float(np.percentile(power, 95)) / 10 ** (_LEVEL_BELOW_SPEECH_DB / 10))
    loud = np.flatnonzero(power >= threshold)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) - 1 > pause_ms // 10)
    firsts = loud[np.concatenate(([0], breaks + 1))]
    lasts = loud[np.concatenate((breaks, [len(loud) - 1]))]
    amplitude = threshold**0.5
    return [
        Span(_edge(pcm, int(first), amplitude, 0), _edge(pcm, int(last), amplitude, -1) + 1)
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _edge(pcm: NDArray[np.float32], window: int, amplitude: float, which: int) -> int:
    start = window * _WINDOW
    return start + int(np.flatnonzero(np.abs(pcm[start : start + _WINDOW]) >= amplitude)[which])
