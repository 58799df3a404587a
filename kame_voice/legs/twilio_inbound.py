"""Twilio's caller packets on the caller's media clock, at 24 kHz. Pure; knows no socket."""

from __future__ import annotations

from typing import Final

from kame_voice.audio import g711
from kame_voice.audio.line_resample import LineResampler
from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.legs.base import CallerAudio
from kame_voice.legs.twilio_wire import Media, WireError

__all__ = ["CallerTrack"]

_UP: Final = SAMPLE_RATE // g711.G711_HZ
_PER_MS: Final = SAMPLE_RATE // 1000
_WOBBLE: Final = 20 * _PER_MS
"""Timestamps are whole milliseconds and may wander by less than a packet; that is no hole."""
_LONGEST_HOLE: Final = 60 * SAMPLE_RATE


class CallerTrack:
    """Positions never go back: `timestamp` shows holes, `chunk` shows what comes twice or too late.

    `gaps` counts holes, `late_samples` (24 kHz) audio thrown away as duplicate or out of order.
    """

    def __init__(self) -> None:
        self.gaps = 0
        self.late_samples = 0
        self.end_sample = 0
        self._last_chunk: int | None = None
        self._resampler = LineResampler(g711.G711_HZ, SAMPLE_RATE)

    def place(self, packet: Media) -> CallerAudio | None:
        """The packet's audio, or None when it has none or its time is over. Raises WireError."""
        samples = len(packet.payload) * _UP
        last = self._last_chunk
        if last is not None and packet.chunk <= last:
            self.late_samples += samples
            return None
        at_sample = self._position(packet, samples)
        self._last_chunk = packet.chunk
        if not samples:
            return None
        self.end_sample = at_sample + samples
        return CallerAudio(self._resampler.feed(g711.decode(packet.payload)), at_sample)

    def _position(self, packet: Media, samples: int) -> int:
        hole = packet.timestamp_ms * _PER_MS - self.end_sample
        if hole > _LONGEST_HOLE:
            raise WireError(
                f"jumps by {hole // SAMPLE_RATE} s",
                where="media.timestamp",
                do="the peer must send a stream's audio in one go",
            )
        last = self._last_chunk
        if last is None:
            # a stream may start at any small timestamp; nothing was lost before it
            return self.end_sample + max(hole, 0)
        if hole >= _WOBBLE:
            self.gaps += 1
            return self.end_sample + hole
        if packet.chunk != last + 1:
            self.gaps += 1
        return self.end_sample
