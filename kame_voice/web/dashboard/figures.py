"""The dashboard's charts and figures, made of counts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from kame_voice.store.statistics import Count, Statistics
from kame_voice.web.dashboard.charts import Column, Marker, Part, columns, share

__all__ = ["OUTCOME_KINDS", "as_json", "calls_chart", "gap_chart", "outcome_chart", "when_rows"]

_BIN_MS: Final = 50
_LAST_BIN_MS: Final = 2_000
OUTCOME_KINDS: Final = {"adopted": "good", "superseded": "plain", "cancelled": "faint", "failed": "bad"}
"""Outcome of an oracle → the class it is drawn with."""


@dataclass(frozen=True, slots=True)
class When:
    """A day, or an hour of one, with what its calls come to."""

    label: str
    name: str
    count: Count


def when_rows(statistics: Statistics) -> list[When]:
    """The days, or the hours where one day was asked for."""
    if statistics.by_hour:
        return [
            When(f"{hour}h", f"{hour:02}:00 to {hour:02}:59", count)
            for hour, count in statistics.by_hour.items()
        ]
    return [
        When(f"{day.day} {day:%b}" if place == 0 or day.day == 1 else f"{day.day}", _weekday(day), count)
        for place, (day, count) in enumerate(statistics.by_day.items())
    ]


def calls_chart(statistics: Statistics) -> Markup:
    """Answered and missed calls over time."""
    rows = when_rows(statistics)
    unit = "hour" if statistics.by_hour else "day"
    busiest = max(rows, key=lambda row: row.count.calls, default=None)
    says = f"{_calls(statistics.total.calls)}, {statistics.total.missed} of them missed."
    if busiest is not None and busiest.count.calls:
        says += f" Most on one {unit}: {busiest.count.calls}, {busiest.name}."
    data = [
        Column(
            row.label,
            f"{row.name}: {row.count.answered} answered, {row.count.missed} missed",
            (row.count.answered, row.count.missed),
        )
        for row in rows
    ]
    return columns(f"Calls by {unit}", says, data, ("accent", "warn"))


def gap_chart(count: Count) -> Markup:
    """How the response gaps are spread, with median and ninetieth percentile."""
    bins = list(_bins(count.gaps_ms))
    first = bins[0][0] if bins else 0
    markers = [
        Marker((min(gap, _LAST_BIN_MS + _BIN_MS) - first) / _BIN_MS, f"{name} {gap:.0f} ms")
        for name, gap in (("median", count.gap_ms(50)),)
        if gap is not None
    ]
    data = [
        Column(f"{edge / 1000:g}", f"{edge} to {edge + _BIN_MS} ms: {number}", (number,))
        for edge, number in bins
    ]
    says = "No turn of a caller's was answered."
    if len(count.gaps_ms):
        says = (
            f"{len(count.gaps_ms)} response gaps: half of them under {count.gap_ms(50):.0f} ms, "
            f"nine in ten under {count.gap_ms(90):.0f} ms."
        )
    return columns("Response gaps in seconds", says, data, ("accent",), markers, labels_at_edges=True)


def outcome_chart(count: Count) -> Markup:
    """What became of the candidate answers."""
    parts = [Part(name, count.outcomes.get(name, 0), kind) for name, kind in OUTCOME_KINDS.items()]
    says = ", ".join(f"{part.value:g} {part.name}" for part in parts)
    return share("Outcomes of candidate answers", f"{says}.", parts)


def as_json(count: Count) -> dict[str, Any]:
    """A count as the API tells it."""
    return {
        "calls": count.calls,
        "answered": count.answered,
        "missed": count.missed,
        "minutes": round(count.talk_s / 60, 2),
        "unanswered_questions": count.unanswered,
        "response_gap_ms": {
            f"p{percentile}": None if gap is None else round(gap)
            for percentile in (50, 90, 99)
            for gap in (count.gap_ms(percentile),)
        },
        "oracles": count.outcomes,
    }


def _bins(gaps: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Lower edge in ms and how many, without holes; the last one holds everything from there on."""
    if not len(gaps):
        return
    places = np.clip(np.floor(gaps / _BIN_MS), -10, _LAST_BIN_MS // _BIN_MS).astype(int)
    first, last = min(0, int(places.min())), max(20, int(places.max()))
    counts: Sequence[int] = np.bincount(places - first, minlength=last - first + 1).tolist()
    yield from ((edge * _BIN_MS, number) for edge, number in zip(range(first, last + 1), counts, strict=True))


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"


def _weekday(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B}"
