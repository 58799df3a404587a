"""The dashboard over a busy month, through the real server: its first view after a start, and later ones."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from kame_voice.bench.pages import P95_MS, Measured, measure, rows_of, worst_page
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.review_data import fill
from kame_voice.bench.review_store import measured_store
from kame_voice.bench.server import MeasuredServer, NoServer, serving_process
from kame_voice.flows.schema import Flow
from kame_voice.store.archive import Archive

__all__ = ["run"]

_DAYS: Final = 30
_STARTS: Final = 3
_TIMES: Final = 40
_READ: Final = "the dashboard's days are read"
"""What the server's log says once the days are at hand."""
_READ_WITHIN_S: Final = 120.0
_IDS: Final = "d"


def run(
    flows_dir: Path, *, calls: int, folder: Path | None = None, database_url: str | None = None
) -> Report:
    """Fill a month with `calls` calls (or take that of `folder` again), serve it, look at the dashboard.

    Each of three servers is looked at as soon as it is ready, and the last one again and again once it has
    read its days. Raises ForeignCalls, NoServer.
    """

    def fill_month(archive: Archive, flows: Sequence[Flow]) -> None:
        between_s = _DAYS * 86_400 / calls
        newest = datetime.now(UTC) - timedelta(hours=1)
        fill(archive.database, flows, calls, newest=newest, between_s=between_s, prefix=_IDS)

    report = Report(f"The dashboard over {calls:,} calls of {_DAYS} days", "kame-voice bench dashboard")
    month = f"/?from={datetime.now(UTC).date() - timedelta(days=_DAYS)}&to={datetime.now(UTC).date()}"
    with measured_store(
        flows_dir, fill_month, prefix=_IDS, calls=calls, folder=folder, database_url=database_url
    ) as store:
        settings = {
            **store.settings, "KAME_FRONT_END": "echo", "KAME_ORACLE": "off", "KAME_LOG_LEVEL": "info",
        }  # fmt: skip
        first, later, after_s = list[float](), list[float](), list[float]()
        warm: list[Measured] = []
        for number in range(_STARTS):
            with serving_process(flows_dir, settings=settings) as served:
                begun = time.monotonic()
                first += measure(served, "", [month], is_cold=True).times
                _wait_until_read(served)
                after_s.append(time.monotonic() - begun)
                later += measure(served, "", [month], is_cold=True).times
                if number == _STARTS - 1:
                    warm = [measure(served, name, one) for name, one in _addresses().items()]
        report.title += f", {store.name}"
        report.notes += store.notes
    report.rows = rows_of(
        [
            Measured("30 days, as soon as the server is ready", sorted(first)),
            Measured("30 days, first view after the days were read", sorted(later)),
            *warm,
        ]
    )
    report.goals = [
        worst_page(warm),
        Goal(
            "the first view after the days were read",
            f"≤ {P95_MS:g} ms",
            f"{max(later):.0f} ms",
            max(later) <= P95_MS,
        ),
    ]
    report.notes.append(f"Three months were read {statistics.median(after_s):.0f} s after the start.")
    return report


def _addresses() -> Mapping[str, list[str]]:
    today = datetime.now(UTC).date()

    def last(days: int, more: str = "") -> list[str]:
        return [f"/?from={today - timedelta(days=days - 1)}&to={today}{more}"] * _TIMES

    days = [today - timedelta(days=1 + number % (_DAYS - 2)) for number in range(_TIMES)]
    return {
        "today": last(1),
        "7 days": last(7),
        "30 days": last(30),
        "90 days": last(90),
        "30 days of a line": last(30, "&line=harbor-dental"),
        "a day, another each time": [_day(day) for day in days],
    }


def _day(day: date) -> str:
    return f"/?from={day}&to={day}"


def _wait_until_read(served: MeasuredServer) -> None:
    deadline = time.monotonic() + _READ_WITHIN_S
    while _READ not in served.log.read_text(errors="replace"):
        if time.monotonic() > deadline or served.process.poll() is not None:
            raise NoServer("has not read the dashboard's days", where=served.server.url)
        time.sleep(0.2)
