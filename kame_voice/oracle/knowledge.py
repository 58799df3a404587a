"""Answers from the flow's own facts, matched by meaning and words: offline, in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from typing import Final

from kame_voice.core.nouns import OracleSource, Speaker
from kame_voice.flows.schema import Flow
from kame_voice.oracle.asking import strip_opening
from kame_voice.oracle.base import AnswerDelta, OracleRequest, Said
from kame_voice.oracle.embedder import Embedder, Vectors
from kame_voice.oracle.guard import Reading, reading
from kame_voice.oracle.matching import Index, Match
from kame_voice.oracle.meaning import Meaning, compared
from kame_voice.oracle.topics import Kind, topics_of
from kame_voice.oracle.trial import Trial, try_out
from kame_voice.oracle.words import spoken_words

__all__ = ["Knowledge"]

_SHORTEST_GUESS: Final = 3
"""Words of an unfinished turn before it is worth a guess: "are you open" is, "do you" is not."""
_GUESS_SCORE: Final = 0.55
"""A guess on half a sentence has to fit better than the answer to a whole one."""
_SURE_SCORE: Final = 0.6
_SURE_AHEAD: Final = 0.1
"""A topic that fits this well and so far ahead of every other is what was asked: of 124 questions that
callers would ask, 71 have one, and none of those is wrong (19 of the 32 that nothing was tuned with)."""
_FLOWS_KEPT: Final = 64
_READINGS_KEPT: Final = 512


class Knowledge:
    """The `AnswerSource` without a network. Loads its model when made; one a process.

    Asks about an unfinished turn get no answer where none fits; a finished turn always gets one,
    if only the flow's `unknown` sentence, which names no fact.
    Raises `EmbeddingModelMissing` when made without its model.
    """

    source = OracleSource.KNOWLEDGE
    model: str | None = None

    def __init__(self) -> None:
        self._embedder = Embedder()
        self._indexes: dict[str, Index] = {}
        self._readings: dict[tuple[int, str], tuple[Reading, Vectors]] = {}
        self._building = Lock()
        self._threads = ThreadPoolExecutor(2, "knowledge")

    async def answer(self, question: OracleRequest) -> AsyncGenerator[AnswerDelta, None]:
        """Stream the answer, a fact at a time."""
        if not question.is_final and len(spoken_words(question.caller_words)) < _SHORTEST_GUESS:
            return
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._threads, self._match, question)
        for number, match in enumerate(matches):
            text = match.topic.answer(match.question, question.now)
            sourced = True if match.topic.kind is not Kind.SMALL_TALK else None
            yield AnswerDelta(text if number == 0 else f" {text}", (match.topic.id,), sourced)
        if not matches and question.is_final:
            yield AnswerDelta(question.flow.unknown)

    async def is_sure(self, question: OracleRequest) -> bool:
        """Whether the facts plainly answer these words: nobody else need be asked. 10 ms, off the loop."""
        if len(spoken_words(question.caller_words)) < _SHORTEST_GUESS:
            return False
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._is_sure, question)

    async def meanings(self, flow: Flow, earlier: Sequence[str], now: str) -> list[Meaning]:
        """What `now`, later words of a turn, make of answers to each of `earlier`: 20 ms, off the loop."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._meanings, flow, tuple(earlier), now
        )

    async def prepare(self, flow: Flow) -> None:
        """Embed the flow's sample questions ahead of its first call; half a second off the loop."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._index, flow)

    def facts_for(self, flow: Flow, question: str) -> list[str]:
        """The facts of `flow` that answer a whole question, by id. Blocks some 10 ms, for any thread."""
        return [match.topic.id for match in self._index(flow).match(question)]

    def try_out(self, flow: Flow, question: str) -> Trial:
        """What the line would say to a whole question, and why. Blocks some 20 ms, for any thread."""
        return try_out(self._index(flow), flow, question, datetime.now(flow.business.zone))

    def embed(self, sentences: list[str]) -> Vectors:
        """What sentences mean, [n, 384]. Blocks about 6 ms a sentence, for any thread."""
        return self._embedder.embed(sentences)

    def close(self) -> None:
        """End the threads. Idempotent."""
        self._threads.shutdown()

    def _match(self, question: OracleRequest) -> list[Match]:
        index = self._index(question.flow)
        matches = index.match(question.caller_words, last_question=_last_question(question.history))
        if question.is_final:
            return matches
        return [
            match
            for match in matches
            if match.score >= _GUESS_SCORE and match.topic.kind is not Kind.SMALL_TALK
        ]

    def _is_sure(self, question: OracleRequest) -> bool:
        index, words = self._index(question.flow), question.caller_words
        matches = self._match(question)
        if len(matches) != 1 or matches[0].topic.kind is Kind.SMALL_TALK or matches[0].score < _SURE_SCORE:
            return False
        if index.doubts(matches[0], words):
            return False
        if _last_question(question.history) and index.leans(matches[0], words):
            return False
        scores = index.scores(strip_opening(words))
        others = [score for score, topic_id in scores if topic_id != matches[0].topic.id]
        return matches[0].score - max(others, default=0.0) >= _SURE_AHEAD

    def _meanings(self, flow: Flow, earlier: tuple[str, ...], now: str) -> list[Meaning]:
        index = self._index(flow)
        later, vector = self._read(index, now)
        vocabulary = index.words_of(later.topics)
        found = []
        for words in earlier:
            before, other = self._read(index, words)
            found.append(compared(before, later, float(vector @ other), vocabulary))
        return found

    def _read(self, index: Index, words: str) -> tuple[Reading, Vectors]:
        """Remembered: each version of a turn is compared with all later ones."""
        key = (id(index), words)
        if key not in self._readings:
            topics = tuple(match.topic.id for match in index.match(words)) if spoken_words(words) else ()
            while len(self._readings) >= _READINGS_KEPT:
                self._readings.pop(next(iter(self._readings)), None)
            self._readings[key] = (reading(words, topics), index.vector(words))
        return self._readings[key]

    def _index(self, flow: Flow) -> Index:
        version = flow.content_hash
        with self._building:
            index = self._indexes.get(version)
            if index is None:
                index = Index(topics_of(flow), self._embedder.embed)
                while len(self._indexes) >= _FLOWS_KEPT:
                    self._indexes.pop(next(iter(self._indexes)))
                self._indexes[version] = index
        return index


def _last_question(history: tuple[Said, ...]) -> str:
    """What the caller said before: "and on Sunday?" asks for more of it."""
    return next((said.text for said in reversed(history) if said.speaker is Speaker.CALLER), "")
