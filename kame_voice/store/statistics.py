"""What the calls of some days come to: counts, minutes, response gaps, oracles. For the dashboard."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kame_voice.store.database import Database
from kame_voice.store.day import OUTCOMES, DayColumns, bounds_of, count_day, joined, read_day
from kame_voice.store.errors import explain

__all__ = ["Count", "Statistics", "StatisticsReader"]

_DAYS_KEPT: Final = 800
_STEP_S: Final = 1800
"""Local days and hours begin at whole or half hours of UTC (Nepal and the Chathams: a quarter off)."""

_WIDER_THAN_A_GAP: Final = 1 << 32
"""In ms. Gaps may be negative: half of it belongs to either side."""


@dataclass(slots=True)
class Count:
    """What some calls come to. `gaps_ms` sorted; `outcomes` of their oracles; `unanswered` questions."""

    calls: int = 0
    answered: int = 0
    talk_s: float = 0.0
    unanswered: int = 0
    gaps_ms: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def missed(self) -> int:
        """Calls that nobody answered: turned away, or gone before the answer."""
        return self.calls - self.answered

    def gap_ms(self, percentile: float) -> float | None:
        """That percentile of the response gaps."""
        return float(np.percentile(self.gaps_ms, percentile)) if len(self.gaps_ms) else None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The calls of `days`, each day as its line's own clock has it.

    `by_hour` has the 24 hours where one day was asked for, and is empty otherwise. `peak`: most
    calls at the same moment.
    """

    days: tuple[date, ...]
    total: Count
    by_line: dict[str, Count]
    by_day: dict[date, Count]
    by_hour: dict[int, Count]
    peak: int


