"""Times of day and opening hours as a voice says them. Pure."""

from __future__ import annotations

from datetime import time
from itertools import groupby
from typing import Final

from kame_voice.flows.schema import Hours, Weekday
from kame_voice.oracle.words import number_words

__all__ = ["DAY_NAMES", "WEEKDAYS", "say_hours", "say_time", "say_week"]

WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES: Final[dict[Weekday, str]] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


def say_time(at: time) -> str:
    """13:00 → "one in the afternoon", 08:30 → "half past eight in the morning", 12:00 → "noon"."""
    if at.minute == 0 and at.hour in (0, 12):
        return "noon" if at.hour else "midnight"
    part = "morning" if at.hour < 12 else "afternoon" if at.hour < 18 else "evening"
    hour = number_words(at.hour % 12 or 12)
    if at.minute == 0:
        clock = hour
    elif at.minute == 30:
        clock = f"half past {hour}"
    elif at.minute < 10:
        clock = f"{hour} oh {number_words(at.minute)}"
    else:
        clock = f"{hour} {number_words(at.minute)}"
    return f"{clock} in the {part}"


def say_hours(stretches: tuple[Hours, ...]) -> str:
    """ "from nine in the morning to noon and from two to six": a day's stretches."""
    ordered = sorted(stretches, key=lambda hours: hours.opens)
    return " and ".join(f"from {say_time(one.opens)} to {say_time(one.closes)}" for one in ordered)


def say_week(hours: dict[Weekday, tuple[Hours, ...]]) -> str:
    """The whole week, days with the same hours together, and what is closed."""
    runs = [(list(days), stretches) for stretches, days in groupby(WEEKDAYS, lambda day: hours.get(day, ()))]
    open_runs = [f"{_days(days)} {say_hours(stretches)}" for days, stretches in runs if stretches]
    closed = [_days(days) for days, stretches in runs if not stretches]
    said = f"We are open {_listed(open_runs)}." if open_runs else "We are closed all week."
    return f"{said} We are closed {_listed(closed)}." if open_runs and closed else said


def _days(days: list[Weekday]) -> str:
    names = [DAY_NAMES[day] for day in days]
    if len(names) == 7:
        return "every day"
    return f"{names[0]} to {names[-1]}" if len(names) > 2 else f"on {' and '.join(names)}"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])}, and {items[-1]}"
