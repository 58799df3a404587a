"""Round numbers for axes, and how figures are written. Pure."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["duration", "gridlines", "percent"]

_STEPS: Final = (1, 2, 2.5, 5, 10)


def gridlines(highest: float, wanted: int = 4) -> list[float]:
    """About `wanted` round numbers from 0 up to at least `highest`, whole ones."""
    rough = max(highest, 1) / wanted
    magnitude = 10 ** math.floor(math.log10(rough))
    step = max(1.0, next(factor * magnitude for factor in _STEPS if factor * magnitude >= rough))
    step = math.ceil(step)
    return [step * number for number in range(math.ceil(max(highest, 1) / step) + 1)]


def percent(part: float, whole: float) -> str:
    """`part` of `whole`, rounded so that only nothing is 0 % and only all is 100 %."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1 %"
    if 99 < share < 100:
        return ">99 %"
    return f"{share:.0f} %"


def duration(seconds: float) -> str:
    """Seconds as people say them: 48 s, 12 min, 3.4 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
