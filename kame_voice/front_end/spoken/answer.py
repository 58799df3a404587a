"""The answer to one turn of the caller's, put together from the oracles in force while it is said. Pure."""

from __future__ import annotations

import re
from typing import Final

from kame_voice.front_end.spoken.oracle_text import OracleText
from kame_voice.front_end.spoken.script import Sentence

__all__ = ["Answer"]

_WORD: Final = re.compile(r"\w+")
_FRESHER_FRAMES: Final = 25
"""Half a second: so long a newer oracle may take to go on before the older one goes on in its place."""
_DRY_FRAMES: Final = 150
"""Three seconds without another sentence: the stretch of speech is over, whatever may come later."""


class Answer:
    """A script that follows the newest oracle.

    What has been said stays said: a newer oracle goes on behind the sentences that both have in
    common, or, where it differs, from the first sentence that has not been said. Asked once a
    frame while there is no sentence, it counts how long it waits.
    """

    interruptible = True

    def __init__(self) -> None:
        self.oracle: OracleText | None = None
        self._from: OracleText | None = None
        self._said: list[str] = []
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
            number = self._next_in(oracle)
            if number is None:
                if oracle.closed:
                    break
                continue
            self._said = [*oracle.sentences[:number], oracle.sentences[number]]
            self._from = oracle
            self._waited = 0
            return oracle.sentence(number)
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
        number = len(self._said) - 1
        oracle = self.oracle
        if oracle is None or oracle is self._from or number < 0 or number >= len(oracle.sentences):
            return False
        return _words(oracle.sentences[number]) != _words(self._said[number]) and oracle.is_ready(number)

    def withdraw(self, oracle_id: str) -> None:
        """The oracle is void, also as the one to fall back on."""
        if self._from is not None and self._from.id == oracle_id:
            self._from.withdrawn = True

    def take_back(self) -> None:
        """The last sentence was stopped before it was said."""
        self._said = self._said[:-1]

    def _next_in(self, oracle: OracleText) -> int | None:
        """The first sentence of `oracle` that is still to be said; None: there is none so far."""
        number = 0
        for said, written in zip(self._said, oracle.sentences, strict=False):
            if _words(said) != _words(written):
                break
            number += 1
        return number if number < len(oracle.sentences) else None

    def _goes_on(self, oracle: OracleText) -> bool:
        return not oracle.closed or self._next_in(oracle) is not None


def _words(sentence: str) -> list[str]:
    return _WORD.findall(sentence.lower())
