"""The review's pages over years of calls, through the real server; and an hour's call in a real Chromium."""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import httpx

from kame_voice.bench.report import Goal, Report
from kame_voice.bench.review_browser import BrowserFigures, in_chromium
from kame_voice.bench.review_data import LONG_CALL, fill, put_long_call
from kame_voice.bench.server import MeasuredServer, serving_process
from kame_voice.flows.folder import flow_paths
from kame_voice.flows.loader import load_flow
from kame_voice.store.archive import Archive

__all__ = ["run"]

_TIMES: Final = 40
"""Requests of each kind, each with other values."""
_P95_MS: Final = 150.0
_LONG: Final = "one call of 600 turns"
"""Has a goal of its own, in the browser."""
_OPEN_MS: Final = 1000.0
_NEWEST: Final = date(2026, 11, 1)
_MONTH: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Milliseconds from request to the last byte of the page, in order."""

    name: str
    times: list[float]

    def at(self, share: float) -> float:
        """The time that so large a share of requests took at most."""
        return self.times[min(len(self.times) - 1, int(len(self.times) * share))]


def run(flows_dir: Path, *, calls: int, folder: Path | None = None, chromium: str | None = None) -> Report:
    """Fill a database with `calls` calls (or take that of `folder` again), serve it, look at its pages.

    The server is a process of its own with the front end `echo`. `chromium`: the browser's path.
    """
    report = Report(f"Reviewing {calls:,} calls", "kame-voice bench review")
    with _filled(flows_dir, calls, folder) as (data_dir, filled_s):
        settings = {"KAME_DATA_DIR": str(data_dir), "KAME_FRONT_END": "echo", "KAME_ORACLE": "off"}
        with serving_process(flows_dir, settings=settings) as served:
            measured = [_measure(served, name, addresses) for name, addresses in _addresses().items()]
            figures = in_chromium(served, f"/calls/{LONG_CALL}", chromium)
    report.rows = [
        {
            "page": one.name,
            "p50 ms": round(one.at(0.5), 1),
            "p95 ms": round(one.at(0.95), 1),
            "max ms": round(one.times[-1], 1),
        }
        for one in measured
    ]
    worst = max((one for one in measured if one.name != _LONG), key=lambda one: one.at(0.95))
    report.goals.append(
        Goal(
            "a page's p95",
            f"≤ {_P95_MS:g} ms",
            f"{worst.at(0.95):.0f} ms ({worst.name})",
            worst.at(0.95) <= _P95_MS,
        )
    )
    if filled_s is not None:
        report.notes.append(f"Filling took {filled_s:.0f} s.")
    _tell_browser(report, figures)
    return report


@contextlib.contextmanager
def _filled(flows_dir: Path, calls: int, folder: Path | None) -> Iterator[tuple[Path, float | None]]:
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kame-review-")))
        if (place / "kame.db").exists():
            yield place, None
            return
        flows = [load_flow(path) for path in flow_paths(flows_dir)]
        archive = Archive.open(f"sqlite:///{place / 'kame.db'}", place)
        try:
            begun = time.monotonic()
            fill(archive.database, flows, calls)
            put_long_call(archive.database, archive.recordings, flows[0])
            took_s = time.monotonic() - begun
        finally:
            archive.close()
        yield place, took_s


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
        "one call": [f"/calls/b{chance.randint(0, 999):07}" for _ in range(_TIMES)],
        _LONG: [f"/calls/{LONG_CALL}"] * _TIMES,
    }


def _measure(served: MeasuredServer, name: str, addresses: list[str]) -> _Measured:
    headers = {"Authorization": f"Bearer {served.api_token}", "Accept": "text/html"}
    times = []
    with httpx.Client(base_url=served.server.url, headers=headers, trust_env=False, timeout=30) as http:
        http.get(addresses[0]).raise_for_status()  # the connection, and what is read into memory once
        for address in addresses:
            begun = time.perf_counter()
            http.get(address).raise_for_status()
            times.append((time.perf_counter() - begun) * 1000)
    return _Measured(name, sorted(times))


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
