"""A front end without a model: what is heard is said again. For line tests and the phone path's benchmark."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from kame_voice.core.nouns import CallInfo, Pcm
from kame_voice.core.oracle_stream import OracleWrite
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import NoFreeSlot, SpokenFrame
from kame_voice.hearing.base import HeardFrame

__all__ = ["EchoFrontEnd"]

_FRAME: Final = 1920
"""80 ms, the frame of the GPU front end, so that the phone path is measured as it is used."""
_WAITING: Final = 2
"""Frames that may wait to be said; when the leg falls behind, older ones are dropped."""


class _EchoSlot:
    """Says each frame as soon as it was heard: the echo lags by the frame's own length."""

    def __init__(self, released: Callable[[], None]) -> None:
        self._heard: deque[Pcm] = deque(maxlen=_WAITING)
        self._wake = asyncio.Event()
        self._released = False
        self._tell_released = released

    def hear(self, frame: HeardFrame) -> None:
        if not self._released:
            self._heard.append(frame.pcm)
            self._wake.set()

    def guide(self, write: OracleWrite) -> None:
        """An echo knows no answers."""

    async def say(self, text: str, *, interruptible: bool = True) -> bool:
        """An echo has no words of its own: nothing is said, and nothing is left unsaid."""
        return True

    async def frames(self) -> AsyncIterator[SpokenFrame]:
        while not self._released:
            waited_for = 1
            while self._heard:
                waiting = len(self._heard) - waited_for
                yield SpokenFrame(self._heard.popleft(), speaking=True, waiting=waiting)
                waited_for = 0
            self._wake.clear()
            await self._wake.wait()

    async def release(self) -> None:
        if self._released:
            return
        self._released = True
        self._heard.clear()
        self._wake.set()
        self._tell_released()


class EchoFrontEnd:
    """`capacity` slots that loop the caller's audio back, 80 ms later."""

    frame_samples = _FRAME
    ready = True

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._taken = 0

    @property
    def free(self) -> int:
        """Slots that are not taken."""
        return self.capacity - self._taken

    async def take_slot(self, call: CallInfo, flow: Flow) -> _EchoSlot:
        """See `FrontEnd.take_slot`."""
        if self.free <= 0:
            raise NoFreeSlot(
                f"all {self.capacity} slots are taken", where="front end", do="raise KAME_CAPACITY"
            )
        self._taken += 1
        return _EchoSlot(self._slot_released)

    async def warm(self, flows: Iterable[Flow]) -> None:
        """See `FrontEnd.warm`: an echo needs nothing made ready."""

    async def run(self) -> None:
        """Nothing runs beside the calls."""
        await asyncio.get_running_loop().create_future()

    def _slot_released(self) -> None:
        self._taken -= 1