class StatisticsReader:
    """Counts calls. Days that are over are read once and kept as columns, some 30 bytes a call.

    Methods block, and may be called from any thread.
    """

    def __init__(
        self,
        database: Database,
        zone_of: Callable[[str], ZoneInfo],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`zone_of`: the time zone of a line."""
        self._database = database
        self._zone_of = zone_of
        self._now = now
        self._kept: OrderedDict[date, DayColumns] = OrderedDict()
        self._lock = threading.Lock()

    def between(
        self,
        first: date,
        last: date,
        *,
        customers: Collection[str] | None = None,
        line: str | None = None,
    ) -> Statistics:
        """The calls of `first` to `last`, both included: of these customers (None: all), of one line.

        Raises the StoreErrors of a database that cannot be read.
        """
        days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
        # A local day reaches into the neighbouring days of UTC.
        columns = self._read([first - timedelta(days=1), *days, last + timedelta(days=1)])
        return _Counting(columns, days, self._zone_of, customers, line).statistics()

    def keep(self, day: date) -> None:
        """Have this day of UTC at hand, where it is over. Raises as `between` does."""
        self._read([day])

    def _read(self, days: list[date]) -> list[DayColumns]:
        now = self._now()
        try:
            with Session(self._database.engine) as session:
                return [self._day(session, day, now) for day in days if bounds_of(day)[0] <= now]
        except (SQLAlchemyError, OSError) as error:
            raise explain(error, self._database.where) from error

    def _day(self, session: Session, day: date, now: datetime) -> DayColumns:
        with self._lock:
            kept = self._kept.get(day)
        if kept is not None and count_day(session, day) == len(kept):
            return kept
        columns = read_day(session, day, now)
        with self._lock:
            self._kept.pop(day, None)
            if columns.settled:
                self._kept[day] = columns
            while len(self._kept) > _DAYS_KEPT:
                self._kept.popitem(last=False)
        return columns


class _Counting:
    """One answer: which calls count, and to which line, local day and hour each belongs."""

    def __init__(
        self,
        columns: list[DayColumns],
        days: tuple[date, ...],
        zone_of: Callable[[str], ZoneInfo],
        customers: Collection[str] | None,
        line: str | None,
    ) -> None:
        self._days = days
        self._zone_of = zone_of
        self._lines: list[str] = []
        self._seen: dict[tuple[str, int], tuple[int, int]] = {}
        self._all = joined(columns)
        calls = len(self._all)
        self._line = np.full(calls, -1, np.int64)
        self._day = np.full(calls, -1, np.int64)
        self._hour = np.full(calls, -1, np.int64)
        for number, (name, customer) in enumerate(self._all.names):
            if (customers is None or customer in customers) and line in (None, name):
                self._place(name, np.flatnonzero(self._all.name == number))
        self._line[self._day < 0] = -1
        self._hour[self._day < 0] = -1

    def statistics(self) -> Statistics:
        by_line = zip(self._lines, self._grouped(self._line, len(self._lines)), strict=True)
        hours = range(24) if len(self._days) == 1 else range(0)
        return Statistics(
            days=self._days,
            total=self._grouped(np.minimum(self._day, 0), 1)[0],
            by_line={name: count for name, count in sorted(by_line, key=lambda one: one[0]) if count.calls},
            by_day=dict(zip(self._days, self._grouped(self._day, len(self._days)), strict=True)),
            by_hour=dict(zip(hours, self._grouped(self._hour, 24), strict=False)),
            peak=self._peak(),
        )

    def _place(self, name: str, mine: NDArray[np.int64]) -> None:
        if name not in self._lines:
            self._lines.append(name)
        steps, where = np.unique(self._all.began[mine] // _STEP_S, return_inverse=True)
        local = np.array([self._local(name, int(step)) for step in steps], np.int64).reshape(-1, 2)
        self._line[mine] = self._lines.index(name)
        self._day[mine], self._hour[mine] = local[where, 0], local[where, 1]

    def _local(self, line: str, step: int) -> tuple[int, int]:
        found = self._seen.get((line, step))
        if found is None:
            there = datetime.fromtimestamp(step * _STEP_S, self._zone_of(line))
            number = (there.date() - self._days[0]).days
            found = self._seen[line, step] = (number if number < len(self._days) else -1, there.hour)
        return found

    def _grouped(self, group: NDArray[np.int64], groups: int) -> list[Count]:
        """A count for each of `groups`; `group` is each call's, negative where it does not count."""
        these = group >= 0
        mine = group[these]

        def summed(values: NDArray[Any]) -> NDArray[np.float64]:
            return np.bincount(mine, values[these].astype(np.float64), minlength=groups).astype(np.float64)

        calls = np.bincount(mine, minlength=groups)
        answered, talk_s = summed(self._all.answered), summed(self._all.talk_s)
        unanswered = summed(self._all.unanswered)
        outcomes = [summed(self._all.outcomes[:, at]) for at in range(len(OUTCOMES))]
        gaps = self._all.gaps.astype(np.int64)
        # Sorted by group and then by length, as one number each: five times as quick as a lexsort.
        keys = np.sort(group[self._all.gap_call] * _WIDER_THAN_A_GAP + gaps)
        edges = np.searchsorted(keys, np.arange(groups + 1) * _WIDER_THAN_A_GAP - _WIDER_THAN_A_GAP // 2)
        return [
            Count(
                calls=int(calls[at]),
                answered=int(answered[at]),
                talk_s=float(talk_s[at]),
                unanswered=int(unanswered[at]),
                gaps_ms=(keys[edges[at] : edges[at + 1]] - at * _WIDER_THAN_A_GAP).astype(np.float64),
                outcomes={name: int(one[at]) for name, one in zip(OUTCOMES, outcomes, strict=True)},
            )
            for at in range(groups)
        ]

    def _peak(self) -> int:
        talked = (self._day >= 0) & (self._all.talk_s > 0)
        began = self._all.began[talked]
        moments = np.concatenate([began, began + self._all.talk_s[talked]])
        change = np.repeat(np.array([1, -1]), len(began))
        # Where one call ends as another begins, the end comes first.
        order = np.lexsort((change, moments))
        return int(np.cumsum(change[order]).max(initial=0))
