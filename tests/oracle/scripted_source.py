"""An answer source that says what it is told, when it is told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator

from kame_voice.core.nouns import OracleSource
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import AnswerDelta, AnswerFailed, OracleRequest, Said, Usage

__all__ = ["ScriptedSource"]


class ScriptedSource:
    """Answers a question once `say`, `finish` or `fail` was called for its words."""

    def __init__(self, source: OracleSource = OracleSource.LLM) -> None:
        self.source = source
        self.model: str | None = "scripted"
        self.requests: list[OracleRequest] = []
        self.ended: list[str] = []
        self.summed_up: list[tuple[Said, ...]] = []
        self._queues: defaultdict[str, asyncio.Queue[str | AnswerFailed | None]] = defaultdict(asyncio.Queue)

    def say(self, words: str, *texts: str) -> None:
        """Stream `texts` as the answer to `words`; leave the stream open."""
        for text in texts:
            self._queues[words].put_nowait(text)

    def finish(self, words: str, *texts: str) -> None:
        """Stream `texts` as the whole answer to `words`."""
        self.say(words, *texts)
        self._queues[words].put_nowait(None)

    def fail(self, words: str, code: str) -> None:
        """Fail to answer `words`."""
        self._queues[words].put_nowait(AnswerFailed(code, "told to"))

    async def summarise(self, flow: Flow, summary: str, turns: tuple[Said, ...]) -> tuple[str, Usage]:
        self.summed_up.append(turns)
        return f"Notes of {len(turns)} turns.", Usage(100, 10)

    async def answer(self, question: OracleRequest) -> AsyncGenerator[AnswerDelta, None]:
        self.requests.append(question)
        queue = self._queues[question.caller_words]
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, AnswerFailed):
                    raise item
                yield AnswerDelta(item, ("fact",))
        finally:
            self.ended.append(question.caller_words)
