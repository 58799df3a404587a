"""How late a packet may come and still be waited for: as late as this path's packets do come. Pure."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["LONGEST_S", "SHORTEST_S", "LateWindow"]

SHORTEST_S: Final = 0.05
"""On a good path: what a hole costs there in delay."""
LONGEST_S: Final = 0.15
"""A caller hears our answer so much later at the worst, after a lost packet."""
_STEP_S: Final = 0.01
_STEPS: Final = round(LONGEST_S / _STEP_S)
_IN_TIME: Final = 0.98
"""The share of packets that shall come within the window; the rest is concealed."""
_FORGET: Final = 0.998
"""A packet's weight fades by this with each one after it: half of it in 7 s."""


class LateWindow:
    """A fading histogram of how late packets were; the window holds nearly all of them.

    Two of a hundred may miss it, so that one stall does not slow the call down. `seconds`: the window.
    """

    def __init__(self) -> None:
        self._weights = [0.0] * (_STEPS + 1)
        self.seconds = SHORTEST_S

    def came(self, late_s: float) -> bool:
        """A packet came `late_s` after the earliest moment it could have; whether that moved the window."""
        weights = self._weights = [weight * _FORGET for weight in self._weights]
        weights[min(max(math.floor(late_s / _STEP_S), 0), _STEPS)] += 1.0
        rest = sum(weights) * (1.0 - _IN_TIME)
        step = _STEPS
        while step > 0 and (rest := rest - weights[step]) >= 0:
            step -= 1
        # the upper edge of the step that is needed, and one more for our own timers
        before, self.seconds = self.seconds, min(max((step + 2) * _STEP_S, SHORTEST_S), LONGEST_S)
        return self.seconds != before
