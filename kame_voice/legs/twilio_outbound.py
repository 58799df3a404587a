"""Our voice as Twilio's packets, each with its time. Pure; knows no socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kame_voice.audio import g711
from kame_voice.audio.line_resample import LineResampler
from kame_voice.audio.playout import Playout
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.legs.media_clock import MediaClock
from kame_voice.legs.timer_wheel import GRID_S, TIMER_SLACK_S
from kame_voice.legs.twilio_wire import Envelope

__all__ = ["PACKET", "AgentTrack"]

PACKET: Final = SAMPLE_RATE // 50
"""Samples of one packet of 20 ms, at 24 kHz."""
_PAYLOAD: Final = g711.G711_HZ // 50
_CUSHION_S: Final = 0.02
"""A front end that makes speech in real time hands it out some milliseconds late now and then."""
_POSITION_SLACK: Final = PACKET
"""Below this, a position that differs from the end of the audio before is rounding, not a pause."""


class AgentTrack:
    """Coded messages wait here until they are due; `played_to` is where on `media_clock` they end.

    All times in seconds of one clock.
    """

    def __init__(self, stream_sid: str, media_clock: MediaClock, lead_s: float) -> None:
        self.envelope = Envelope(stream_sid)
        self.playout: Playout[bytes] = Playout(lead_s, cushion_s=_CUSHION_S, grid_s=GRID_S)
        self.played_to = 0
        self._media_clock = media_clock
        self._resampler = LineResampler(SAMPLE_RATE, g711.G711_HZ)

    @property
    def full(self) -> bool:
        """As much waits here as may lie in the carrier's buffer."""
        return self.playout.queued_s >= self.playout.lead_s

    def queue(self, pcm: Pcm, marks: Sequence[str], now: float) -> int:
        """Queue whole packets [n · 480], then `marks`; the position at which the audio starts to sound."""
        at_sample = self.played_to
        if len(pcm):
            coded = g711.encode(self._resampler.feed(pcm))
            for offset in range(0, len(coded), _PAYLOAD):
                payload = coded[offset : offset + _PAYLOAD]
                message = self.envelope.media(payload)
                plays_at = self.playout.push(message, now, silent=g711.is_silent(payload))
                if not offset:
                    at_sample = self._position(plays_at)
            self.played_to = at_sample + len(pcm)
        for name in marks:
            self.playout.push_mark(self.envelope.mark(name), now)
        return at_sample

    def due(self, now: float) -> list[bytes]:
        """What is to be sent at `now`."""
        messages: list[bytes] = []
        while (message := self.playout.take(now + TIMER_SLACK_S)) is not None:
            messages.append(message)
        return messages

    def clear(self, now: float) -> bytes:
        """Drop what waits; the message that makes the carrier do the same."""
        self.playout.clear(now)
        self.played_to = min(self.played_to, self._media_clock.sample_at(now))
        return self.envelope.clear()

    def _position(self, plays_at: float) -> int:
        position = self._media_clock.sample_at(plays_at)
        return position if position > self.played_to + _POSITION_SLACK else self.played_to
