"""One call's place in the engine, as its session sees it: everything here runs on the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

from kame_voice.core.oracle_stream import OracleWrite
from kame_voice.front_end.base import SpokenFrame
from kame_voice.front_end.kame.call_state import CallState, check_frame
from kame_voice.front_end.kame.errors import EngineFaulted
from kame_voice.front_end.kame.runner import Runner
from kame_voice.front_end.kame.script import ForcedScript
from kame_voice.hearing.base import HeardFrame

__all__ = ["KameSlot", "WriteScript"]

_FRAME: Final = 1920

WriteScript = Callable[[str, bool], "Future[ForcedScript]"]
"""(text, interruptible) → its script."""


class KameSlot:
    """See `front_end.base.Slot`. `apologise` yields what the caller hears when the engine has failed.

    Frames come when the engine steps, about every 80 ms while `hear` is fed.
    """

    def __init__(
        self,
        state: CallState,
        runner: Runner,
        write_script: WriteScript,
        apologise: Callable[[], AsyncIterator[SpokenFrame]],
        give_back: Callable[[KameSlot], Awaitable[None]],
    ) -> None:
        self.state = state
        self._runner = runner
        self._write_script = write_script
        self._apologise = apologise
        self._give_back = give_back
        self._ready: deque[SpokenFrame] = deque()
        self._news = asyncio.Event()
        self._fault: EngineFaulted | None = None
        self._released = False
        self._saying: dict[int, asyncio.Future[bool]] = {}
        self._speaking = asyncio.Lock()

    def hear(self, frame: HeardFrame) -> None:
        """See `Slot.hear`. Raises EngineFaulted for a frame that is not 1920 samples long."""
        check_frame(frame, _FRAME)
        self._runner.ask(lambda: self.state.hear(frame))

    def guide(self, write: OracleWrite) -> None:
        """See `Slot.guide`."""
        self._runner.ask(lambda: self.state.guide(write))

    async def say(self, text: str, *, interruptible: bool = True) -> bool:
        """See `Slot.say`. Raises EngineFaulted when the engine fails amid the words."""
        async with self._speaking:
            self._check()
            script = await asyncio.wrap_future(self._write_script(text, interruptible))
        self._check()
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._saying[id(script)] = done
        self._runner.ask(lambda: self.state.say(script))
        try:
            return await done
        finally:
            self._saying.pop(id(script), None)

    async def frames(self) -> AsyncIterator[SpokenFrame]:
        """See `Slot.frames`. A failed engine: an apology, then EngineFaulted."""
        while not self._released:
            waited_for = 1
            while self._ready:
                waiting = len(self._ready) - waited_for
                yield replace(self._ready.popleft(), waiting=waiting)
                waited_for = 0
            if self._fault is not None:
                async for frame in self._apologise():
                    yield frame
                raise self._fault
            self._news.clear()
            await self._news.wait()

    async def release(self) -> None:
        """See `Slot.release`."""
        if not self._released:
            self._released = True
            self._end_sayings()
            self._news.set()
            await self._give_back(self)

    # From the front end.

    def delivered(self, frame: SpokenFrame) -> None:
        """The engine's next frame for this call."""
        if not self._released and self._fault is None:
            self._ready.append(frame)
            self._news.set()

    def said(self, script: ForcedScript, whole: bool) -> None:
        """A script was spoken, or cut short."""
        done = self._saying.get(id(script))
        if done is not None and not done.done():
            done.set_result(whole)

    def fail(self, fault: EngineFaulted) -> None:
        """The engine is gone."""
        self._fault = fault
        for done in self._saying.values():
            if not done.done():
                done.set_exception(fault)
        self._news.set()

    def _end_sayings(self) -> None:
        for done in self._saying.values():
            if not done.done():
                done.set_result(False)

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault
