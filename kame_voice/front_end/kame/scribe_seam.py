"""The seams of exact words: who makes a text into sound, and who makes it into a script. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from kame_voice.core.nouns import Pcm
from kame_voice.front_end.kame.script import ForcedScript

__all__ = ["Scribes", "SpeechPromise", "SpokenText", "Synthesizer"]


class SpokenText(Protocol):
    """A sentence as sound: `pcm` [n, 24 kHz]; `words` with the sample at which each has been said."""

    @property
    def pcm(self) -> Pcm: ...
    @property
    def words(self) -> Sequence[tuple[str, int]]: ...


class SpeechPromise(Protocol):
    """Speech in the making; a `concurrent.futures.Future` is one."""

    def result(self, timeout: float | None = None) -> SpokenText:
        """The speech, waited for."""
        ...


Synthesizer = Callable[[str], SpeechPromise]
"""Begins to make a text into speech; never blocks."""


class Scribes(Protocol):
    """Whoever writes scripts."""

    def write(self, text: str, *, interruptible: bool) -> Future[ForcedScript]:
        """The script of `text`. Never blocks."""
        ...
