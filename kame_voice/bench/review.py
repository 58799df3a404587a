"""The review's pages over years of calls, through the real server; and an hour's call in a real Chromium."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from kame_voice.bench.pages import measure, rows_of, worst_page
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.review_browser import BrowserFigures, in_chromium
from kame_voice.bench.review_data import LONG_CALL, fill, put_long_call, put_long_recording
from kame_voice.bench.review_store import measured_store
from kame_voice.bench.server import serving_process
from kame_voice.flows.schema import Flow
from kame_voice.store.archive import Archive
from kame_voice.store.recordings import RecordingStore

__all__ = ["run"]

_TIMES: Final = 40
"""Requests of each kind, each with other values."""
_IDS: Final = "b"
_LONG: Final = "one call of 600 turns"
"""Has a goal of its own, in the browser."""
_OPEN_MS: Final = 1000.0
_NEWEST: Final = date(2026, 11, 1)
_MONTH: Final = timedelta(days=30)


def run(
    flows_dir: Path,
    *,
    calls: int,
    folder: Path | None = None,
    database_url: str | None = None,
    chromium: str | None = None,
) -> Report:
    """Fill a database with `calls` calls (or take what was filled before), serve it, look at its pages.

    The server is a process of its own with the front end `echo`. `chromium`: the browser's path. Raises
    ForeignCalls, NoServer.
    """

    def fill_years(archive: Archive, flows: Sequence[Flow]) -> None:
        fill(archive.database, flows, calls)
        put_long_call(archive.database, flows[0])

    report = Report(f"Reviewing {calls:,} calls", "kame-voice bench review")
    with measured_store(
        flows_dir, fill_years, prefix=_IDS, calls=calls, folder=folder, database_url=database_url
    ) as store:
        put_long_recording(RecordingStore(Path(store.settings["KAME_DATA_DIR"]) / "recordings"))
        settings = {**store.settings, "KAME_FRONT_END": "echo", "KAME_ORACLE": "off"}
        with serving_process(flows_dir, settings=settings) as served:
            measured = [measure(served, name, addresses) for name, addresses in _addresses().items()]
            figures = in_chromium(served, f"/calls/{LONG_CALL}", chromium)
        report.title += f", {store.name}"
        report.notes += store.notes
    report.rows = rows_of(measured)
    report.goals.append(worst_page([one for one in measured if one.name != _LONG]))
    _tell_browser(report, figures)
    return report


def _addresses() -> Mapping[str, list[str]]:
    """What reviewers ask for, each time with another value."""
    chance = random.Random(3)
    days = [_NEWEST - timedelta(days=chance.randint(1, 400)) for _ in range(_TIMES)]
    words = ("holidays", "parking", "insurance", "reference", "appointment", "the", "wheelchairs", "brakes")
    flags = ("unanswered", "barge_in", "failure", "ungrounded")
    lines = ("harbor-dental", "hilltop-cycles")

    def each(make: str, *values: object) -> list[str]:
        return [make.format(values[number % len(values)]) for number in range(_TIMES)]

    return {
        "list": ["/calls"] * _TIMES,
        "list, a line": each("/calls?line={}", *lines),
        "list, a flag": each("/calls?flag={}", *flags),
        "list, a flag and a line": each("/calls?line=hilltop-cycles&flag={}", *flags),
        "list, a status": each("/calls?status={}", "failed", "dropped", "interrupted"),
        "list, a day": [f"/calls?since={day}&until={day}" for day in days],
        "list, part of a number": [f"/calls?caller={chance.randint(0, 9999):04}" for _ in range(_TIMES)],
        "search, a common word": each("/calls?text={}", *words),
        "search, a rare number": [f"/calls?text={chance.randint(10_000, 99_999)}" for _ in range(_TIMES)],
        "search, a phrase": each("/calls?text=%22{}%22", "public holidays", "new patients", "flat tire"),
        "search, a word in a line and a month": [
            f"/calls?text={words[n % len(words)]}&line={lines[n % 2]}&since={first}&until={first + _MONTH}"
            for n, first in enumerate(days)
        ],
        "search, nothing found": each("/calls?text=the+{}", "xylophone", "zeppelin"),
        "dashboard, a month, another each time": [f"/?from={day}&to={day + _MONTH}" for day in days],
        "dashboard, the same month": [f"/?from={_NEWEST - _MONTH}&to={_NEWEST}"] * _TIMES,
        "one call": [f"/calls/b{chance.randint(0, 999):07}" for _ in range(_TIMES)],
        _LONG: [f"/calls/{LONG_CALL}"] * _TIMES,
    }


def _tell_browser(report: Report, figures: BrowserFigures | None) -> None:
    if figures is None:
        report.notes.append("Nothing was measured in a browser: that needs Playwright and Chromium.")
        return
    waveform = f"its waveform after {figures.drawn_ms:.0f}"
    frames = f"median {figures.frame_ms:.1f} ms, p95 {figures.frame_p95_ms:.1f} ms"
    report.goals += [
        Goal(
            "a call of 60 minutes and 600 turns opens, median of 5",
            f"≤ {_OPEN_MS:g} ms",
            f"{figures.loaded_ms:.0f} ms (worst {figures.worst_loaded_ms:.0f}, {waveform})",
            figures.loaded_ms <= _OPEN_MS,
        ),
        Goal(
            "it scrolls: frames over 50 ms",
            "≤ 5 %",
            f"{figures.slow_frames:.1%} ({frames})",
            figures.slow_frames <= 0.05,
        ),
    ]
    report.data["browser"] = {name: getattr(figures, name) for name in BrowserFigures.__slots__}
