"""A recording as the caller, and what was said to it as samples: for tests and the command line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np

from kame_voice.audio.wav import read_audio
from kame_voice.core.clock import Clock, monotonic
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.legs.base import CallerAudio, LegClosed, LegEvent, MarkHeard

__all__ = ["WavLeg"]

_PACKET_S: Final = 0.02
_PACKET: Final = SAMPLE_RATE // 50
_LEAD_PACKETS: Final = 2
_SILENCE: Final[Pcm] = np.zeros(_PACKET, np.float32)


class WavLeg:
    """Sends `pcm` [n, 24 kHz] in 20 ms packets, then silence for `linger_s`, then hangs up.

    Each packet heard from the caller is also 20 ms played to it, so `events` drives both ways.
    `clock` and `sleep` pace it: with their own, tests run it as fast as they like.
    """

    def __init__(
        self,
        pcm: Pcm,
        *,
        linger_s: float = 0.0,
        clock: Clock = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        padding = -len(pcm) % _PACKET + round(linger_s / _PACKET_S) * _PACKET
        self._pcm = np.concatenate([pcm, np.zeros(padding, np.float32)])
        self._clock = clock
        self._sleep = sleep
        self._queue: deque[Pcm | str] = deque()
        self._queued = 0
        self._played: list[Pcm] = []
        self._players: list[asyncio.Future[None]] = []
        self._closed = False
        self._ended_by_us = False

    @classmethod
    def of_file(cls, path: Path, *, linger_s: float = 0.0) -> WavLeg:
        """A leg from any audio file, in real time. Raises AudioFileError."""
        return cls(read_audio(path), linger_s=linger_s)

    @property
    def heard(self) -> Pcm:
        """What the caller was played so far [n, 24 kHz], from the answer on, pauses included."""
        return np.concatenate(self._played) if self._played else np.zeros(0, np.float32)

    async def events(self) -> AsyncIterator[LegEvent]:
        """See `Leg.events`. The recording's end is a hang-up by the caller."""
        answered = self._clock()
        for at_sample in range(0, len(self._pcm), _PACKET):
            packet = self._pcm[at_sample : at_sample + _PACKET]
            recorded = answered + (at_sample + _PACKET) / SAMPLE_RATE
            await self._sleep(max(0.0, recorded - self._clock()))
            if self._ended_by_us:
                break
            yield CallerAudio(packet, at_sample)
            for name in self._play_one():
                yield MarkHeard(name)
        self._closed = True
        self._release_players()
        reason: Literal["hung_up", "ended_by_us"] = "ended_by_us" if self._ended_by_us else "hung_up"
        yield LegClosed(reason)

    def _play_one(self) -> list[str]:
        """20 ms pass at the caller's side; the marks that come right after them."""
        packet = _SILENCE
        if self._queue and not isinstance(head := self._queue[0], str):
            packet = head
            self._queue.popleft()
            self._queued -= 1
        self._played.append(packet)
        marks = []
        while self._queue and isinstance(mark := self._queue[0], str):
            self._queue.popleft()
            marks.append(mark)
        if self._queued < _LEAD_PACKETS:
            self._release_players()
        return marks

    async def play(self, pcm: Pcm, marks: Sequence[str] = ()) -> int:
        """See `Leg.play`. Raises ValueError when `pcm` is not whole packets of 480 samples."""
        if len(pcm) % _PACKET:
            raise ValueError(f"{len(pcm)} samples are not a multiple of {_PACKET} (20 ms)")
        at_sample = (len(self._played) + self._queued) * _PACKET
        if self._closed:
            return at_sample
        self._queue.extend(pcm[start : start + _PACKET] for start in range(0, len(pcm), _PACKET))
        self._queue.extend(marks)
        self._queued += len(pcm) // _PACKET
        if self._queued >= _LEAD_PACKETS:
            player = asyncio.get_running_loop().create_future()
            self._players.append(player)
            await player
        return at_sample

    async def clear(self) -> set[str]:
        """See `Leg.clear`."""
        unheard = {item for item in self._queue if isinstance(item, str)}
        self._queue.clear()
        self._queued = 0
        self._release_players()
        return unheard

    async def hang_up(self) -> None:
        """See `Leg.hang_up`."""
        self._ended_by_us = True

    def _release_players(self) -> None:
        players, self._players = self._players, []
        for player in players:
            if not player.done():
                player.set_result(None)
