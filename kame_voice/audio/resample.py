"""Sample-rate conversion of one endless stream, by PyAV. State carries over, so seams do not click."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["Resampler"]


class Resampler:
    """One direction of one stream, 20 ms frames in, 20 ms frames out.

    The first 2 ms out are silence: the filter's own delay (libswresample's default of 32 taps at
    the lower rate), paid once at the start so that every later frame has its exact length.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._to_hz = to_hz
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=to_hz)
        self.feed(np.zeros(from_hz // 50, np.float32))

    def feed(self, pcm: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next samples [n] at `from_hz` to samples [n · to_hz / from_hz].

        The length is exact when n is a whole number of 20 ms frames. An empty feed gives nothing.
        """
        if not len(pcm):
            return np.zeros(0, np.float32)
        frame = av.AudioFrame("flt", "mono", len(pcm))
        frame.planes[0].update(np.ascontiguousarray(pcm, np.float32))
        frame.sample_rate = self._from_hz
        parts = [
            np.frombuffer(out.planes[0], np.float32, out.samples) for out in self._resampler.resample(frame)
        ]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
