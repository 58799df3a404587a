"""Two-channel recordings: left the caller, right the agent, sample n of the file is sample n of the call.

16-bit PCM at the process's own 24 kHz. No resampler stands between what was heard and what is kept,
so the tracks cannot drift and a browser's wide band is not lost; it costs 5.8 MB a minute, where
8 kHz would cost 1.9. Plain PCM so that any moment of the file can be written in place and every
reader opens it, at any time, however the process ended.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.core.nouns import SAMPLE_RATE, Pcm, samples_to_ms
from kame_voice.store.errors import UnsafeRecordingName

__all__ = ["HEADER_BYTES", "MAX_SAMPLES", "RecordingStore", "RecordingWriter", "recording_name"]

HEADER_BYTES: Final = 44
_BLOCK: Final = 4
"""Bytes of one moment: two channels of 16 bits."""
MAX_SAMPLES: Final = (2**32 - 1 - HEADER_BYTES) // _BLOCK
"""RIFF's sizes are 32 bits wide: 12.4 hours. What lies beyond is not recorded."""
_SPAN: Final = 30 * SAMPLE_RATE
"""The most that one flush composes in memory, 2.9 MB; what lies farther apart is written piece by piece."""
_CALLER, _AGENT = 0, 1
_CALL_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_Samples = NDArray[np.int16]
_Piece = tuple[int, int, Pcm]
"""Channel, position, audio."""


