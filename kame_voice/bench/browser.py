"""Calls from browsers: CPU of the leg, late playout, response gap beside the phone's, first sound, memory.

The server is a process of its own; so are the callers, which are aiortc's and run in real time.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from kame_voice.bench.browser_load import LoadOrder, LoadResult
from kame_voice.bench.questions import QuestionSet, load_questions
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.server import MeasuredServer, serving_process
from kame_voice.caller.browser import BrowserCaller
from kame_voice.caller.caller import PhoneCaller
from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.scripts import conversation
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.caller.wire_stats import percentile

__all__ = ["PARTS", "Sizes", "run"]

PARTS: Final = ("load", "gap", "memory")
_RAMP_S: Final = 5.0
_PROCESSES: Final = 2
_LINES: Final = 2
_SETTLED: Final = 0.03
_SETTLED_WITHIN_S: Final = 40.0
_MOST_CORE_PERCENT: Final = 8.0
_MOST_LATE_PERCENT: Final = 1.0
_MOST_FIRST_SOUND_S: Final = 1.5
_MOST_BESIDE_PHONE_MS: Final = 100.0
_WARM_UP_CALLS: Final = 40
"""Pools, caches and the allocator's arenas have their size by then."""
_BATCH: Final = 20
_MOST_KIB_A_CALL: Final = 10.0
"""Twice what a run of a few hundred calls can tell from noise; a leaked peer is 500 KiB and more."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each part is done."""

    calls: int = 8
    seconds: float = 30.0
    questions: int = 4
    memory_calls: int = 200


def run(flows_dir: Path, parts: Sequence[str], sizes: Sizes) -> Report:
    """The parts asked for, in one report."""
    report = Report("Calls from browsers", "kame-voice bench browser")
    if "load" in parts:
        for front_end in ("spoken", "echo"):
            _load(flows_dir, front_end, sizes, report)
    if "gap" in parts:
        _gap(flows_dir, sizes, report)
    if "memory" in parts:
        _memory(flows_dir, sizes, report)
    return report


# CPU and pacing.


def _load(flows_dir: Path, front_end: str, sizes: Sizes, report: Report) -> None:
    """`spoken`: nobody says anything. `echo`: noise both ways without pause, every packet coded."""
    line = load_questions(flows_dir)[0].flow.line
    cores = sorted(os.sched_getaffinity(0))
    settings = {"KAME_FRONT_END": front_end, "KAME_CAPACITY": "32", "KAME_ORACLE": "off"}
    with serving_process(flows_dir, core=cores[0] if len(cores) > 1 else None, settings=settings) as measured:
        idle = _idle(measured)
        orders = [
            LoadOrder(
                measured.server.url,
                line,
                measured.api_token,
                share,
                share,
                sizes.seconds + _RAMP_S + 2,
                front_end == "echo",
            )
            for share in _shares(sizes.calls)
        ]
        callers = [_start(order, cores[1:]) for order in orders]
        time.sleep(_RAMP_S)
        cores_used = _cpu_over(measured, sizes.seconds)
        results = [_result(process) for process in callers]
        time.sleep(1)
        sent, late = (measured.metric(f"kame_outbound_{name}_total") for name in ("frames", "late"))
    _add_load(front_end, sizes.calls, idle, cores_used, results, 100 * late / max(sent, 1), report)


def _add_load(
    front_end: str,
    calls: int,
    idle: float,
    cores_used: float,
    results: list[LoadResult],
    late: float,
    report: Report,
) -> None:
    a_call = 100 * (cores_used - idle) / calls
    received = sum(result.received for result in results)
    failures = [failure for result in results for failure in result.failures]
    heard_late = 100 * sum(result.late for result in results) / max(received, 1)
    report.rows.append(
        {
            "front end": front_end,
            "sound": "silence" if front_end == "spoken" else "noise both ways",
            "calls": calls,
            "core % a call": round(a_call, 2),
            "server core %": round(100 * cores_used, 1),
            "late sent %": round(late, 3),
            "late received %": round(heard_late, 3),
            "jitter p99 ms": percentile([v for r in results for v in r.jitter_ms], 99),
            "lost": sum(result.lost for result in results),
            "callers late p99 ms": percentile([v for r in results for v in r.own_late_ms], 99),
            "failed": len(failures),
        }
    )
    name = f"{calls} calls, {front_end}"
    report.goals += [
        Goal(f"CPU a call, {name}", "≤ 8 % of a core", f"{a_call:.1f} %", a_call <= _MOST_CORE_PERCENT),
        Goal(f"late playout, {name}", "≤ 1 %", f"{late:.2f} %", late <= _MOST_LATE_PERCENT and not failures),
    ]
    report.notes += [f"Failed: {failure}" for failure in failures[:5]]


