"""Opening hours as people write them: `09:00-17:00`, `9-17`, `8:30 am to 1 pm`, `closed`, lists of those.

Turns text into what the schema's `Hours` is built from; knows no days and no time zones.
"""

from __future__ import annotations

import re
from datetime import time
from typing import Any, Final

__all__ = ["read_day", "read_time"]

_TIME: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2})(?::00)?)?\s*([ap])?\.?(m)?\.?", re.IGNORECASE | re.ASCII)
_DASH: Final = re.compile(r"\s*(?:-|–|—|\bto\b|\buntil\b)\s*", re.IGNORECASE)
_CLOSED: Final = frozenset({"closed", "", "none"})


def read_time(value: Any) -> Any:
    """A `time` for a text such as 09:00, 9, 9:30 pm or 24:00 (kept as 23:59); other types unchanged.

    Raises ValueError for a text that is no time of day.
    """
    if not isinstance(value, str):
        return value
    match = _TIME.fullmatch(value.strip())
    if match is None or bool(match[3]) != bool(match[4]):
        raise ValueError(f"{value!r} is not a time of day, such as 09:00 or 17:30")
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{value!r} is not a time of day, such as 9:30 am")
        hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
    if (hour, minute) == (24, 0):
        return time(23, 59)
    if hour > 23 or minute > 59:
        raise ValueError(f"{value!r} is not a time of day; hours go to 23, minutes to 59")
    return time(hour, minute)


def read_day(value: Any) -> Any:
    """A day's stretches as a list of mappings for one stretch, a list of them, or `closed`.

    Raises ValueError for a text that is none of these.
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in _CLOSED):
        return ()
    if isinstance(value, str) and "," in value:
        value = value.split(",")
    stretches = value if isinstance(value, (list, tuple)) else [value]
    return tuple(_stretch(stretch) for stretch in stretches)


def _stretch(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    ends = _DASH.split(value.strip())
    if len(ends) != 2:
        raise ValueError(f"{value!r} is not opening hours, such as 09:00-17:00, or closed")
    return {"opens": read_time(ends[0]), "closes": read_time(ends[1])}
