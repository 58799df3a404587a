"""Twilio's caller packets on the caller's media clock, at 24 kHz. Pure; knows no socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kame_voice.audio import g711
from kame_voice.audio.line_resample import LineResampler
from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.legs.base import CallerAudio
from kame_voice.legs.twilio_wire import Media, WireError

__all__ = ["CallerTrack"]

_UP: Final = SAMPLE_RATE // g711.G711_HZ
_PER_MS: Final = SAMPLE_RATE // 1000
_PACKET: Final = SAMPLE_RATE // 50
_BLOCK: Final = g711.G711_HZ // 400
_WOBBLE: Final = 20 * _PER_MS
"""Timestamps are whole milliseconds and may wander by less than a packet; that is no hole."""
_LONGEST_HOLE: Final = 60 * SAMPLE_RATE
_LONGEST_PACKET: Final = g711.G711_HZ
"""Bytes: a second. Carriers send 20 ms; a minute in one piece would hold up every other call for a second."""


class CallerTrack:
    """Positions never go back: `timestamp` shows holes, `chunk` shows what comes twice or too late.

    Packets are gathered until they reach a multiple of `frame_samples` (24 kHz): decoding and
    resampling cost little more for four packets than for one. `gaps` counts holes,
    `late_samples` (24 kHz) audio thrown away as duplicate or out of order, `end_sample` is where
    what has come ends.
    """

    def __init__(self, frame_samples: int = _PACKET) -> None:
        self.gaps = 0
        self.late_samples = 0
        self.end_sample = 0
        self._frame_samples = frame_samples
        self._last_chunk: int | None = None
        self._gathered = bytearray()
        self._gathered_at = 0
        self._resampler = LineResampler(g711.G711_HZ, SAMPLE_RATE)

    @property
    def gathering(self) -> bool:
        """Packets wait here for the rest of their frame."""
        return bool(self._gathered)

    def place(self, packet: Media) -> Iterator[CallerAudio]:
        """Whatever is whole with this packet. Raises WireError."""
        samples = len(packet.payload) * _UP
        last = self._last_chunk
        if last is not None and packet.chunk <= last:
            self.late_samples += samples
            return
        if len(packet.payload) > _LONGEST_PACKET:
            raise WireError(
                f"is {len(packet.payload)} bytes",
                where="media.payload",
                do="the peer must send short packets",
            )
        if len(packet.payload) % _BLOCK:
            raise WireError(
                f"is {len(packet.payload)} bytes", where="media.payload", do="the peer must send whole 2.5 ms"
            )
        at_sample = self._position(packet, samples)
        self._last_chunk = packet.chunk
        if not samples:
            return
        if self._gathered and at_sample != self.end_sample:
            yield self.rest()
        if not self._gathered:
            self._gathered_at = at_sample
        self._gathered += packet.payload
        self.end_sample = at_sample + samples
        if self.end_sample // self._frame_samples > self._gathered_at // self._frame_samples:
            yield self.rest()

    def rest(self) -> CallerAudio:
        """What was gathered, though its frame is not whole."""
        coded, self._gathered = self._gathered, bytearray()
        return CallerAudio(self._resampler.feed(g711.decode(coded)), self._gathered_at)

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