def _shares(calls: int) -> list[int]:
    return [calls // _PROCESSES + (place < calls % _PROCESSES) for place in range(_PROCESSES)]


def _start(order: LoadOrder, cores: Sequence[int]) -> subprocess.Popen[str]:
    pin = f"import os; os.sched_setaffinity(0, {set(cores)}); " if cores else ""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{pin}from kame_voice.bench.browser_load import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(order)))
    process.stdin.close()
    return process


def _result(process: subprocess.Popen[str]) -> LoadResult:
    assert process.stdout is not None
    with process:
        return LoadResult(**json.loads(process.stdout.read()))


def _cpu_over(measured: MeasuredServer, seconds: float) -> float:
    """Cores used: all threads of the server."""
    before, began = measured.cpu_s(), time.monotonic()
    time.sleep(seconds)
    return (measured.cpu_s() - before) / (time.monotonic() - began)


def _idle(measured: MeasuredServer) -> float:
    """Cores used without a call, once what a fresh server makes ahead is made."""
    deadline = time.monotonic() + _SETTLED_WITHIN_S
    while (used := _cpu_over(measured, 2.0)) > _SETTLED and time.monotonic() < deadline:
        pass
    return used


# Response gap and first sound.


def _gap(flows_dir: Path, sizes: Sizes, report: Report) -> None:
    """The same questions by phone and from the browser, call by call in turn."""
    voice = CallerVoice()
    phone: list[float] = []
    browser: list[float] = []
    first: list[float] = []
    with serving_process(flows_dir, settings={"KAME_FRONT_END": "spoken"}) as measured:
        for asked in load_questions(flows_dir)[:_LINES]:
            part = QuestionSet(asked.to, asked.flow, asked.questions[: sizes.questions])
            script = conversation(part.clips(voice))
            by_phone = asyncio.run(
                PhoneCaller(measured.server).call(CallIdentity("+15550111", asked.to), script)
            )
            by_browser = asyncio.run(_browser(measured).call(asked.flow.line, script))
            phone += by_phone.gaps_ms
            browser += by_browser.call.gaps_ms
            first += [] if by_browser.first_sound_s is None else [by_browser.first_sound_s]
    beside = float(np.median(browser) - np.median(phone)) if phone and browser else float("inf")
    slowest = max(first, default=float("inf"))
    report.goals += [
        Goal(
            "response gap beside the phone's, medians",
            "within 100 ms",
            f"{beside:+.0f} ms ({percentile(browser, 50)} and {percentile(phone, 50)})",
            abs(beside) <= _MOST_BESIDE_PHONE_MS,
        ),
        Goal(
            "offer to the greeting's first sound, worst",
            "≤ 1.5 s",
            f"{slowest:.2f} s",
            slowest <= _MOST_FIRST_SOUND_S,
        ),
    ]
    report.notes.append(
        f"Gaps over {len(browser)} questions from the browser (p90 {percentile(browser, 90)} ms) and "
        f"{len(phone)} by phone (p90 {percentile(phone, 90)} ms), as each caller's side hears them."
    )


def _browser(measured: MeasuredServer) -> BrowserCaller:
    return BrowserCaller(measured.server.url, headers={"Authorization": f"Bearer {measured.api_token}"})


# Memory.


def _memory(flows_dir: Path, sizes: Sizes, report: Report) -> None:
    """Resident memory after each batch of calls, and the slope through it once the server is warm."""
    line = load_questions(flows_dir)[0].flow.line
    points: list[tuple[int, float]] = []
    failures: list[str] = []
    with serving_process(flows_dir, settings={"KAME_FRONT_END": "spoken", "KAME_CAPACITY": "32"}) as measured:
        for done in range(0, _WARM_UP_CALLS + sizes.memory_calls, _BATCH):
            order = LoadOrder(measured.server.url, line, measured.api_token, _BATCH, 5, 1.5, False)
            failures += _result(_start(order, ())).failures
            time.sleep(0.5)
            points.append((done + _BATCH, measured.resident_mib()))
    warm = [(calls, mib) for calls, mib in points if calls >= _WARM_UP_CALLS]
    slope = float(np.polyfit([calls for calls, _ in warm], [mib for _, mib in warm], 1)[0]) * 1024
    report.goals.append(
        Goal(
            f"memory over {sizes.memory_calls} calls made and ended",
            f"≤ {_MOST_KIB_A_CALL:g} KiB a call",
            f"{slope:+.1f} KiB a call ({warm[0][1]:.0f} → {warm[-1][1]:.0f} MiB)",
            slope <= _MOST_KIB_A_CALL and not failures,
        )
    )
    report.notes += [f"Failed: {failure}" for failure in failures[:5]]
    data: list[dict[str, Any]] = [{"calls": calls, "mib": round(mib, 1)} for calls, mib in points]
    report.data["memory"] = data