class RecordingWriter:
    """One call's recording. Audio is placed by position and reaches the file on `flush`.

    Holes are silence. Audio may come late, overlap, or replace what was there: the latest counts.
    Methods other than `caller`, `agent` and `cut_agent` do I/O and raise OSError (a full disk).
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._length = 0
        self._agent_end = 0
        self._pending: list[_Piece] = []
        self._unsynced = False
        self._write_header()

    @property
    def length(self) -> int:
        """Samples in the file."""
        return self._length

    def caller(self, pcm: Pcm, at_sample: int) -> None:
        """The caller's audio, [n] at 24 kHz, from `at_sample` of the call's media clock on."""
        self._place(_CALLER, at_sample, pcm)

    def agent(self, pcm: Pcm, at_sample: int) -> None:
        """The agent's audio, as it sounds at the caller's side from `at_sample` on."""
        self._place(_AGENT, at_sample, pcm)
        self._agent_end = max(self._agent_end, at_sample + len(pcm))

    def cut_agent(self, at_sample: int) -> None:
        """From `at_sample` on, the agent's audio so far was thrown away and never sounded."""
        if at_sample < self._agent_end:
            unheard = min(self._agent_end - at_sample, _SPAN)
            self._place(_AGENT, at_sample, np.zeros(unheard, np.float32))
            self._agent_end = at_sample

    def flush(self) -> None:
        """Write what has come since the last flush, then the header: it never promises what is not there."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        low = min(at for _, at, _ in pending)
        high = max(at + len(pcm) for _, at, pcm in pending)
        if high - low <= _SPAN:
            self._compose(pending, low, high)
        else:
            for piece in pending:
                self._compose([piece], piece[1], piece[1] + len(piece[2]))
        self._write_header()

    def sync(self) -> None:
        """Have the disk itself hold all that was flushed; against a lost power supply."""
        if self._unsynced:
            os.fdatasync(self._file)
            self._unsynced = False

    def finish(self, length: int | None = None) -> None:
        """Flush, make the recording exactly `length` samples long where that is known, and close.

        What was queued for the caller beyond the end of the call was never heard.
        """
        try:
            self.flush()
            if length is not None and length <= MAX_SAMPLES:
                os.ftruncate(self._file, HEADER_BYTES + length * _BLOCK)
                self._length = length
                self._write_header()
            self._unsynced = True
            self.sync()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close as it is; what was flushed stays readable. Idempotent."""
        self._pending.clear()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _place(self, channel: int, at_sample: int, pcm: Pcm) -> None:
        if at_sample < 0:
            pcm, at_sample = pcm[-at_sample:], 0
        pcm = pcm[: max(0, MAX_SAMPLES - at_sample)]
        if len(pcm):
            self._pending.append((channel, at_sample, pcm))

    def _compose(self, pieces: list[_Piece], low: int, high: int) -> None:
        block = np.zeros((high - low, 2), dtype="<i2")
        there = min(high, self._length) - low
        if there > 0:
            raw = os.pread(self._file, there * _BLOCK, HEADER_BYTES + low * _BLOCK)
            whole = len(raw) // _BLOCK
            block[:whole] = np.frombuffer(raw, dtype="<i2", count=whole * 2).reshape(-1, 2)
        # One conversion for all pieces: the thread that writes shares the interpreter with the calls.
        samples, start = _to_int16(np.concatenate([pcm for _, _, pcm in pieces])), 0
        for channel, at, pcm in pieces:
            block[at - low : at - low + len(pcm), channel] = samples[start : start + len(pcm)]
            start += len(pcm)
        view = memoryview(block.tobytes())
        offset = HEADER_BYTES + low * _BLOCK
        while view:
            # A nearly full disk takes a part, then raises ENOSPC on the next try.
            written = os.pwrite(self._file, view, offset)
            view, offset = view[written:], offset + written
            self._length = max(self._length, (offset - HEADER_BYTES) // _BLOCK)
            self._unsynced = True

    def _write_header(self) -> None:
        os.pwrite(self._file, _header(self._length), 0)


def recording_name(call_id: str) -> str:
    """Where the recording of `call_id` belongs, under the recordings' folder. Raises UnsafeRecordingName.

    Sub-folders by the id's first letters keep folders small.
    """
    if not _CALL_ID.fullmatch(call_id):
        raise UnsafeRecordingName(f"{call_id!r} is no call's id", where="recording")
    return f"{call_id[:2].lower()}/{call_id}.wav"


class RecordingStore:
    """The folder of recordings: one WAV a call, named by the call's id."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, call_id: str) -> Path | None:
        """The recording of `call_id`, or None where there is none (any id, any text)."""
        if not _CALL_ID.fullmatch(call_id):
            return None
        path = self.root / recording_name(call_id)
        return path if path.is_file() else None

    def create(self, call_id: str) -> RecordingWriter:
        """Start the recording of `call_id`. Raises OSError, UnsafeRecordingName."""
        return RecordingWriter(self.root / recording_name(call_id))

    def remove(self, call_id: str) -> bool:
        """Delete the recording of `call_id`; whether there was one. Raises OSError."""
        path = self.path_of(call_id)
        if path is not None:
            path.unlink(missing_ok=True)
        return path is not None

    def untouched_since(self, moment: datetime) -> Iterator[str]:
        """The ids of recordings that nobody has written to since then, folder by folder."""
        for folder in sorted(self.root.iterdir()) if self.root.is_dir() else ():
            for path in sorted(folder.glob("*.wav")):
                with contextlib.suppress(OSError):  # deleted meanwhile, or not ours to look at
                    if _CALL_ID.fullmatch(path.stem) and path.stat().st_mtime < moment.timestamp():
                        yield path.stem

    def repair(self, call_id: str) -> int | None:
        """After a crash: make the header name all that the file holds. Its length in ms, or None.

        Raises OSError where the file cannot be written.
        """
        path = self.path_of(call_id)
        if path is None:
            return None
        with path.open("r+b") as file:
            samples = max(0, path.stat().st_size - HEADER_BYTES) // _BLOCK
            file.write(_header(min(samples, MAX_SAMPLES)))
        return samples_to_ms(samples)


def _to_int16(pcm: Pcm) -> _Samples:
    scaled = np.nan_to_num(pcm, nan=0.0, posinf=1.0, neginf=-1.0) * np.float32(32767)
    return np.rint(np.clip(scaled, -32768, 32767)).astype(np.int16)


def _header(samples: int) -> bytes:
    """The 44 bytes of a canonical WAV header: PCM, 2 channels, 24 kHz, 16 bits."""
    size = samples * _BLOCK
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", size + HEADER_BYTES - 8, b"WAVE", b"fmt ", 16, 1, 2),
        *(SAMPLE_RATE, SAMPLE_RATE * _BLOCK, _BLOCK, 16, b"data", size),
    )
