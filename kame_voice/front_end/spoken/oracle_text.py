"""One oracle's text as it streams in, cut into sentences whose speech is made ahead. Knows no turns."""

from __future__ import annotations

import re
from concurrent.futures import Future
from typing import Final

from kame_voice.core.nouns import OracleSource
from kame_voice.core.oracle_stream import OracleOpen
from kame_voice.front_end.spoken.script import Sentence
from kame_voice.front_end.spoken.sentences import SentenceSplitter
from kame_voice.front_end.spoken.speech import Speech
from kame_voice.front_end.spoken.voice import Need, SpeechMaker

__all__ = ["OracleText"]

_WORD: Final = re.compile(r"\w+(?:['’]\w+)?")
_AHEAD: Final = 2
"""Sentences of a guess that are made into speech before anybody wants them."""


class OracleText:
    """A candidate answer. `covers_ms`: how far into the caller's audio the words go that it answers."""

    def __init__(self, opening: OracleOpen, voice: SpeechMaker) -> None:
        self.id = opening.id
        self.covers_ms = opening.covers_ms
        self.sentences: list[str] = []
        self.closed = False
        self.withdrawn = False
        self._voice = voice
        # A language model writes a sentence slower than a voice could begin it.
        self._splitter = SentenceSplitter(begins_early=opening.source is OracleSource.LLM)
        self._speech: dict[int, Future[Speech]] = {}
        # What the flow says is the same for every caller; what an LLM wrote is this caller's.
        self._keep = opening.source is OracleSource.KNOWLEDGE

    @property
    def has_text(self) -> bool:
        """Anything at all has been written, if only half a sentence."""
        return bool(self.sentences or self._splitter.tail)

    def append(self, text: str) -> None:
        """More text, as the source streamed it."""
        if not self.closed:
            self._add(self._splitter.feed(text))

    def close(self) -> None:
        """The text is complete."""
        if not self.closed:
            self._add(self._splitter.finish())
            self.closed = True

    def sentence(self, number: int, skipped: int = 0) -> Sentence:
        """Sentence `number` without its first words, to be said now; those after it are wanted soon."""
        for later in range(number + 1, min(number + 1 + _AHEAD, len(self.sentences))):
            self._prepare(later, Need.SOON)
        if skipped:
            rest = self.sentences[number][len(self.head(number, skipped)) :].lstrip(" ,;:—-")
            return Sentence(rest, self._voice.prepare(rest, Need.NOW), self.id)
        return Sentence(self.sentences[number], self._prepare(number, Need.NOW), self.id)

    def head(self, number: int, words: int) -> str:
        """The first `words` of sentence `number`."""
        *_, last = list(_WORD.finditer(self.sentences[number]))[:words]
        return self.sentences[number][: last.end()]

    def is_ready(self, number: int) -> bool:
        """Whether sentence `number` is there and made into speech."""
        return number < len(self.sentences) and self._prepare(number, Need.SOON).done()

    def forget_speech(self) -> None:
        """Nobody will want it: what the voice has not begun need not be made."""
        for future in self._speech.values():
            future.cancel()
        self._speech.clear()

    def _add(self, sentences: list[str]) -> None:
        for text in sentences:
            self.sentences.append(text)
            if len(self.sentences) <= _AHEAD:
                self._prepare(len(self.sentences) - 1, Need.MAYBE)

    def _prepare(self, number: int, need: Need) -> Future[Speech]:
        future = self._speech.get(number)
        # A future that can still be cancelled waits behind others: put it where it is needed.
        if future is None or (need is Need.NOW and not future.done() and future.cancel()):
            future = self._voice.prepare(self.sentences[number], need, keep=self._keep)
            self._speech[number] = future
        return future
