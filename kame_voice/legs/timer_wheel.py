"""Timers of many calls on one grid: few wake-ups of the process instead of one a packet."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Final

from kame_voice.core.clock import Clock

__all__ = ["GRID_S", "TIMER_SLACK_S", "TimerWheel"]

GRID_S: Final = 0.01
"""A call's packets are 20 ms apart, so that each call's fall on every second tick: two groups of calls."""
TIMER_SLACK_S: Final = 0.001
"""uvloop's timers count whole milliseconds: what is due within one is done now."""
_ROUNDING: Final = 1e-6

Act = Callable[[], None]


class TimerWheel:
    """Calls back at multiples of `grid_s` on `clock`; one timer of the event loop for all of them.

    Nothing is cancelled: who was called in vain finds nothing to do. One a process.
    """

    def __init__(self, clock: Clock, grid_s: float = GRID_S) -> None:
        self._clock = clock
        self._grid_s = grid_s
        self._slots: dict[int, list[Act]] = {}
        self._due: deque[Act] = deque()
        self._next: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    def at(self, moment: float, act: Act) -> None:
        """Call `act` on the first tick that is not before `moment`."""
        slot = math.ceil(moment / self._grid_s - _ROUNDING)
        acts = self._slots.get(slot)
        if acts is not None:
            acts.append(act)
            return
        self._slots[slot] = [act]
        if self._next is None or slot < self._next:
            self._arm(slot)

    def _arm(self, slot: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = slot
        wait_s = max(0.0, slot * self._grid_s - self._clock())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._turn)

    def _turn(self) -> None:
        self._next = self._timer = None
        reached = math.floor((self._clock() + TIMER_SLACK_S) / self._grid_s + _ROUNDING)
        for slot in sorted(slot for slot in self._slots if slot <= reached):
            self._due += self._slots.pop(slot)
        try:
            while self._due:
                self._due.popleft()()
        finally:
            # where one of them raised, the others' clocks go on
            if self._due:
                self._arm(reached)
            elif self._slots:
                self._arm(min(self._slots))
