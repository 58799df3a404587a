"""When the caller's next frame is overdue, so that a late packet becomes silence. Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["GRACE_S", "Metronome"]

GRACE_S: Final = 0.06
"""How late a frame may be before it is taken as lost: three packets of 20 ms."""
_HAND_ON_S: Final = 0.01
"""From a leg that has waited as long as it does to us."""


class Metronome:
    """Deadlines on an absolute clock that follows the carrier's.

    The start is the earliest at which any packet could have been recorded, so network delay that
    all packets share costs nothing. A packet later than the grace moves the clock back by the
    excess: a path that has become slower is followed, not cut into silence for ever.
    All times in seconds of one clock.
    """

    def __init__(self, now: float, grace_s: float = GRACE_S) -> None:
        self._start = now
        self._grace_s = grace_s

    def leg_waits(self, seconds: float) -> None:
        """The leg itself puts in what is missing, `seconds` after its time: wait for that a little longer."""
        self._grace_s = max(GRACE_S, seconds + _HAND_ON_S)

    def heard(self, until_s: float, now: float) -> None:
        """Audio up to media time `until_s` arrived at `now`."""
        lateness = now - (self._start + until_s)
        if lateness < 0:
            self._start += lateness
        elif lateness > self._grace_s:
            self._start += lateness - self._grace_s

    def due(self, until_s: float) -> float:
        """When a frame that ends at media time `until_s` must go on without what is missing."""
        return self._start + until_s + self._grace_s

    def media_s(self, now: float) -> float:
        """The media time that is sounding at the caller's side at `now`."""
        return max(0.0, now - self._start)
