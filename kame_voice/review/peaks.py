"""The outline of a recording, so that an hour of it can be drawn without being downloaded. Cached on disk."""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.store.errors import UnsafeRecordingName
from kame_voice.store.recordings import HEADER_BYTES, RecordingStore, recording_name

__all__ = ["PEAKS_A_SECOND", "Peaks", "measure"]

PEAKS_A_SECOND: Final = 20
"""One a 50 ms: a syllable has several, an hour has 144 KB of both sides."""
_BLOCK: Final = SAMPLE_RATE // PEAKS_A_SECOND
_CHUNK: Final = 1200
"""Peaks measured at once: a minute, 5.8 MB of the file."""
_HEADER: Final = struct.Struct("<4sQQ")
_MAGIC: Final = b"kpk1"


def measure(path: Path) -> bytes:
    """The loudest sample of every 50 ms of a two-channel recording: all of the caller's, then the agent's.

    One byte each, 0 to 255 of full scale. Blocks: about 0.4 s an hour of recording. Raises OSError.
    """
    samples = np.memmap(path, dtype="<i2", mode="r", offset=HEADER_BYTES) if _holds_sound(path) else _NOTHING
    both = samples[: len(samples) // 2 * 2].reshape(-1, 2)
    count = -(-len(both) // _BLOCK)
    peaks = np.zeros((2, count), np.uint8)
    for first in range(0, count, _CHUNK):
        part = both[first * _BLOCK : (first + _CHUNK) * _BLOCK]
        starts = np.arange(0, len(part), _BLOCK)
        highest = np.maximum.reduceat(part, starts, axis=0).astype(np.int32)
        lowest = np.minimum.reduceat(part, starts, axis=0).astype(np.int32)
        loudest = np.maximum(highest, -lowest)
        peaks[:, first : first + len(starts)] = (loudest * 255 // 32768).T
    return peaks.tobytes()


_NOTHING: Final = np.zeros(0, "<i2")


def _holds_sound(path: Path) -> bool:
    return path.stat().st_size >= HEADER_BYTES + 4


class Peaks:
    """The outlines of all recordings. Its method blocks: on an event loop it belongs in a worker thread."""

    def __init__(self, recordings: RecordingStore, folder: Path) -> None:
        """`folder` holds the cache; it may be deleted at any time."""
        self._recordings = recordings
        self._folder = folder
        self._measuring = Lock()

    def of(self, call_id: str) -> bytes | None:
        """As `measure` has it; None where there is no recording. A recording that grew is measured anew."""
        path = self._recordings.path_of(call_id)
        if path is None:
            return None
        with self._measuring:  # two that ask at once measure once
            try:
                return self._of(path, self._kept(call_id))
            except FileNotFoundError:
                return None  # deleted meanwhile

    def forget(self, call_id: str) -> None:
        """Delete the outline; the recording must be gone, or it comes back. Raises OSError."""
        with self._measuring, contextlib.suppress(UnsafeRecordingName):
            self._kept(call_id).unlink(missing_ok=True)

    def _kept(self, call_id: str) -> Path:
        return (self._folder / recording_name(call_id)).with_suffix(".peaks")

    @staticmethod
    def _of(path: Path, kept: Path) -> bytes:
        status = path.stat()
        header = _HEADER.pack(_MAGIC, status.st_size, status.st_mtime_ns)
        try:
            whole = kept.read_bytes()
        except FileNotFoundError:
            whole = b""
        if not whole.startswith(header):
            whole = header + measure(path)
            _write(kept, whole)
        return whole[_HEADER.size :]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(path)
