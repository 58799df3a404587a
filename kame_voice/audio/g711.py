"""G.711 mu-law, the telephone network's 8-bit samples at 8 kHz. Knows no other rate.

The only file that imports `audioop` (the standard library's until 3.12, `audioop-lts` from 3.13).
"""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

__all__ = ["G711_HZ", "SILENT_BYTES", "decode", "encode", "is_silent"]

G711_HZ: Final = 8_000
"""Hz of every mu-law stream on the telephone network."""

SILENT_BYTES: Final = b"\xff\x7f"
"""The two codes of zero, positive and negative."""

_LEVELS: Final[NDArray[np.float32]] = np.frombuffer(audioop.ulaw2lin(bytes(range(256)), 2), np.int16).astype(
    np.float32
) / np.float32(32768)
_FULL_SCALE: Final = np.float32(32768)


def decode(payload: bytes | bytearray) -> NDArray[np.float32]:
    """Mu-law bytes [n] to samples [n], −1..1, still at 8 kHz."""
    return _LEVELS.take(np.frombuffer(payload, np.uint8))


def encode(pcm: NDArray[np.float32]) -> bytes:
    """Samples [n] at 8 kHz to mu-law bytes [n]; what is louder than −1..1 is clipped."""
    scaled = np.clip(pcm * _FULL_SCALE, -32768, 32767)
    coded: bytes = audioop.lin2ulaw(scaled.astype(np.int16).tobytes(), 2)
    return coded


def is_silent(payload: bytes) -> bool:
    """Whether every sample is digital zero."""
    return not payload.strip(SILENT_BYTES)
