"""Between the telephone's 8 kHz and our 24 kHz: one endless stream, without a click at its seams.

A linear-phase low-pass as a matrix product over blocks of 2.5 ms. libswresample does the same sums,
but calling it through PyAV for 20 ms costs five times as much, nearly all of it on the way in and out.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

__all__ = ["LineResampler"]

_RATIO: Final = 3
_BLOCK: Final = 20
"""Samples at 8 kHz in one row of the product."""
_TAPS: Final = 97
_CUT_HZ: Final = 4_000
_KAISER_BETA: Final = 6.0
"""97 taps at 24 kHz delay by exactly 2 ms; with this window whatever lies above 4.6 kHz is 70 dB down."""

Samples = NDArray[np.float32]


class LineResampler:
    """One direction of one stream, 8 to 24 kHz or 24 to 8 kHz. Delays by 2 ms, starts in silence.

    Raises ValueError for other rates.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        if (from_hz, to_hz) not in {(8_000, 24_000), (24_000, 8_000)}:
            raise ValueError(f"{from_hz} to {to_hz} Hz: only 8000 to 24000 and back")
        up = from_hz < to_hz
        self._step = _BLOCK if up else _BLOCK * _RATIO
        self._product = _product(up)
        self._past = len(self._product) - self._step
        self._stretch = np.zeros(self._past, np.float32)
        self._rows: Samples = self._stretch
        self._length = 0

    def feed(self, pcm: Samples) -> Samples:
        """The next samples [n] at the first rate to the same time at the second, a new array.

        Raises ValueError when n is not whole blocks of 2.5 ms.
        """
        if not len(pcm):
            return np.zeros(0, np.float32)
        if len(pcm) != self._length:
            self._lay_out(len(pcm))
        self._stretch[: self._past] = self._stretch[self._length :]
        self._stretch[self._past :] = pcm
        filtered: Samples = np.dot(self._rows, self._product).reshape(-1)
        return filtered

    def _lay_out(self, length: int) -> None:
        """Room for `length` samples behind the past ones, seen as rows that overlap by the past."""
        if length % self._step:
            raise ValueError(f"{length} samples are not a multiple of {self._step} (2.5 ms)")
        past = self._stretch[self._length :]
        self._stretch = np.zeros(length + self._past, np.float32)
        self._stretch[length:] = past
        self._length = length
        size = self._stretch.itemsize
        self._rows = as_strided(
            self._stretch, (length // self._step, len(self._product)), (self._step * size, size)
        )


@cache
def _product(up: bool) -> Samples:
    """The filter as a matrix [past and block in, block out]."""
    place = np.arange(_TAPS) - (_TAPS - 1) / 2
    cut = 2 * _CUT_HZ / (8_000 * _RATIO)
    taps = cut * np.sinc(cut * place) * np.kaiser(_TAPS, _KAISER_BETA)
    if up:
        past, block_in, block_out = (_TAPS - 1) // _RATIO, _BLOCK, _BLOCK * _RATIO
        taps = taps * _RATIO
    else:
        past, block_in, block_out = _TAPS - 1, _BLOCK * _RATIO, _BLOCK
    # where each input sample lies before each output sample, counted at 24 kHz
    at_in = (np.arange(past + block_in) - past) * (_RATIO if up else 1)
    at_out = np.arange(block_out) * (1 if up else _RATIO)
    lag = at_out[np.newaxis, :] - at_in[:, np.newaxis]
    inside = (lag >= 0) & (lag < _TAPS)
    return np.where(inside, taps[np.clip(lag, 0, _TAPS - 1)], 0).astype(np.float32)
