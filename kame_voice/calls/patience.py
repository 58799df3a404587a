"""When a silent or an overlong call is to end. Pure; all times on the call's media clock."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import SpokenWord

__all__ = ["Patience", "Word"]

_AFTER_FAREWELL_MS: Final = 3000
"""After the agent answered a caller's goodbye with its own: silence that ends the call."""


class Word(Enum):
    """What the call is to do now."""

    NOTHING = auto()
    STILL_THERE = auto()
    GOODBYE_SILENT = auto()
    GOODBYE_LIMIT = auto()
    HANG_UP = auto()


class Patience:
    """Counts silence of both sides, and minutes; each word is given once per occasion."""

    def __init__(self, flow: Flow) -> None:
        self._silence_ms = int(flow.limits.max_silence_s * 1000)
        self._limit_ms = int(flow.limits.max_minutes * 60_000)
        self._goodbye = flow.goodbye.split()
        self._quiet_since_ms = 0
        self._caller_talks = False
        self._asked = False
        self._parted = False
        self._said: list[str] = []
        self._utterance = -1

    def caller_speaks(self, now_ms: int) -> None:
        """A turn of the caller's began."""
        self._caller_talks = True
        self._asked = False
        self._said = []
        self._quiet_since_ms = now_ms

    def caller_fell_silent(self, now_ms: int) -> None:
        """A turn of the caller's ended."""
        self._caller_talks = False
        self._quiet_since_ms = now_ms

    def agent_speaks(self, until_ms: int, words: Sequence[SpokenWord]) -> None:
        """The agent's voice sounds until `until_ms`; `words` end in it."""
        self._quiet_since_ms = max(self._quiet_since_ms, until_ms)
        for word in words:
            if word.utterance != self._utterance:
                self._utterance, self._said = word.utterance, []
            self._said.append(word.text)

    def at(self, now_ms: int) -> Word:
        """What is to be done at `now_ms`."""
        if self._parted:
            return Word.NOTHING
        if now_ms >= self._limit_ms:
            self._parted = True
            return Word.GOODBYE_LIMIT
        quiet_ms = 0 if self._caller_talks else now_ms - self._quiet_since_ms
        if self._said == self._goodbye and quiet_ms >= _AFTER_FAREWELL_MS:
            self._parted = True
            return Word.HANG_UP
        if quiet_ms < self._silence_ms:
            return Word.NOTHING
        self._quiet_since_ms = now_ms
        if not self._asked:
            self._asked = True
            return Word.STILL_THERE
        self._parted = True
        return Word.GOODBYE_SILENT
