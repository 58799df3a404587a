"""The phone path alone: what a call costs on the wire, and how many one core carries.

A server with the echo front end on one core, callers on the other. Each caller speaks noise
without pause and hears itself: the worst case for the wire, as every frame is sent both ways.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop
from numpy.typing import NDArray

from kame_voice.bench.load import LoadReport, place_load
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.server import MeasuredServer, serving_process
from kame_voice.caller.errors import ServerUnreachable, StreamRefused
from kame_voice.caller.twilio_side import RATE
from kame_voice.caller.wire_stats import percentile
from kame_voice.core.garbage import spare_what_stays

__all__ = ["run"]

_SETTLE_S: Final = 1.5
"""Calls have begun, but are not measured yet."""
_CAUGHT_UP_S: Final = 4.0
_RAMP_S_A_CALL: Final = 0.05
_BROKEN_JITTER_MS: Final = 20.0
"""A packet's length: beyond it the pacing is lost."""
_HOLES_OF_THE_MACHINE: Final = 2
_SAID_S: Final = 7
_CAPACITY: Final = 2000


@dataclass(slots=True)
class _Load:
    calls: int
    row: dict[str, Any]
    broken: str


def run(
    flows_dir: Path,
    to_number: str,
    steps: Sequence[int],
    seconds: float,
    *,
    recording: bool = False,
    stall_s: float = 0.0,
) -> Report:
    """Load the server with each number of `steps` in turn until it breaks; `seconds` each.

    `stall_s`: it is stopped for so long before it is measured, which shows whether it stays late.
    """
    cores = sorted(os.sched_getaffinity(0))
    server_core = cores[0] if len(cores) > 1 else None
    if len(cores) > 1:
        os.sched_setaffinity(0, set(cores[1:]))
    settings = {
        "KAME_FRONT_END": "echo",
        "KAME_CAPACITY": str(_CAPACITY),
        "KAME_RECORDING": "true" if recording else "false",
    }
    loads: list[_Load] = []
    try:
        for calls in steps:
            # a fresh process each: what one load left behind is not the next one's
            with serving_process(flows_dir, core=server_core, settings=settings) as measured:
                loads.append(uvloop.run(_load(measured, to_number, calls, seconds, stall_s)))
            if loads[-1].broken:
                break
    finally:
        os.sched_setaffinity(0, set(cores))
    return _report(loads, recording)


async def _load(
    measured: MeasuredServer, to_number: str, calls: int, seconds: float, stall_s: float
) -> _Load:
    said = _noise()
    idle = await asyncio.to_thread(_cpu_over, measured, 1.0)
    try:
        placed = await place_load(measured.server, to_number, calls, said, calls * _RAMP_S_A_CALL)
    except (StreamRefused, ServerUnreachable) as refused:
        return _Load(calls, {"calls": calls}, f"not all calls could be set up: {refused}")
    spare_what_stays()
    gc.disable()  # for these seconds: the callers' own collections would look like the server's jitter
    await asyncio.sleep(_SETTLE_S)
    if stall_s:
        measured.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(stall_s)
        measured.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(_CAUGHT_UP_S)
    loop = asyncio.get_running_loop()
    cpu, own_cpu, wall = measured.cpu_s(), _own_cpu_s(), loop.time()
    since = [call.sent * 0.02 for call in placed]
    await asyncio.sleep(seconds)
    cpu, own_cpu, wall = measured.cpu_s() - cpu, _own_cpu_s() - own_cpu, loop.time() - wall
    gc.enable()
    for call in placed:
        call.hang_up()
    reports = [call.report(at, said) for call, at in zip(placed, since, strict=True)]
    row = _row(calls, reports, cpu / wall, own_cpu / wall, idle)
    return _Load(calls, row, _broken(row, seconds))


