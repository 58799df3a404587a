"""The sound of a running call for whoever listens in: both sides, bounded, and never waited for.

The session hands over what it hears and plays. While nobody listens that costs one look at an empty
list, and some 5 µs a frame and listener otherwise; the mixing is the listener's own work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.core.nouns import SAMPLE_RATE, Pcm, samples_to_ms

__all__ = ["CallSound", "Listening"]

_BACKLOG: Final = 2 * SAMPLE_RATE
"""Caller's samples that may wait for one listener; what is older by then is thrown away."""
_BLOCK: Final = SAMPLE_RATE // 25
"""Samples that are handed out together at least, 40 ms, unless the call is over."""

_Wave = NDArray[np.int16]


class CallSound:
    """Both sides of one call. `caller`, `agent`, `cut` and `close` are the session's."""

    def __init__(self) -> None:
        self._listeners: list[Listening] = []

    @property
    def listeners(self) -> int:
        """How many listen in."""
        return len(self._listeners)

    def caller(self, pcm: Pcm, at_sample: int) -> None:
        """What the caller said, [n] at 24 kHz, from `at_sample` of the media clock on."""
        if self._listeners:
            wave = _wave(pcm)
            for listener in self._listeners:
                listener.caller(wave, at_sample)

    def agent(self, pcm: Pcm, at_sample: int) -> None:
        """What the agent says, as it will sound at the caller's side."""
        if self._listeners:
            wave = _wave(pcm)
            for listener in self._listeners:
                listener.agent(wave, at_sample)

    def cut(self, at_sample: int) -> None:
        """The agent's sound from `at_sample` on was thrown away and will not be heard."""
        for listener in self._listeners:
            listener.cut(at_sample)

    def close(self) -> None:
        """The call is over."""
        for listener in self._listeners:
            listener.close()

    @contextlib.contextmanager
    def listen(self) -> Iterator[Listening]:
        """The call's sound from now on."""
        listener = Listening()
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)


class Listening:
    """One listener: an async iterator of int16 blocks [n, 2], caller left and agent right, 24 kHz.

    Follows the caller's side of the media clock, so both sides stay together; ends with the call.
    `lost_ms`: how much was thrown away because this listener was slow.
    """

    def __init__(self) -> None:
        self._caller: deque[tuple[int, _Wave]] = deque()
        self._agent: deque[tuple[int, _Wave]] = deque()
        self._waiting = 0
        self._lost = 0
        self._over = False
        self._news = asyncio.Event()

    @property
    def lost_ms(self) -> int:
        """Sound thrown away so far."""
        return samples_to_ms(self._lost)

    def caller(self, wave: _Wave, at_sample: int) -> None:
        """See `CallSound.caller`."""
        self._caller.append((at_sample, wave))
        self._waiting += len(wave)
        while self._waiting > _BACKLOG:
            _, oldest = self._caller.popleft()
            self._waiting -= len(oldest)
            self._lost += len(oldest)
        until = self._caller[0][0]
        while self._agent and self._agent[0][0] + len(self._agent[0][1]) <= until:
            self._agent.popleft()
        self._news.set()

    def agent(self, wave: _Wave, at_sample: int) -> None:
        """See `CallSound.agent`."""
        self._agent.append((at_sample, wave))

    def cut(self, at_sample: int) -> None:
        """See `CallSound.cut`."""
        kept = ((at, wave[: at_sample - at]) for at, wave in self._agent if at < at_sample)
        self._agent = deque(kept)

    def close(self) -> None:
        """No more will come."""
        self._over = True
        self._news.set()

    def __aiter__(self) -> AsyncIterator[_Wave]:
        return self

    async def __anext__(self) -> _Wave:
        while self._waiting < _BLOCK and not self._over:
            self._news.clear()
            await self._news.wait()
        if not self._caller:
            raise StopAsyncIteration
        frames, self._caller, self._waiting = self._caller, deque(), 0
        return np.concatenate([self._mixed(at, wave) for at, wave in frames])

    def _mixed(self, at: int, caller: _Wave) -> _Wave:
        block = np.zeros((len(caller), 2), np.int16)
        block[:, 0] = caller
        for start, wave in self._agent:
            begin, end = max(start, at), min(start + len(wave), at + len(caller))
            if begin < end:
                block[begin - at : end - at, 1] = wave[begin - start : end - start]
        return block


def _wave(pcm: Pcm) -> _Wave:
    return np.clip(pcm * 32767, -32768, 32767).astype("<i2")
