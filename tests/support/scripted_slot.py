"""A slot that says what it is told, five words a second, as a tone: no model, no thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import numpy as np

from kame_voice.core.oracle_stream import OracleWrite
from kame_voice.front_end.base import SpokenFrame, SpokenWord
from kame_voice.hearing.base import BargedIn, HeardFrame

__all__ = ["ScriptedSlot"]

FRAME = 480
_FRAMES_A_WORD = 10
_TONE = (0.1 * np.sin(2 * np.pi * 400 / 24_000 * np.arange(FRAME))).astype(np.float32)
_SILENCE = np.zeros(FRAME, np.float32)


class ScriptedSlot:
    """Keeps what it heard and was guided with; `say` is spoken frame by frame as it is pulled."""

    def __init__(self) -> None:
        self.heard: list[HeardFrame] = []
        self.writes: list[OracleWrite] = []
        self.said: list[str] = []
        self.released = False
        self._queue: deque[SpokenFrame | asyncio.Future[bool]] = deque()
        self._interruptible: deque[bool] = deque()
        self._utterance = -1
        self._cut = False

    def hear(self, frame: HeardFrame) -> None:
        self.heard.append(frame)
        if any(isinstance(event, BargedIn) for event in frame.events):
            self._interrupt()

    def guide(self, write: OracleWrite) -> None:
        self.writes.append(write)

    async def say(self, text: str, *, interruptible: bool = True) -> bool:
        self.said.append(text)
        self._utterance += 1
        for word in text.split():
            spoken = (SpokenWord(word, self._utterance, verbatim=True),)
            for number in range(_FRAMES_A_WORD):
                last = number == _FRAMES_A_WORD - 1
                self._queue.append(SpokenFrame(_TONE, spoken if last else (), speaking=True))
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.append(done)
        return await done

    async def frames(self) -> AsyncIterator[SpokenFrame]:
        while not self.released:
            while self._queue and isinstance(self._queue[0], asyncio.Future):
                future = self._queue.popleft()
                assert isinstance(future, asyncio.Future)
                if not future.done():
                    future.set_result(True)
            frame = self._queue.popleft() if self._queue else SpokenFrame(_SILENCE)
            assert isinstance(frame, SpokenFrame)
            if self._cut:
                self._cut = False
                frame = SpokenFrame(_SILENCE, cut=True)
            yield frame

    async def release(self) -> None:
        self.released = True

    def _interrupt(self) -> None:
        for entry in self._queue:
            if isinstance(entry, asyncio.Future) and not entry.done():
                entry.set_result(False)
        self._queue.clear()
        self._cut = True
