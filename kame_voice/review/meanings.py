"""Computes what open questions mean, beside the calls: a few at a time, on a thread, off everybody's path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from kame_voice.review.unanswered import pack
from kame_voice.store.errors import StoreError
from kame_voice.store.questions import QuestionStore

__all__ = ["Meanings"]

_BATCH: Final = 16
"""About 0.1 s of one core."""
_IDLE_S: Final = 5.0
_BREATH_S: Final = 0.2

log = structlog.get_logger()


class Meanings:
    """`embed` turns sentences into unit vectors [n, 384]; it may be called from any thread."""

    def __init__(
        self, questions: QuestionStore, embed: Callable[[list[str]], NDArray[np.float32]], threads: Executor
    ) -> None:
        """`threads` do the work."""
        self._questions = questions
        self._embed = embed
        self._threads = threads

    async def run(self) -> None:
        """Go on for as long as the process runs; a database that fails is tried again."""
        while True:
            try:
                done = await asyncio.get_running_loop().run_in_executor(self._threads, self.round)
            except StoreError as error:
                log.warning("open questions are not being read", code=error.code, error=str(error))
                done = 0
            await asyncio.sleep(_BREATH_S if done else _IDLE_S)

    def round(self) -> int:
        """Compute and store some vectors; how many. Blocks."""
        questions = self._questions.without_vector(_BATCH)
        if questions:
            vectors: Sequence[NDArray[np.float32]] = list(self._embed([one.text for one in questions]))
            packed = {one.key: pack(vector) for one, vector in zip(questions, vectors, strict=True)}
            self._questions.keep_vectors(questions, packed)
        return len(questions)
