"""What can be said of a business's opening hours, for any question about them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kame_voice.flows.schema import Hours, Weekday
from kame_voice.oracle.spoken_time import DAY_NAMES, WEEKDAYS, say_hours, say_time, say_week
from kame_voice.oracle.words import spoken_words

__all__ = ["answer_opening", "days_asked", "is_open", "open_line"]

_Week = dict[Weekday, tuple[Hours, ...]]
_NAMED: Final[dict[str, Weekday]] = {name.lower(): day for day, name in DAY_NAMES.items()}
_YES_NO: Final = frozenset(("are", "is", "do", "does", "will", "can", "could", "so", "open", "closed"))
_NOW: Final = (("now",), ("right", "now"), ("still", "open"), ("at", "the", "moment"), ("currently",))


def days_asked(question: str, now: datetime) -> list[Weekday]:
    """The weekdays that `question` names, in its order; today and tomorrow by `now`."""
    days: list[Weekday] = []
    for word in spoken_words(question):
        named = _NAMED.get(word) or _NAMED.get(word.removesuffix("s"))
        if named:
            days.append(named)
        elif word in ("today", "tonight"):
            days.append(WEEKDAYS[now.weekday()])
        elif word == "tomorrow":
            days.append(WEEKDAYS[(now.weekday() + 1) % 7])
        elif word in ("weekend", "weekends"):
            days += ["sat", "sun"]
    return list(dict.fromkeys(days))


def is_open(week: _Week, now: datetime) -> bool:
    """Whether the business is open at its local time `now`."""
    return _stretch_at(week, now) is not None


def open_line(week: _Week, now: datetime) -> str:
    """ "We are open right now, until five …" or when it opens again."""
    current = _stretch_at(week, now)
    if current:
        return f"we are open right now, until {say_time(current.closes)}."
    return f"we are closed right now.{_opens_again(week, now)}"


def answer_opening(question: str, week: _Week, now: datetime) -> str:
    """The answer to a question about the opening hours: of the days it names, of now, or of the week."""
    words = spoken_words(question)
    days = days_asked(question, now)
    doubts_closed = "closed" in words and "open" not in words
    yes_no = bool(words) and (words[0] in _YES_NO or " ".join(words).find("you open") >= 0 or doubts_closed)
    yes_no = yes_no and not {"when", "what", "until", "till", "late", "early", "long"} & set(words)
    if not days and _asks_now(words):
        line = open_line(week, now)
        return _with_yes(line, is_open(week, now) != doubts_closed) if yes_no else _capital(line)
    if not days:
        return say_week(week)
    if len(days) > 1:
        return " ".join(_day_line(day, week, now) for day in days)
    day = days[0]
    line = _day_line(day, week, now)
    if yes_no:
        line = _with_yes(line[0].lower() + line[1:], bool(week.get(day)) != doubts_closed)
    if not week.get(day):
        at = now + timedelta(days=(WEEKDAYS.index(day) - now.weekday()) % 7)
        line += _opens_again(week, at.replace(hour=23, minute=59), by_name=True)
    return line


def _day_line(day: Weekday, week: _Week, now: datetime) -> str:
    today = WEEKDAYS[now.weekday()] == day
    stretches = week.get(day, ())
    when = f"On {DAY_NAMES[day]}"
    if today:
        when = "Today"
    return f"{when} we are open {say_hours(stretches)}." if stretches else f"{when} we are closed."


def _with_yes(line: str, yes: bool) -> str:
    return f"{'Yes' if yes else 'No'}, {line}"


def _capital(line: str) -> str:
    return line[0].upper() + line[1:]


def _asks_now(words: list[str]) -> bool:
    return any(tuple(words[at : at + len(phrase)]) == phrase for phrase in _NOW for at in range(len(words)))


def _stretch_at(week: _Week, now: datetime) -> Hours | None:
    at = now.time()
    today = week.get(WEEKDAYS[now.weekday()], ())
    return next((hours for hours in today if hours.opens <= at < hours.closes), None)


def _opens_again(week: _Week, now: datetime, *, by_name: bool = False) -> str:
    for ahead in range(8):
        day = WEEKDAYS[(now.weekday() + ahead) % 7]
        opens = [hours.opens for hours in week.get(day, ()) if ahead or hours.opens > now.time()]
        if opens:
            named = f"on {DAY_NAMES[day]}"
            when = named if by_name else {0: "today", 1: "tomorrow"}.get(ahead, named)
            return f" We open again {when} at {say_time(min(opens))}."
    return ""
