"""When to ask for an answer, and which answer is in force. Pure: events and milliseconds in, moves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from kame_voice.core.nouns import OracleMode, OracleOutcome
from kame_voice.oracle.asking import content_of, strip_opening
from kame_voice.oracle.base import Transcript
from kame_voice.oracle.meaning import Meaning
from kame_voice.oracle.words import spoken_words

__all__ = ["Adopt", "Ask", "Cancel", "Confirm", "GuessRule", "Move", "Scheduler", "Withdraw"]


@dataclass(frozen=True, slots=True)
class GuessRule:
    """When a partial is asked on: `new_words` new stable words and `min_gap_ms` later (the reference back
    end's rule), which grows by as much with every guess, as the longer a turn the less each word turns it
    over; a pause at once. `a_turn`: guesses asked on one turn at most, the last of them at a pause."""

    new_words: int = 2
    min_gap_ms: int = 500
    a_turn: int = 4


_UNJUDGED: Final[Mapping[str, Meaning]] = MappingProxyType({})


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
    """Generation `id` answers the turn as it is known up to `covers_ms`. `in_force`: it has begun to."""

    id: str
    covers_ms: int
    is_final: bool
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The answer in force must not be heard: the turn held no words or asks something else by now, or the
    source failed. `outcome`: what became of it."""

    id: str
    outcome: OracleOutcome = OracleOutcome.CANCELLED


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
    begun: bool = False


class Scheduler:
    """One call's generations.

    Several may be in flight. A newer one comes into force at its first token, and only then are
    the older ones cancelled, so that a slow source never leaves the call without the answer it had.
    While a supervisor's words hold, nothing comes into force over them.
    """

    def __init__(self, mode: OracleMode, call_id: str, rule: GuessRule | None = None) -> None:
        self._mode = mode
        self._rule = rule or GuessRule()
        self._guesses = 0
        self._held_by: str | None = None
        self._call_id = call_id
        self._asked = 0
        self._generations: list[_Generation] = []
        self._turn_start_ms = -1
        self._last_ask_ms = 0
        self._basis_words = 0

    def rivals(self, transcript: Transcript) -> list[tuple[str, str]]:
        """Ids and words of the turn's generations whose meaning should be compared before `heard`."""
        if self._mode is OracleMode.OFF or not spoken_words(transcript.text):
            return []
        if not transcript.is_final and not self._may_guess(transcript):
            return []
        return [
            (one.id, one.words)
            for one in self._generations
            if one.turn_start_ms == transcript.turn_start_ms and not self._is_stand_in(one)
        ]

    def heard(
        self, transcript: Transcript, now_ms: int, meanings: Mapping[str, Meaning] = _UNJUDGED
    ) -> list[Move]:
        """The caller's words as they are known now.

        `meanings`, by generation: what the words make of its answer. One that is not judged stands where
        its words are the same, and is open where they are not.
        """
        if self._mode is OracleMode.OFF:
            return []
        if transcript.turn_start_ms != self._turn_start_ms:
            self._turn_start_ms = transcript.turn_start_ms
            self._basis_words = 0
            self._guesses = 0
            self._last_ask_ms = now_ms - self._rule.min_gap_ms
        key = spoken_words(transcript.text)
        if transcript.is_final:
            return self._final(transcript, key, now_ms, meanings)
        if self._mode is OracleMode.FINAL or not self._may_guess(transcript):
            return []
        return self._partial(transcript, key, now_ms, meanings)

    def first_token(self, id_: str) -> list[Move]:
        """Generation `id_` begins to answer: it comes into force, unless a better one already has."""
        this = self._find(id_)
        if this is None:
            return []
        if any(other.adopted and other.rank > this.rank for other in self._generations):
            self._generations.remove(this)
            return [Cancel(id_, OracleOutcome.CANCELLED)]
        this.begun = True
        if self._held_by is not None:
            return []
        return self._adopt(this)

    # A supervisor's words.

    def hold(self, id_: str) -> list[Move]:
        """From now on the supervisor's oracle `id_` is in force, until `spoken` or `withdrawn`."""
        for one in self._generations:
            one.adopted = False
        before, self._held_by = self._held_by, id_
        return [Withdraw(before, OracleOutcome.SUPERSEDED)] if before else []

    def spoken(self, id_: str) -> list[Move]:
        """Oracle `id_` sounds. If it is the one that holds, the answers it was put above are not needed."""
        if id_ != self._held_by:
            return []
        self._held_by = None
        passed, self._generations = self._generations, []
        return [Cancel(one.id, OracleOutcome.SUPERSEDED) if one.begun else _cancelled(one) for one in passed]

    def withdrawn(self, id_: str) -> list[Move]:
        """The supervisor takes oracle `id_` back: the best answer that has begun comes into force."""
        if id_ != self._held_by:
            return []
        self._held_by = None
        begun = [one for one in self._generations if one.begun]
        best = max(begun, key=lambda one: one.rank, default=None)
        return [Withdraw(id_), *(self._adopt(best) if best else [])]

    @property
    def held(self) -> bool:
        """A supervisor's words are in force and not spoken yet."""
        return self._held_by is not None

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
        stand_in = replace(late, id=self._next_id(), rank=late.rank - 1, adopted=False, begun=False)
        self._generations.insert(place, stand_in)
        return Ask(stand_in.id, stand_in.words, stand_in.covers_ms, stand_in.is_final)

    def failed(self, id_: str) -> list[Move]:
        """Generation `id_` will give no more: what it had said is withdrawn."""
        this = self._find(id_)
        if this is None:
            return []
        self._generations.remove(this)
        return [Withdraw(id_)] if this.adopted else []

    def in_force(self, id_: str) -> bool:
        """Whether generation `id_` is what the caller is to hear."""
        this = self._find(id_)
        return this is not None and this.adopted

    def waited_for(self) -> str | None:
        """The newest generation that a finished turn waits for; it may have begun to answer."""
        finals = [one for one in self._generations if one.is_final and not self._is_stand_in(one)]
        return finals[-1].id if finals else None

    def covers_ms(self, id_: str) -> int:
        """How far into the caller's audio the words go that generation `id_` answers; 0 where it is gone."""
        this = self._find(id_)
        return 0 if this is None else this.covers_ms

    def is_wanted(self, id_: str) -> bool:
        """Whether generation `id_` is in force or may come into force."""
        return self._find(id_) is not None

    def answers_a_final(self, id_: str) -> bool:
        """Whether a finished turn waits for generation `id_`."""
        this = self._find(id_)
        return this is not None and this.is_final

    def _adopt(self, this: _Generation) -> list[Move]:
        older = [other for other in self._generations if other.rank < this.rank]
        self._generations = [other for other in self._generations if other.rank >= this.rank]
        this.adopted = True
        return [
            Adopt(this.id, this.covers_ms, this.is_final),
            *(Cancel(other.id, _outcome(other, this)) for other in older),
        ]

    def _final(
        self, transcript: Transcript, key: list[str], now_ms: int, meanings: Mapping[str, Meaning]
    ) -> list[Move]:
        mine = [one for one in self._generations if one.turn_start_ms == self._turn_start_ms]
        if not key:
            self._forget(mine)
            return [Withdraw(one.id) if one.adopted else _cancelled(one) for one in mine]
        kept = self._kept(mine, key, meanings)
        if kept is not None:
            pair = self._with_stand_in(kept, mine)
            others = [
                one
                for one in mine
                if one not in pair and not (one.adopted and meanings.get(one.id) is not Meaning.OVERTAKEN)
            ]
            self._forget(others)
            standing = [] if kept.adopted else self._standing(mine, meanings, pair)
            return [
                *(_ended(one) for one in others),
                *_confirmed(standing, transcript, is_final=False),
                *_confirmed(pair, transcript, is_final=True),
            ]
        overtaken = [one for one in mine if meanings.get(self._principal(one)) is Meaning.OVERTAKEN]
        self._forget(overtaken)
        standing = self._standing(mine, meanings, [])
        ask = self._ask(transcript, key, now_ms)
        return [
            *(_ended(one) for one in overtaken),
            *_confirmed(standing, transcript, is_final=False),
            ask,
        ]

    def _partial(
        self, transcript: Transcript, key: list[str], now_ms: int, meanings: Mapping[str, Meaning]
    ) -> list[Move]:
        mine = [one for one in self._generations if one.turn_start_ms == self._turn_start_ms]
        kept = self._kept(mine, key, meanings)
        if kept is not None:
            pair = self._with_stand_in(kept, mine)
            return [one for one in _confirmed(pair, transcript, is_final=False) if one.in_force]
        if not self._is_time(transcript, now_ms):
            return []
        self._guesses += 1
        return [self._ask(transcript, key, now_ms)]

    def _kept(
        self, mine: list[_Generation], key: list[str], meanings: Mapping[str, Meaning]
    ) -> _Generation | None:
        """The generation that answers these words already: the one in force, else the one asked first."""
        kept = [
            one
            for one in mine
            if (one.key == key or meanings.get(one.id) is Meaning.KEPT) and not self._is_stand_in(one)
        ] or [one for one in mine if one.key == key]
        in_force = [one for one in kept if one.adopted]
        return in_force[-1] if in_force else next(iter(kept), None)

    def _may_guess(self, transcript: Transcript) -> bool:
        """The words say something, if only a part of it."""
        if self._mode is not OracleMode.PARTIAL or len(spoken_words(transcript.text)) < self._rule.new_words:
            return False
        return transcript.paused or bool(content_of(strip_opening(transcript.stable)))

    def _is_time(self, transcript: Transcript, now_ms: int) -> bool:
        if self._guesses >= self._rule.a_turn:
            return False
        if transcript.paused:
            return True
        # The last guess is kept for the pause at the end, when the words are whole.
        if self._guesses >= max(1, self._rule.a_turn - 1):
            return False
        new_words = len(spoken_words(transcript.stable)) - self._basis_words
        gap_ms = self._rule.min_gap_ms * max(1, self._guesses)
        return new_words >= self._rule.new_words and now_ms - self._last_ask_ms >= gap_ms

    def _is_stand_in(self, one: _Generation) -> bool:
        return one.rank % 2 == 1

    def _standing(
        self, mine: list[_Generation], meanings: Mapping[str, Meaning], pair: list[_Generation]
    ) -> list[_Generation]:
        """What is in force and may be begun until the better answer has its first token."""
        return [
            one
            for one in mine
            if one.adopted and one not in pair and meanings.get(self._principal(one)) is Meaning.OPEN
        ]

    def _with_stand_in(self, one: _Generation, mine: list[_Generation]) -> list[_Generation]:
        return [other for other in mine if other is one or other.rank == one.rank - 1]

    def _principal(self, one: _Generation) -> str:
        """The id of the generation that `one` stands in for, or its own."""
        if not self._is_stand_in(one):
            return one.id
        return next((other.id for other in self._generations if other.rank == one.rank + 1), one.id)

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


def _confirmed(ones: list[_Generation], transcript: Transcript, *, is_final: bool) -> list[Confirm]:
    for one in ones:
        one.is_final = one.is_final or is_final
        one.covers_ms = max(one.covers_ms, transcript.covers_ms)
    return [Confirm(one.id, one.covers_ms, is_final, in_force=one.adopted) for one in ones]


def _cancelled(one: _Generation) -> Cancel:
    return Cancel(one.id, OracleOutcome.CANCELLED)


def _ended(one: _Generation) -> Move:
    """Its answer has been overtaken: withdrawn where it is in force."""
    return Withdraw(one.id, OracleOutcome.SUPERSEDED) if one.adopted else _cancelled(one)


def _outcome(older: _Generation, newer: _Generation) -> OracleOutcome:
    """An answer to an earlier turn has done its work; one to the same turn is superseded."""
    if not older.adopted:
        return OracleOutcome.CANCELLED
    same_turn = older.turn_start_ms == newer.turn_start_ms
    return OracleOutcome.SUPERSEDED if same_turn else OracleOutcome.ADOPTED
