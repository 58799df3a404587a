"""Which window is transcribed next: fair between calls, finals first. Pure; knows no threads or models."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from kame_voice.oracle.hearing_window import Hearing, Reason

__all__ = ["DecodeQueue"]

_REPLACEABLE: Final = (Reason.PARTIAL, Reason.PAUSE)


@dataclass(slots=True)
class _Lane:
    """One call's waiting windows and when it was last served."""

    waiting: deque[Hearing] = field(default_factory=deque)
    served: int = 0
    hears_partial: bool = False


class DecodeQueue:
    """The waiting windows of all calls, one lane each.

    A call has at most one window waiting that a newer one of the same turn could replace; windows
    that close a stretch of speech are never dropped. `skipped` counts the replaced ones.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._turns_served = 0
        self.skipped = 0

    def put(self, call_id: str, hearing: Hearing) -> None:
        """Let `hearing` wait in its call's lane, in place of what it makes stale."""
        lane = self._lanes.setdefault(call_id, _Lane(served=self._turns_served))
        fresh = [kept for kept in lane.waiting if not _stale(kept, hearing)]
        self.skipped += len(lane.waiting) - len(fresh)
        lane.waiting = deque([*fresh, hearing])

    def take(self, *, urgent_only: bool = False) -> tuple[str, Hearing] | None:
        """The next window to transcribe; None when there is none.

        What a caller waits for comes before what may change anyway; among equals the call that
        was served longest ago. A call's partials are heard one at a time.
        """
        best: tuple[tuple[bool, int], str, Hearing] | None = None
        for call_id, lane in self._lanes.items():
            if not lane.waiting:
                continue
            hearing = lane.waiting[0]
            partial = hearing.reason is Reason.PARTIAL
            if partial and (urgent_only or lane.hears_partial):
                continue
            key = (partial, lane.served)
            if best is None or key < best[0]:
                best = (key, call_id, hearing)
        if best is None:
            return None
        _, call_id, hearing = best
        lane = self._lanes[call_id]
        lane.waiting.popleft()
        self._turns_served += 1
        lane.served = self._turns_served
        if hearing.reason is Reason.PARTIAL:
            lane.hears_partial = True
        return call_id, hearing

    def done(self, call_id: str, hearing: Hearing) -> None:
        """`hearing`, taken before, has been transcribed."""
        lane = self._lanes.get(call_id)
        if lane and hearing.reason is Reason.PARTIAL:
            lane.hears_partial = False

    def forget(self, call_id: str) -> None:
        """The call is over: nothing of it waits any more."""
        self._lanes.pop(call_id, None)

    def __len__(self) -> int:
        return sum(len(lane.waiting) for lane in self._lanes.values())


def _stale(waiting: Hearing, newer: Hearing) -> bool:
    """A partial is stale once anything newer is there; a pause once the same turn goes on."""
    if waiting.reason not in _REPLACEABLE:
        return False
    same_window = (waiting.turn, waiting.segment) == (newer.turn, newer.segment)
    return waiting.reason is Reason.PARTIAL or same_window
