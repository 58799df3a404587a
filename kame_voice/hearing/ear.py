"""One call's ear: voice activity, echo and turn taking put together. Does not know what is said."""

from __future__ import annotations

from typing import Final

import numpy as np

from kame_voice.audio.resample import Resampler
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.hearing.base import HeardFrame, TurnEvent
from kame_voice.hearing.echo import EchoJudge
from kame_voice.hearing.turns import NEVER_MS, TurnDetector, TurnTimes
from kame_voice.hearing.vad import VAD_CHUNK, VAD_RATE, VoiceDetector

__all__ = ["Ear"]

_CHUNK_MS: Final = VAD_CHUNK * 1000 // VAD_RATE
_KEPT: Final = 2048
"""Samples at 16 kHz kept for the echo judge: 128 ms."""
_MAYBE_VOICE: Final = 0.35
"""Below this no chunk counts as voice, so that nothing need be judged."""


class Ear:
    """Listens to the caller's frames, of any length, in order and without holes.

    `voices` is the process's voice detector. The ear's opinion on a moment comes with the frame in
    which the 32 ms chunk that holds it is complete.
    """

    def __init__(self, voices: VoiceDetector, turns: TurnTimes) -> None:
        self._stream = voices.stream()
        self._turns = TurnDetector(turns)
        self._echo = EchoJudge()
        self._resampler = Resampler(SAMPLE_RATE, VAD_RATE)
        self._waiting: Pcm = np.zeros(0, np.float32)
        self._recent = np.zeros(_KEPT, np.float32)

    def listen(self, pcm: Pcm, at_ms: int) -> HeardFrame:
        """Hear the next frame, which starts at `at_ms` of the media clock."""
        samples = np.concatenate((self._waiting, self._resampler.feed(pcm)))
        frame_end_ms = at_ms + len(pcm) * 1000 // SAMPLE_RATE
        events: list[TurnEvent] = []
        chunks = len(samples) // VAD_CHUNK
        voiced = self._turns.voiced
        for number in range(chunks):
            rest = len(samples) - (number + 1) * VAD_CHUNK
            end_ms = frame_end_ms - rest * 1000 // VAD_RATE
            chunk = samples[number * VAD_CHUNK : (number + 1) * VAD_CHUNK]
            events += self._hear_chunk(chunk, end_ms)
            voiced = self._turns.voiced if number == 0 else voiced or self._turns.voiced
        self._waiting = samples[chunks * VAD_CHUNK :].copy()
        return HeardFrame(pcm, at_ms, voiced, tuple(events))

    def _hear_chunk(self, chunk: Pcm, end_ms: int) -> list[TurnEvent]:
        self._recent[:-VAD_CHUNK] = self._recent[VAD_CHUNK:]
        self._recent[-VAD_CHUNK:] = chunk
        probability = self._stream.probability(chunk)
        if probability >= _MAYBE_VOICE and self._echo.is_echo(self._recent, end_ms):
            probability = 0.0
        silent_ms = self._echo.silent_ms(end_ms, NEVER_MS)
        return self._turns.step(probability, end_ms - _CHUNK_MS, end_ms, silent_ms)

    def agent_played(self, pcm: Pcm, at_ms: int) -> None:
        """What the agent says, and where on the media clock it sounds: to know it when it comes back."""
        self._echo.played(pcm, at_ms)

    def expect_end(self, silence_ms: int, heard_to_ms: int) -> None:
        """Let the pause under way end the turn after this much silence; see `Listener.expect_end`."""
        self._turns.expect_end(silence_ms, heard_to_ms)
