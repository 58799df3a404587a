"""Spoken questions over the wire: how soon the answer comes, and whether it is the right one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kame_voice.bench.judge import held, judge
from kame_voice.bench.questions import QuestionSet, load_questions
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.server import serving_process
from kame_voice.caller.caller import PhoneCaller, Server
from kame_voice.caller.clip import CallerVoice, Clip
from kame_voice.caller.listener import Listener
from kame_voice.caller.result import CallResult
from kame_voice.caller.scripts import conversation
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.caller.wire_stats import percentile

__all__ = ["judged", "run"]

_A_CALL: Final = 8
"""Questions asked in one call."""


@dataclass(frozen=True, slots=True)
class _Batch:
    questions: QuestionSet
    clips: list[Clip]


def run(flows_dir: Path, *, limit: int | None = None, settings: dict[str, str] | None = None) -> Report:
    """Ask every question of `questions.yaml` (or the first `limit` a line), eight a call."""
    voice = CallerVoice()
    batches = []
    for asked in load_questions(flows_dir):
        questions = asked.questions[:limit]
        clips = QuestionSet(asked.to, asked.flow, questions).clips(voice)
        for at in range(0, len(questions), _A_CALL):
            part = QuestionSet(asked.to, asked.flow, questions[at : at + _A_CALL])
            batches.append(_Batch(part, clips[at : at + _A_CALL]))
    with serving_process(flows_dir, settings={"KAME_FRONT_END": "spoken", **(settings or {})}) as measured:
        results = [asyncio.run(_ask(measured.server, batch)) for batch in batches]
        records = [measured.record_of(result.call.call_sid) for result in results]
    # only now: the listener's work must not take the server's core away
    listener = Listener()
    rows: list[dict[str, Any]] = []
    for batch, result in zip(batches, results, strict=True):
        listener.transcribe(result)
        rows += judged(batch.questions, result)
    report = _report(rows, batches, results, settings or {})
    informed = [gap for record in records for gap in record["latency"]["informed_gap_ms"] if gap is not None]
    report.notes.append(
        f"A holding phrase came first in {sum(row['held'] for row in rows)} answers. To the first word of "
        f"the answer itself, by the server's record: median {percentile(informed, 50)} ms, "
        f"p90 {percentile(informed, 90)} ms."
    )
    report.data["records"] = records
    return report


async def _ask(server: Server, batch: _Batch) -> CallResult:
    caller = PhoneCaller(server)
    return await caller.call(CallIdentity("+15550111", batch.questions.to), conversation(batch.clips))


def judged(asked: QuestionSet, result: CallResult) -> list[dict[str, Any]]:
    """One row a question: what was heard, when, and whether it was right."""
    rows = []
    for place, question in enumerate(asked.questions):
        exchange = result.exchanges[place] if place < len(result.exchanges) else None
        heard = (exchange.answer_text if exchange else None) or ""
        verdict = judge(heard, asked.answers, question.facts, question.words)
        rows.append(
            {
                "line": asked.flow.line,
                "question": question.ask,
                "gap_ms": None if exchange is None or exchange.gap_ms is None else round(exchange.gap_ms),
                "right": verdict.right,
                "share": round(verdict.share, 2),
                "best": verdict.best,
                "held": held(heard, asked.flow.holding),
                "heard": heard,
                "detail": result.detail,
            }
        )
    return rows


def _report(
    rows: list[dict[str, Any]], batches: list[_Batch], results: list[CallResult], settings: dict[str, str]
) -> Report:
    gaps = [row["gap_ms"] for row in rows if row["gap_ms"] is not None]
    right = sum(row["right"] for row in rows)
    greetings = [result.greeting_voice_ms for result in results if result.greeting_voice_ms is not None]
    thresholds = {batch.questions.flow.line: batch.questions.flow.turns.end_silence_ms for batch in batches}
    report = Report("Response gap and right answers", "kame-voice bench response")
    report.rows = [
        _line_row(line, [row for row in rows if row["line"] == line], thresholds[line]) for line in thresholds
    ]
    median, late = percentile(gaps, 50), percentile(gaps, 90)
    share = 100 * right / len(rows)
    report.goals = [
        _at_most("response gap, median", median, 600),
        _at_most("response gap, p90", late, 900),
        Goal("right answers", "≥ 90 %", f"{share:.0f} % ({right} of {len(rows)})", share >= 90),
        _at_most("greeting after the start event, worst", max(greetings, default=None), 300),
    ]
    report.notes.append(
        f"{len(rows)} questions, {len(rows) - len(gaps)} without any answer, "
        f"{sum(gap < 0 for gap in gaps)} answered before the caller had finished."
    )
    if settings:
        report.notes.append(f"Settings: {settings}.")
    report.notes += [
        f"Wrong: {row['question']!r} → {row['heard'] or row['detail'] or 'nothing'!r}"
        for row in rows
        if not row["right"]
    ]
    report.data = {"questions": rows, "calls": [result.to_json() for result in results]}
    return report


def _line_row(line: str, rows: list[dict[str, Any]], threshold: int) -> dict[str, Any]:
    gaps = [row["gap_ms"] for row in rows if row["gap_ms"] is not None]
    return {
        "line": line,
        "questions": len(rows),
        "gap median ms": percentile(gaps, 50),
        "gap p90 ms": percentile(gaps, 90),
        "gap max ms": max(gaps, default=None),
        "longest silence ms": threshold,
        "right": sum(row["right"] for row in rows),
    }


def _at_most(name: str, got: float | None, limit: float) -> Goal:
    return Goal(
        name, f"≤ {limit:g} ms", "–" if got is None else f"{got:.0f} ms", got is not None and got <= limit
    )
