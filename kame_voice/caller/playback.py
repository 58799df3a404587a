"""Twilio's buffer of audio for the caller: real-time drain, marks, clear. Pure; times are passed in.

Times are seconds on the caller's media clock, whose 0 is when the stream's first sample was
spoken into the phone; positions are samples at 8 kHz on the same clock, so that what the caller
said and what the caller heard lie side by side sample for sample.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.audio import g711
from kame_voice.caller.twilio_side import RATE
from kame_voice.caller.voiced import is_voiced

__all__ = ["Arrival", "MarkReturn", "Piece", "Playback", "Underrun"]

_OVERFLOW_S: Final = 600.0
"""Twilio drops audio beyond ten minutes of buffer (its warning 31931)."""
_RESUMES_WITHIN: Final = RATE // 2
"""A dry buffer after a voice and for less than this is a fault; else the server had finished."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One media message: when it came, how long it is, how much lay in the buffer then."""

    at_s: float
    duration_s: float
    lead_s: float
    after_pause: bool
    """The server had fallen silent before it: there is no regular distance to the one before."""


@dataclass(frozen=True, slots=True)
class MarkReturn:
    """A mark to be sent back. `heard` is false when a clear gave it back unplayed."""

    name: str
    at_s: float
    heard: bool


@dataclass(frozen=True, slots=True)
class Underrun:
    """The buffer ran dry before more audio came: [start, end) samples of silence in between."""

    start: int
    end: int


@dataclass(slots=True)
class Piece:
    """Audio with its place: mu-law bytes from sample `start`."""

    start: int
    audio: bytes

    @property
    def end(self) -> int:
        """The sample after the last."""
        return self.start + len(self.audio)


class Playback:
    """What the carrier plays to the caller.

    Audio is appended to the buffer and drains in real time; after it ran dry, the next audio
    plays from the moment it comes. A mark comes back when the audio before it has been played,
    at once when the buffer is empty; a clear empties the buffer and returns every pending mark.
    """

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.underruns: list[Underrun] = []
        self.marks: list[MarkReturn] = []
        self.clears_s: list[float] = []
        self.overflowed = 0
        self.pieces: list[Piece] = []
        """What was or will be played, in order of time, without overlaps."""
        self._pending: deque[tuple[str, int]] = deque()
        self._ends_at = 0
        self._fresh = True

    @property
    def ends_at(self) -> int:
        """The sample at which the buffer runs dry unless more comes."""
        return self._ends_at

    def receive(self, audio: bytes, now_s: float) -> Piece | None:
        """Append mu-law `audio` that came at `now_s`; where it plays, or None if it overflowed."""
        now = round(now_s * RATE)
        lead = self._ends_at - now
        if lead > _OVERFLOW_S * RATE:
            self.overflowed += 1
            return None
        pause = self._fresh
        if lead < 0 and not self._fresh:
            self.underruns.append(Underrun(self._ends_at, now))
            pause = -lead > _RESUMES_WITHIN or not is_voiced(self.pieces[-1].audio)
        self.arrivals.append(Arrival(now_s, len(audio) / RATE, max(lead, 0) / RATE, pause))
        piece = Piece(max(self._ends_at, now), audio)
        self.pieces.append(piece)
        self._ends_at = piece.end
        self._fresh = False
        return piece

    def mark(self, name: str, now_s: float) -> None:
        """Take a mark; `due` says when it goes back."""
        now = round(now_s * RATE)
        self._pending.append((name, max(self._ends_at, now)))

    def clear(self, now_s: float) -> None:
        """Empty the buffer: what was not played yet never is. Pending marks are due at once."""
        now = round(now_s * RATE)
        self.clears_s.append(now_s)
        self._truncate(now)
        self._fresh = True
        while self._pending:
            name, _ = self._pending.popleft()
            self.marks.append(MarkReturn(name, now_s, heard=False))

    def next_due(self) -> float | None:
        """When the next pending mark is due, in seconds; None when there is none."""
        return self._pending[0][1] / RATE if self._pending else None

    def due(self, now_s: float) -> None:
        """Move the pending marks whose time has come to `marks`."""
        while self._pending and self._pending[0][1] / RATE <= now_s:
            name, _ = self._pending.popleft()
            self.marks.append(MarkReturn(name, now_s, heard=True))

    def stop(self, now_s: float) -> None:
        """The call is over: what was not played by now is never heard."""
        self._truncate(round(now_s * RATE))
        self._pending.clear()

    def heard(self, samples: int) -> NDArray[np.float32]:
        """The caller's ear from 0: [samples] at 8 kHz, −1..1, silence where nothing played."""
        ear = np.full(samples, 0xFF, np.uint8)
        for piece in self.pieces:
            audio = np.frombuffer(piece.audio, np.uint8)[: max(samples - piece.start, 0)]
            ear[piece.start : piece.start + len(audio)] = audio
        return g711.decode(ear.tobytes())

    def _truncate(self, now: int) -> None:
        while self.pieces and self.pieces[-1].end > now:
            last = self.pieces.pop()
            if last.start < now:
                self.pieces.append(Piece(last.start, last.audio[: now - last.start]))
        self._ends_at = min(self._ends_at, max(now, 0))
