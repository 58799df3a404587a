"""The answer to one turn of the caller's, put together from the oracles in force while it is said. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kame_voice.front_end.spoken.oracle_text import OracleText
from kame_voice.front_end.spoken.script import Sentence

__all__ = ["Answer", "Repeats", "only_the_same_words"]

Repeats = Callable[[str, Sequence[str]], bool]
"""Whether a sentence tells a caller nothing new who has heard these."""

_WORD: Final = re.compile(r"\w+(?:['’]\w+)?")
_FRESHER_FRAMES: Final = 25
"""Half a second: so long a newer oracle may take to go on before the older one goes on in its place."""
_DRY_FRAMES: Final = 150
"""Three seconds without another sentence: the stretch of speech is over, whatever may come later."""


def only_the_same_words(sentence: str, said: Sequence[str]) -> bool:
    """The plainest `Repeats`: the sentence was said word for word."""
    return any(_words(sentence) == _words(one) for one in said)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an oracle goes on: its sentence `number`, without its first `skipped` words."""

    number: int
    skipped: int = 0


class Answer:
    """A script that follows the newest oracle.

    What has been said stays said: a newer oracle goes on behind the words that both have in common, or,
    where it differs, from the first sentence that tells something new. Asked once a frame while there is
    no sentence, it counts how long it waits.
    """

    interruptible = True

    def __init__(self, repeats: Repeats = only_the_same_words) -> None:
        self.oracle: OracleText | None = None
        self._repeats = repeats
        self._from: OracleText | None = None
        # In the words of the oracle last spoken from; and all that the caller was told, by whichever.
        self._said: list[str] = []
        self._told: list[str] = []
        self._waited = 0

    @property
    def begun(self) -> bool:
        """Something of it was chosen to be said."""
        return bool(self._said)

    def follow(self, oracle: OracleText | None) -> None:
        """The oracle in force from now on."""
        self.oracle = oracle

    def has_next(self) -> bool:
        """Whether the oracle in force has a sentence that is still to be said."""
        return self.oracle is not None and self._next_in(self.oracle) is not None

    def next_sentence(self) -> Sentence | None:
        """The next sentence of the oracle in force, or of the one before when that keeps us waiting."""
        patient = self.oracle is not None and self._waited < _FRESHER_FRAMES
        for oracle in (self.oracle, None if patient else self._from):
            if oracle is None or oracle.withdrawn:
                continue
            place = self._next_in(oracle)
            if place is None:
                if oracle.closed:
                    break
                continue
            return self._say(oracle, place)
        self._waited += 1
        return None

    @property
    def over(self) -> bool:
        """Nothing more to say for now; a later oracle may still have something."""
        if self._waited >= _DRY_FRAMES:
            return True
        if self.oracle is None or self.oracle.withdrawn:
            return self._from is None or self._from.withdrawn or not self._goes_on(self._from)
        return not self._goes_on(self.oracle)

    def resume(self) -> None:
        """A new stretch of speech begins: the wait is counted anew."""
        self._waited = 0

    def differs_at_once(self) -> bool:
        """The oracle in force has other, ready words for the sentence that is being said."""
        oracle = self.oracle
        if oracle is None or oracle is self._from or not self._said:
            return False
        said = [word for sentence in self._said for word in _words(sentence)]
        written = [word for sentence in oracle.sentences for word in _words(sentence)]
        if all(one == other for one, other in zip(said, written, strict=False)):
            return False
        place = self._next_in(oracle)
        return place is not None and oracle.is_ready(place.number)

    def withdraw(self, oracle_id: str) -> None:
        """The oracle is void, also as the one to fall back on."""
        if self._from is not None and self._from.id == oracle_id:
            self._from.withdrawn = True

    def take_back(self) -> None:
        """The last sentence was stopped before it was said."""
        self._said = self._said[:-1]
        self._told = self._told[:-1]

    def _say(self, oracle: OracleText, place: _Place) -> Sentence:
        sentence = oracle.sentence(place.number, place.skipped)
        head = oracle.sentences[: place.number]
        if place.skipped:
            head = [*head, oracle.head(place.number, place.skipped)]
        self._said = [*head, sentence.text]
        self._told = [*self._told, sentence.text]
        self._from = oracle
        self._waited = 0
        return sentence

    def _next_in(self, oracle: OracleText) -> _Place | None:
        """Where `oracle` has something that is still to be said; None: nowhere so far."""
        place = self._parting(oracle, self._said)
        if place is None or place.skipped or oracle is self._from:
            return place
        number = place.number
        while number < len(oracle.sentences) and self._repeats(oracle.sentences[number], self._told):
            number += 1
        return _Place(number) if number < len(oracle.sentences) else None

    def _parting(self, oracle: OracleText, said: list[str]) -> _Place | None:
        """Where `oracle` parts from the words of `said`, or goes on behind them; None: nowhere so far."""
        left = [word for sentence in said for word in _words(sentence)]
        for number, sentence in enumerate(oracle.sentences):
            if not left:
                return _Place(number)
            words = _words(sentence)
            if left[: len(words)] == words:
                left = left[len(words) :]
            elif words[: len(left)] == left:
                return _Place(number, len(left))
            else:
                return _Place(number)
        return None

    def _goes_on(self, oracle: OracleText) -> bool:
        return not oracle.closed or self._next_in(oracle) is not None


def _words(sentence: str) -> list[str]:
    return _WORD.findall(sentence.lower())
