"""Turn taking from voice activity: pure, one chunk at a time. Does not know audio, models or clocks."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Protocol

from kame_voice.hearing.base import (
    BargedIn,
    TurnEnded,
    TurnEvent,
    TurnStarted,
    VoiceLapsed,
    VoiceOnset,
    VoicePaused,
    VoiceResumed,
)

__all__ = ["NEVER_MS", "TurnDetector", "TurnTimes"]


class TurnTimes(Protocol):
    """A line's own thresholds in milliseconds: the part of a flow's `turns` that the ear needs."""

    @property
    def end_silence_ms(self) -> int: ...

    @property
    def whole_silence_ms(self) -> int: ...

    @property
    def unfinished_silence_ms(self) -> int: ...

    @property
    def barge_in_ms(self) -> int: ...

    @property
    def backchannel_ms(self) -> int: ...


NEVER_MS: Final = 1 << 40
"""`agent_silent_ms` of an agent that has not spoken yet."""

_ON: Final = 0.5
_OFF: Final = 0.35
"""Silero's own thresholds: voice begins above the one and ends below the other."""

_HANG_MS: Final = 32
"""The last chunk above `_OFF` is the model's memory of the one before. Without it the end lies at the
energy's end: by median 32 ms after it has fallen by 20 dB, 26 ms before it has fallen by 25 dB
(13 sentences, people and synthetic, through mu-law)."""

_LATE_MS: Final = 32
"""The first chunk above `_ON` comes one chunk after the energy rises (8–60 ms on read speech)."""

_RISING: Final = 0.15
"""A chunk this likely ahead of the onset already holds the beginning of the voice."""

_WORD_MS: Final = 96
"""Shortest voice that is a turn while the agent is silent: a clipped "yes" lasts longer, a click less."""

_DIP_MS: Final = 64
"""Silence that is told as a pause: with the first chunk without voice, so that the words so far are read
as early as can be. It may be the closure of a stop consonant (50–90 ms): nothing is ended by it. On 128 s
of speech this reads 28 % more pauses than at 128 ms, 67 ms sooner."""

_LAPSE_MS: Final = 128
"""Silence after which a try at a turn has ended, and the least that ends a turn: longer than a closure."""

_AGENT_GAP_MS: Final = 320
"""Silence after which the agent has finished; its pauses between phrases are shorter."""


class _State(Enum):
    SILENT = auto()
    TRYING = auto()
    TURN = auto()
    PAUSED = auto()


class TurnDetector:
    """Turns what the voice detector thinks of each chunk into the events of `hearing.base`.

    While the agent is silent, `_WORD_MS` of voice make a turn. While it speaks, the voice must
    last `barge_in_ms`, or end no sooner than `backchannel_ms`; what ends sooner lapses. A short
    voice that outlasts the agent's own last word is an answer, not a backchannel.
    """

    def __init__(self, settings: TurnTimes) -> None:
        self._settings = settings
        self._state = _State.SILENT
        self._start_ms = 0
        self._last_voiced_ms = 0
        self._voiced_ms = 0
        self._end_silence_ms = settings.end_silence_ms
        self._probability = 0.0
        self.voiced = False

    @property
    def in_turn(self) -> bool:
        """A turn has started and not ended."""
        return self._state in (_State.TURN, _State.PAUSED)

    def expect_end(self, silence_ms: int, heard_to_ms: int) -> None:
        """Let the pause under way end the turn after `silence_ms`, at least `_LAPSE_MS`.

        For who knows the words up to `heard_to_ms`: if the caller has gone on since, nothing
        happens. Once they go on, the line's own threshold is in force again.
        """
        if self._state is _State.PAUSED and self._last_voiced_ms <= heard_to_ms:
            self._end_silence_ms = max(_LAPSE_MS, silence_ms)

    def step(
        self, probability: float, start_ms: int, end_ms: int, agent_silent_ms: int = NEVER_MS
    ) -> list[TurnEvent]:
        """Take the chunk [start_ms, end_ms) of the caller's audio; what came about with it.

        `agent_silent_ms`: how long the agent has been silent at the end of the chunk, 0 while it sounds.
        """
        self.voiced = probability >= (_OFF if self.voiced else _ON)
        rising = self._probability >= _RISING
        self._probability = probability
        if self.voiced:
            return self._voice(start_ms - (_LATE_MS if rising else 0), start_ms, end_ms, agent_silent_ms)
        return self._silence(end_ms, agent_silent_ms)

    def _voice(self, onset_ms: int, start_ms: int, end_ms: int, agent_silent_ms: int) -> list[TurnEvent]:
        self._last_voiced_ms = end_ms - _HANG_MS
        match self._state:
            case _State.SILENT:
                self._state = _State.TRYING
                self._start_ms = max(0, onset_ms)
                self._voiced_ms = end_ms - start_ms
                return [VoiceOnset(self._start_ms)]
            case _State.TRYING:
                self._voiced_ms += end_ms - start_ms
                if agent_silent_ms >= _AGENT_GAP_MS:
                    return self._take_turn() if self._voiced_ms >= _WORD_MS else []
                if end_ms - self._start_ms >= self._settings.barge_in_ms:
                    return self._take_turn(BargedIn(end_ms))
                return []
            case _State.PAUSED:
                self._state = _State.TURN
                self._end_silence_ms = self._settings.end_silence_ms
                return [VoiceResumed(start_ms)]
            case _State.TURN:
                return []

    def _silence(self, now_ms: int, agent_silent_ms: int) -> list[TurnEvent]:
        silent_ms = now_ms - self._last_voiced_ms
        match self._state:
            case _State.TRYING if silent_ms >= _LAPSE_MS:
                return self._judge_try(agent_silent_ms)
            case _State.TURN if silent_ms >= _DIP_MS:
                self._state = _State.PAUSED
                return [VoicePaused(self._last_voiced_ms), *self._end_if_due(silent_ms)]
            case _State.PAUSED:
                return self._end_if_due(silent_ms)
            case _:
                return []

    def _judge_try(self, agent_silent_ms: int) -> list[TurnEvent]:
        """The voice ended before it made a turn: was it a short answer, or nothing?"""
        agent_finished = agent_silent_ms >= _AGENT_GAP_MS
        if agent_finished and self._voiced_ms >= _WORD_MS:
            return self._take_turn()
        if not agent_finished:
            if self._last_voiced_ms - self._start_ms >= self._settings.backchannel_ms:
                return self._take_turn(BargedIn(self._last_voiced_ms))
            if agent_silent_ms > 0 and self._voiced_ms >= _WORD_MS:
                return []  # our last word, or only a pause of ours? The next chunks tell.
        self._state = _State.SILENT
        return [VoiceLapsed(self._last_voiced_ms)]

    def _take_turn(self, *more: TurnEvent) -> list[TurnEvent]:
        self._state = _State.TURN
        self._end_silence_ms = self._settings.end_silence_ms
        return [TurnStarted(self._start_ms), *more]

    def _end_if_due(self, silent_ms: int) -> list[TurnEvent]:
        if silent_ms < self._end_silence_ms:
            return []
        self._state = _State.SILENT
        return [TurnEnded(self._start_ms, self._last_voiced_ms)]
