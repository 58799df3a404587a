"""A two-channel recording as Ogg Opus, a piece at a time: a tenth of the WAV's size or less."""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path
from typing import Final

import av
import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE

__all__ = ["opus_pieces"]

_BIT_RATE: Final = 48_000
"""Of both channels together: speech at 24 kHz is transparent at half of it a side (RFC 7587, 3.1.1)."""
_COMPLEXITY: Final = 5
"""Of 0 to 10: half the CPU of 10."""
_STEP: Final = 10 * SAMPLE_RATE


class _Pipe(io.RawIOBase):
    """Takes what the muxer writes until it is asked for; nothing can be sought in it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def opus_pieces(path: Path, header_bytes: int) -> Generator[bytes]:
    """Encode the 16-bit two-channel PCM that follows `header_bytes` of the file at `path`.

    Blocks about 0.1 s of CPU a piece of 10 s: for a worker thread. Raises OSError.
    """
    pipe = _Pipe()
    with path.open("rb") as file, av.open(pipe, "w", format="ogg") as container:
        stream = container.add_stream(
            "libopus", rate=SAMPLE_RATE, options={"compression_level": str(_COMPLEXITY)}
        )
        stream.layout = "stereo"
        stream.bit_rate = _BIT_RATE
        file.seek(header_bytes)
        position = 0
        while data := _whole(file.read(_STEP * 4)):
            samples = np.frombuffer(data, "<i2")
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = position
            position += samples.size // 2
            container.mux(stream.encode(frame))
            yield pipe.taken()
        container.mux(stream.encode(None))
    yield pipe.taken()


def _whole(data: bytes) -> bytes:
    """Without a last moment that lacks a channel: the file may still grow."""
    return data[: len(data) // 4 * 4]
