"""One day's calls as columns, read once and then counted in memory. Days here are UTC's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Float, Text, cast, extract, func, select
from sqlalchemy.orm import Session

from kame_voice.store.rows import UNFINISHED
from kame_voice.store.tables import Call

__all__ = ["OUTCOMES", "DayColumns", "bounds_of", "count_day", "joined", "read_day"]

_T = TypeVar("_T", bound=np.generic)

OUTCOMES: Final = ("adopted", "superseded", "cancelled", "failed")
"""What became of oracles, in the order of `DayColumns.outcomes`' columns."""


@dataclass(frozen=True, slots=True)
class DayColumns:
    """The calls that began on one day, [n] each; `gaps` is [m] with the call of each in `gap_call`.

    `names`: (line, customer) pairs, which `name` indexes. `began`: seconds since 1970; `talk_s`: 0
    where nobody answered. `settled`: nothing of that day will change, unless a call is deleted.
    """

    names: tuple[tuple[str, str], ...]
    name: NDArray[np.int32]
    began: NDArray[np.float64]
    talk_s: NDArray[np.float64]
    answered: NDArray[np.bool_]
    unanswered: NDArray[np.int32]
    outcomes: NDArray[np.int32]
    gaps: NDArray[np.float64]
    gap_call: NDArray[np.int32]
    settled: bool

    def __len__(self) -> int:
        return len(self.began)


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """The day's first moment and the next day's."""
    begins = datetime.combine(day, time(), UTC)
    return begins, begins + timedelta(days=1)


def count_day(session: Session, day: date) -> int:
    """How many calls began on `day`; reads an index only."""
    begins, ends = bounds_of(day)
    query = select(func.count()).where(Call.started_at >= begins, Call.started_at < ends)
    return session.scalar(query) or 0


def read_day(session: Session, day: date, now: datetime) -> DayColumns:
    """All calls of `day`, whoever's. About 6 µs a call."""
    begins, ends = bounds_of(day)
    rows = session.execute(
        select(
            Call.line,
            Call.customer,
            Call.status,
            _seconds(session),
            Call.answered_at.is_not(None),
            func.coalesce(Call.duration_ms, 0),
            # As text, all of a day parsed at once: a third of the time.
            cast(Call.response_gap_ms, Text),
            Call.unanswered,
            cast(Call.oracle_outcomes, Text),
            Call.summarised | Call.summary_error.is_not(None),
        ).where(Call.started_at >= begins, Call.started_at < ends)
    ).all()
    return _columns(rows, over=now >= ends)


def _seconds(session: Session) -> ColumnElement[float]:
    """When the call was answered, or came, in seconds since 1970; SQLite's `epoch` has whole ones only."""
    at = func.coalesce(Call.answered_at, Call.started_at)
    if session.get_bind().dialect.name == "sqlite":
        return (func.julianday(at, type_=Float) - 2440587.5) * 86400.0
    return cast(extract("epoch", at), Float)


def _columns(rows: Sequence[Any], *, over: bool) -> DayColumns:
    names = tuple(dict.fromkeys((row[0], row[1]) for row in rows))
    place = {pair: number for number, pair in enumerate(names)}
    answered = np.array([row[4] for row in rows], bool)
    gaps = _parsed(row[6] for row in rows)
    outcomes = _parsed(row[8] for row in rows)
    return DayColumns(
        names=names,
        name=np.array([place[row[0], row[1]] for row in rows], np.int32),
        # To the hundredth: a Julian day is no finer, and one call's end must not overlap the next's begin.
        began=np.array([row[3] for row in rows], np.float64).round(2),
        talk_s=np.array([row[5] for row in rows], np.float64) / 1000 * answered,
        answered=answered,
        unanswered=np.array([row[7] for row in rows], np.int32),
        outcomes=np.array(
            [[(one or {}).get(name, 0) for name in OUTCOMES] for one in outcomes], np.int32
        ).reshape(len(rows), len(OUTCOMES)),
        gaps=np.fromiter(chain.from_iterable(one or () for one in gaps), np.float64),
        gap_call=np.repeat(np.arange(len(rows), dtype=np.int32), [len(one or ()) for one in gaps]),
        settled=over and all(row[9] and row[2] not in UNFINISHED for row in rows),
    )


def _parsed(values: Iterable[str | None]) -> list[Any]:
    parsed: list[Any] = json.loads(f"[{','.join(value or 'null' for value in values)}]")
    return parsed


def joined(days: Sequence[DayColumns]) -> DayColumns:
    """Several days as one."""
    names = tuple(dict.fromkeys(name for day in days for name in day.names))
    place = {name: number for number, name in enumerate(names)}
    starts = np.cumsum([0, *map(len, days)])

    def one(parts: Iterable[NDArray[_T]], empty: NDArray[_T]) -> NDArray[_T]:
        return np.concatenate([empty, *parts])

    return DayColumns(
        names=names,
        name=one(
            (np.array([place[name] for name in day.names], np.int32)[day.name] for day in days if len(day)),
            np.zeros(0, np.int32),
        ),
        began=one((day.began for day in days), np.zeros(0)),
        talk_s=one((day.talk_s for day in days), np.zeros(0)),
        answered=one((day.answered for day in days), np.zeros(0, bool)),
        unanswered=one((day.unanswered for day in days), np.zeros(0, np.int32)),
        outcomes=one((day.outcomes for day in days), np.zeros((0, len(OUTCOMES)), np.int32)),
        gaps=one((day.gaps for day in days), np.zeros(0)),
        gap_call=one(
            (day.gap_call + np.int32(start) for day, start in zip(days, starts, strict=False)),
            np.zeros(0, np.int32),
        ),
        settled=all(day.settled for day in days),
    )
