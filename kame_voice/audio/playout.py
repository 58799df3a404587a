"""When each outbound 20 ms frame goes out: an absolute clock with a bounded lead. Pure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

__all__ = ["FRAME_S", "MAX_LEAD_S", "Playout"]

FRAME_S: Final = 0.02
"""The telephone network's packet."""

MAX_LEAD_S: Final = 0.095
"""With the 5 ms that a timer may be late: 100 ms. More would make an interruption deaf."""

_TIMER_S: Final = 0.005
"""A frame this little late, as timers are, moves no clock; else lateness would add up over a call."""

_LATE_S: Final = 0.02
_SENT_PAUSE: Final = 5
"""Silent frames in a row that are still sent, so that short pauses keep the lead."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Queued(Generic[T]):
    message: T
    seconds: float
    silent: bool
    pushed_at: float


class Playout(Generic[T]):
    """The far side's buffer, modelled: what it holds, and when it wants more.

    The far side plays what it gets back to back, and is silent when it has nothing. `ends_at` is
    when it will have played everything up to the head of the queue. A frame is due so that at
    most `lead_s` of audio lies in its buffer. A frame that goes out after `ends_at` found the
    buffer empty and plays at once, so the clock restarts there: after idle time, an underrun or
    a stall of ours the lead is what it was, and while audio flows the clock never drifts.

    `cushion_s`: audio after idle time or an underrun starts this much later, so that a producer
    that is no faster than real time may be that late without a hole. `grid_s`: the clock starts
    on a multiple of this, so that the frames of many calls go out in few wake-ups of the process.

    A silent frame that follows `_SENT_PAUSE` others is not sent but takes its 20 ms all the same:
    the buffer runs empty ("dry"). What follows it waits for its own time without any lead; sent
    earlier it would play earlier and swallow the pause. Then the lead builds up again at once.

    All times in seconds of one clock.
    """

    def __init__(self, lead_s: float = 0.04, *, cushion_s: float = 0.0, grid_s: float = 0.0) -> None:
        if not FRAME_S <= lead_s <= MAX_LEAD_S:
            raise ValueError(f"lead_s is {lead_s}, must be within {FRAME_S}..{MAX_LEAD_S}")
        self.lead_s = lead_s
        self._cushion_s = cushion_s
        self._grid_s = grid_s
        self.sent_frames = 0
        self.late_frames = 0
        self.queued_frames = 0
        self._queue: deque[_Queued[T]] = deque()
        self._ends_at = float("-inf")
        self._dry = True
        self._silent_run = _SENT_PAUSE

    @property
    def queued_s(self) -> float:
        """Seconds of audio that wait here."""
        return self.queued_frames * FRAME_S

    @property
    def busy(self) -> bool:
        """Something waits here."""
        return bool(self._queue)

    def push(self, message: T, now: float, *, silent: bool = False) -> float:
        """Queue one 20 ms frame; returns when it will start to sound at the far side."""
        if not self._queue and self._ends_at < now:
            self._restart(now + self._cushion_s)
        plays_at = self._ends_at + self.queued_s
        self._queue.append(_Queued(message, FRAME_S, silent, now))
        self.queued_frames += 1
        return plays_at

    def push_mark(self, message: T, now: float) -> None:
        """Queue a message without length, to go out once all audio before it has gone out."""
        self._queue.append(_Queued(message, 0.0, False, now))

    def due(self) -> float | None:
        """When the next message must go out; None when nothing waits."""
        if not self._queue:
            return None
        head = self._queue[0]
        ahead = 0.0 if self._dry else self.lead_s - head.seconds
        return max(self._ends_at - ahead, head.pushed_at)

    def take(self, now: float) -> T | None:
        """The next message if it is due at `now`; call again until None."""
        while (due := self.due()) is not None and due <= now:
            item = self._queue.popleft()
            if not item.seconds:
                return item.message
            self.queued_frames -= 1
            self._silent_run = self._silent_run + 1 if item.silent else 0
            if self._silent_run > _SENT_PAUSE:
                self._ends_at += FRAME_S
                self._dry = True
                continue
            self.sent_frames += 1
            if now - due > _LATE_S:
                self.late_frames += 1
            if now > self._ends_at + _TIMER_S:
                self._ends_at = self._on_grid(now)
            self._ends_at += FRAME_S
            self._dry = False
            return item.message
        return None

    def clear(self, now: float) -> None:
        """Drop the queue; the far side's buffer has been emptied too."""
        self._queue.clear()
        self.queued_frames = 0
        self._ends_at = now
        self._dry = True
        self._silent_run = _SENT_PAUSE

    def _on_grid(self, moment: float) -> float:
        return math.ceil(moment / self._grid_s) * self._grid_s if self._grid_s else moment

    def _restart(self, moment: float) -> None:
        self._ends_at = self._on_grid(moment)
        self._dry = True
        self._silent_run = _SENT_PAUSE