def _row(
    calls: int, reports: Sequence[LoadReport], cores: float, own_cores: float, idle: float
) -> dict[str, Any]:
    jitter = [value for report in reports for value in report.wire.jitter_ms]
    lead = [value for report in reports for value in report.wire.lead_ms]
    messages = sum(report.wire.messages for report in reports)
    return {
        "calls": calls,
        "CPU-s a call-s": round(cores / calls, 4),
        "server core %": round(100 * cores, 1),
        "idle core %": round(100 * idle, 1),
        "jitter p50 ms": percentile(jitter, 50),
        "jitter p99 ms": percentile(jitter, 99),
        "lead p1 ms": percentile(lead, 1),
        "holes": sum(len(report.wire.holes_ms) for report in reports),
        "late %": round(100 * sum(report.wire.late for report in reports) / max(messages, 1), 3),
        "echo ms": percentile([value for report in reports for value in report.echo_ms], 50),
        "failed": sum(bool(report.failure) for report in reports),
        "callers core %": round(100 * own_cores, 1),
        "callers late p99 ms": percentile([v for report in reports for v in report.own_late_ms], 99),
    }


def _broken(row: dict[str, Any], seconds: float) -> str:
    if row["failed"]:
        return f"{row['failed']} calls lost their socket"
    if row["jitter p99 ms"] is None:
        return "nothing was heard"
    if row["jitter p99 ms"] > _BROKEN_JITTER_MS:
        return f"jitter p99 {row['jitter p99 ms']} ms"
    # a few may be the machine's; more than one a call and minute is the server's
    many = row["holes"] > max(_HOLES_OF_THE_MACHINE, row["calls"] * seconds / 60)
    return f"{row['holes']} audible holes" if many else ""


def _report(loads: Sequence[_Load], recording: bool) -> Report:
    report = Report("The phone path alone", "kame-voice bench phone-path", rows=[load.row for load in loads])
    by_calls = {load.calls: load for load in loads}
    twenty, fifty = by_calls.get(20), by_calls.get(50)
    if twenty and "CPU-s a call-s" in twenty.row:
        cost = 100 * twenty.row["CPU-s a call-s"]
        report.goals.append(Goal("CPU a call at 20 calls", "≤ 1 % of a core", f"{cost:.2f} %", cost <= 1))
    if fifty and fifty.row.get("jitter p99 ms") is not None:
        jitter, holes = fifty.row["jitter p99 ms"], fifty.row["holes"]
        report.goals.append(Goal("jitter p99 at 50 calls", "≤ 10 ms", f"{jitter:g} ms", jitter <= 10))
        report.goals.append(Goal("audible holes at 50 calls", "none", str(holes), not holes))
    echo = next((load.row["echo ms"] for load in loads if load.row.get("echo ms") is not None), None)
    if echo is not None:
        report.goals.append(Goal("echo of the first load", "≤ 180 ms", f"{echo:g} ms", echo <= 180))
    broken = next((load for load in loads if load.broken), None)
    report.notes.append(
        f"Breaks at {broken.calls} calls on one core: {broken.broken}."
        if broken
        else f"Not broken at {loads[-1].calls} calls on one core."
    )
    report.notes.append(f"Recording {'on' if recording else 'off'}; front end echo; one process, one core.")
    report.notes.append(
        "A row whose callers were late themselves says more about the callers than the server."
    )
    return report


def _noise() -> NDArray[np.float32]:
    """Seven seconds of noise within the telephone band, −20 dBFS: no two moments of it are alike."""
    generator = np.random.default_rng(7)
    spectrum = np.fft.rfft(generator.normal(0, 1, RATE * _SAID_S))
    hz = np.fft.rfftfreq(RATE * _SAID_S, 1 / RATE)
    spectrum[(hz < 300) | (hz > 3200)] = 0
    noise: NDArray[np.float64] = np.fft.irfft(spectrum, RATE * _SAID_S)
    scaled: NDArray[np.float32] = (0.1 * noise / noise.std()).astype(np.float32)
    return scaled


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system


def _cpu_over(measured: MeasuredServer, seconds: float) -> float:
    before = measured.cpu_s()
    time.sleep(seconds)
    return (measured.cpu_s() - before) / seconds
