"""An answer that we owe the caller: how long they wait for it, and when to say that we are at it. Pure."""

from __future__ import annotations

from typing import Final

from kame_voice.front_end.spoken.answer import Answer, Repeats, only_the_same_words
from kame_voice.front_end.spoken.oracle_text import OracleText

__all__ = ["Owed"]

_TOLERANCE_MS: Final = 150
"""Words up to here before the caller's last voiced moment cover the turn: shorter than a word."""
_FRESHER_MS: Final = 250
"""So long after the end of a turn we wait for an oracle that covers all of it."""
_TEXT_COMES_MS: Final = 300
"""So much later comes the holding phrase when an answer is being written already."""
_HOLD_AGAIN_MS: Final = 5_000
_HOLDS: Final = 2


class Owed:
    """Begins when a turn of the caller's ends; `tick` is its clock.

    `start_ms`, `end_ms`: the turn's first and last voiced moments; `now_ms`: the moment at which its
    end was known.
    """

    def __init__(
        self,
        start_ms: int,
        end_ms: int,
        now_ms: int,
        hold_after_ms: int,
        repeats: Repeats = only_the_same_words,
    ) -> None:
        self.answer = Answer(repeats)
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._known_ms = 0
        self._silent_ms = max(0, now_ms - end_ms)
        self._hold_at_ms = hold_after_ms
        self._holds = 0

    def tick(self, ms: int) -> None:
        """So much more time has passed."""
        self._known_ms += ms
        self._silent_ms += ms

    def follow(self, oracle: OracleText | None) -> None:
        """The newest oracle there is, if it belongs to this turn at all."""
        belongs = oracle is not None and oracle.covers_ms > self._start_ms
        self.answer.follow(oracle if belongs else None)

    def may_speak(self) -> bool:
        """There is a sentence to say, and it answers the whole turn or has been waited for long enough."""
        oracle = self.answer.oracle
        if oracle is None or not self.answer.has_next():
            return False
        return self.answer.begun or self._covered(oracle) or self._known_ms >= _FRESHER_MS

    def hold_is_due(self) -> bool:
        """The caller has waited so long that we should say so; counts as said."""
        oracle = self.answer.oracle
        if self.answer.begun or self._holds >= _HOLDS or self._nothing_to_say(oracle):
            return False
        patience_ms = _TEXT_COMES_MS if oracle is not None and oracle.has_text else 0
        if self._silent_ms < self._hold_at_ms + patience_ms:
            return False
        self._holds += 1
        self._hold_at_ms = self._silent_ms + _HOLD_AGAIN_MS
        return True

    def _covered(self, oracle: OracleText) -> bool:
        return oracle.covers_ms >= self._end_ms - _TOLERANCE_MS

    def _nothing_to_say(self, oracle: OracleText | None) -> bool:
        return oracle is not None and oracle.closed and not oracle.sentences and self._covered(oracle)
