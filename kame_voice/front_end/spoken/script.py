"""What is to be said, sentence by sentence: the seam between what we say and the mouth that says it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from kame_voice.front_end.spoken.speech import Speech

__all__ = ["Phrase", "Script", "Sentence", "Verbatim"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence chosen to be said. `oracle_id`: the oracle in force when it was chosen."""

    text: str
    speech: Future[Speech]
    oracle_id: str | None = None
    verbatim: bool = False


class Script(Protocol):
    """A stretch of speech whose sentences may still be coming."""

    interruptible: bool

    def next_sentence(self) -> Sentence | None:
        """The next sentence, once; None: there is none now. Asked once a frame while there is none."""
        ...

    @property
    def over(self) -> bool:
        """There is no next sentence and there will be none."""
        ...


class Phrase:
    """Fixed words, all known: a holding phrase, or what `say` was given."""

    interruptible = True

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self._sentences = deque(sentences)

    def next_sentence(self) -> Sentence | None:
        return self._sentences.popleft() if self._sentences else None

    @property
    def over(self) -> bool:
        return not self._sentences

    def drop(self) -> None:
        """Nothing of it will be said any more: speech that was not begun need not be made."""
        while self._sentences:
            self._sentences.popleft().speech.cancel()


class Verbatim(Phrase):
    """The words of one `say`; `said` tells its caller how it went."""

    def __init__(
        self, sentences: Iterable[Sentence], said: asyncio.Future[bool], *, interruptible: bool
    ) -> None:
        super().__init__(sentences)
        self.said = said
        self.interruptible = interruptible

    def finish(self, *, all_of_it: bool) -> None:
        """Tell whoever waits in `say`."""
        self.drop()
        if not self.said.done():
            self.said.set_result(all_of_it)
