"""The days that the dashboard shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

__all__ = ["LONGEST_DAYS", "Period", "period_of"]

LONGEST_DAYS: Final = 366
_USUAL_DAYS: Final = 7
_EARLIEST: Final = date(2000, 1, 1)
_LATEST: Final = date(2200, 1, 1)
"""Far from the ends of the calendar, where days cannot be added."""


@dataclass(frozen=True, slots=True)
class Period:
    """`first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        if self.days == 1:
            return _spoken(self.first)
        return f"{_spoken(self.first)} to {_spoken(self.last)}"


def period_of(first: date | None, last: date | None, today: date) -> Period:
    """What was asked for, put right: the last seven days by default, a year at most, never backwards."""
    first, last = (day if day is None else min(max(day, _EARLIEST), _LATEST) for day in (first, last))
    if first is not None and last is not None and first > last:
        first, last = last, first
    if first is None:
        last = last or today
        first = last - timedelta(days=_USUAL_DAYS - 1)
    elif last is None:
        last = max(first, today)
    return Period(max(first, last - timedelta(days=LONGEST_DAYS - 1)), last)


def _spoken(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
