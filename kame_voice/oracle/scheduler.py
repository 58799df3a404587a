"""When to ask for an answer, and which answer is in force. Pure: events and milliseconds in, moves out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from kame_voice.core.nouns import OracleMode, OracleOutcome
from kame_voice.oracle.base import Transcript
from kame_voice.oracle.words import spoken_words

__all__ = ["Adopt", "Ask", "Cancel", "Confirm", "Move", "Scheduler", "Withdraw"]

_NEW_WORDS: Final = 2
_MIN_GAP_MS: Final = 500
"""A partial is asked on when it has two new stable words and half a second has passed (the
reference back end's rule); a pause and a final at once."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for the answer to `words`, as generation `id`."""

    id: str
    words: str
    covers_ms: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class Adopt:
    """Generation `id` has its first token: from now on it is the answer in force."""

    id: str
    covers_ms: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class Cancel:
    """Generation `id` is not needed any more. `outcome`: what became of it."""

    id: str
    outcome: OracleOutcome


@dataclass(frozen=True, slots=True)
class Confirm:
    """The answer in force is the answer to the turn as it is known up to `covers_ms`."""

    id: str
    covers_ms: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The answer in force answers nothing: the turn held no words, or the source failed."""

    id: str


Move = Ask | Adopt | Cancel | Confirm | Withdraw


@dataclass(slots=True)
class _Generation:
    """One question under way or answered. `rank` orders them: a higher one replaces a lower one."""

    id: str
    turn_start_ms: int
    rank: int
    words: str
    key: list[str]
    covers_ms: int
    is_final: bool
    adopted: bool = False


class Scheduler:
    """One call's generations.

    Several may be in flight. A newer one comes into force at its first token, and only then are
    the older ones cancelled, so that a slow source never leaves the call without the answer it had.
    """

    def __init__(self, mode: OracleMode, call_id: str) -> None:
        self._mode = mode
        self._call_id = call_id
        self._asked = 0
        self._generations: list[_Generation] = []
        self._turn_start_ms = -1
        self._last_ask_ms = 0
        self._basis_words = 0

    def heard(self, transcript: Transcript, now_ms: int) -> list[Move]:
        """The caller's words as they are known now."""
        if self._mode is OracleMode.OFF:
            return []
        if transcript.turn_start_ms != self._turn_start_ms:
            self._turn_start_ms = transcript.turn_start_ms
            self._basis_words = 0
            self._last_ask_ms = now_ms - _MIN_GAP_MS
        key = spoken_words(transcript.text)
        if transcript.is_final:
            return self._final(transcript, key, now_ms)
        if self._mode is OracleMode.FINAL or not self._worth_asking(transcript, key, now_ms):
            return []
        return [self._ask(transcript, key, now_ms)]

    def first_token(self, id_: str) -> list[Move]:
        """Generation `id_` begins to answer: it comes into force, unless a better one already has."""
        this = self._find(id_)
        if this is None:
            return []
        if any(other.adopted and other.rank > this.rank for other in self._generations):
            self._generations.remove(this)
            return [Cancel(id_, OracleOutcome.CANCELLED)]
        older = [other for other in self._generations if other.rank < this.rank]
        self._generations = [other for other in self._generations if other.rank >= this.rank]
        this.adopted = True
        return [
            Adopt(this.id, this.covers_ms, this.is_final),
            *(Cancel(other.id, _outcome(other, this)) for other in older),
        ]

    def stand_in(self, id_: str) -> Ask | None:
        """Ask somebody else what generation `id_` was asked; None when that is not needed, or done.

        The stand-in ranks below the generation it stands in for: a late answer still replaces it.
        """
        late = self._find(id_)
        if late is None:
            return None
        if any(one.rank == late.rank - 1 for one in self._generations):
            return None
        place = self._generations.index(late)
        stand_in = replace(late, id=self._next_id(), rank=late.rank - 1, adopted=False)
        self._generations.insert(place, stand_in)
        return Ask(stand_in.id, stand_in.words, stand_in.covers_ms, stand_in.is_final)

    def failed(self, id_: str) -> list[Move]:
        """Generation `id_` will give no more: what it had said is withdrawn."""
        this = self._find(id_)
        if this is None:
            return []
        self._generations.remove(this)
        return [Withdraw(id_)] if this.adopted else []

    def waited_for(self) -> str | None:
        """The generation that a finished turn waits for and that has no first token yet."""
        finals = [one for one in self._generations if one.is_final and not one.adopted]
        return finals[-1].id if finals else None

    def is_wanted(self, id_: str) -> bool:
        """Whether generation `id_` is in force or may come into force."""
        return self._find(id_) is not None

    def answers_a_final(self, id_: str) -> bool:
        """Whether a finished turn waits for generation `id_`."""
        this = self._find(id_)
        return this is not None and this.is_final

    def _final(self, transcript: Transcript, key: list[str], now_ms: int) -> list[Move]:
        mine = [one for one in self._generations if one.turn_start_ms == self._turn_start_ms]
        if not key:
            self._forget(mine)
            return [Withdraw(one.id) if one.adopted else _cancelled(one) for one in mine]
        match = next((one for one in reversed(mine) if one.key == key), None)
        if match is None:
            return [self._ask(transcript, key, now_ms)]
        match.is_final, match.covers_ms = True, transcript.covers_ms
        overtaken = [one for one in mine if one.rank > match.rank]
        self._forget(overtaken)
        moves: list[Move] = [_cancelled(one) for one in overtaken]
        if match.adopted:
            moves.append(Confirm(match.id, transcript.covers_ms, is_final=True))
        return moves

    def _worth_asking(self, transcript: Transcript, key: list[str], now_ms: int) -> bool:
        if len(key) < _NEW_WORDS:
            return False
        newest = self._generations[-1] if self._generations else None
        if newest and newest.turn_start_ms == self._turn_start_ms and newest.key == key:
            return False
        if transcript.paused:
            return True
        new_words = len(spoken_words(transcript.stable)) - self._basis_words
        return new_words >= _NEW_WORDS and now_ms - self._last_ask_ms >= _MIN_GAP_MS

    def _ask(self, transcript: Transcript, key: list[str], now_ms: int) -> Ask:
        id_ = self._next_id()
        asked = _Generation(
            id=id_,
            turn_start_ms=transcript.turn_start_ms,
            rank=self._asked * 2,
            words=transcript.text,
            key=key,
            covers_ms=transcript.covers_ms,
            is_final=transcript.is_final,
        )
        self._generations.append(asked)
        self._last_ask_ms = now_ms
        self._basis_words = len(spoken_words(transcript.stable))
        return Ask(asked.id, transcript.text, asked.covers_ms, asked.is_final)

    def _next_id(self) -> str:
        self._asked += 1
        return f"{self._call_id}-o{self._asked}"

    def _forget(self, generations: list[_Generation]) -> None:
        self._generations = [one for one in self._generations if one not in generations]

    def _find(self, id_: str) -> _Generation | None:
        return next((one for one in self._generations if one.id == id_), None)


def _cancelled(one: _Generation) -> Cancel:
    return Cancel(one.id, OracleOutcome.CANCELLED)


def _outcome(older: _Generation, newer: _Generation) -> OracleOutcome:
    """An answer to an earlier turn has done its work; one to the same turn is superseded."""
    if not older.adopted:
        return OracleOutcome.CANCELLED
    same_turn = older.turn_start_ms == newer.turn_start_ms
    return OracleOutcome.SUPERSEDED if same_turn else OracleOutcome.ADOPTED
