"""Five whole conversations at once: all answered, none crossed, no frame late."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from kame_voice.bench.judge import recall
from kame_voice.bench.questions import QuestionSet, load_questions
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.response import judged
from kame_voice.bench.server import serving_process
from kame_voice.caller.caller import PhoneCaller, Server
from kame_voice.caller.clip import CallerVoice, Clip
from kame_voice.caller.listener import Listener
from kame_voice.caller.result import CallResult, Outcome
from kame_voice.caller.scripts import Manners, conversation
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.caller.wire_stats import percentile

__all__ = ["run"]

_HEARD: Final = 0.6
"""Share of an answer's content words that says it was heard."""


def run(flows_dir: Path, *, calls: int = 5, questions: int = 3) -> Report:
    """`calls` callers at once, each with `questions` questions that no other caller asks."""
    shares = _share_out(load_questions(flows_dir), calls, questions)
    voice = CallerVoice()
    clips = [share.clips(voice) for share in shares]
    with serving_process(
        flows_dir, settings={"KAME_FRONT_END": "spoken", "KAME_CAPACITY": str(calls)}
    ) as measured:
        cpu = measured.cpu_s()
        results = asyncio.run(_all_at_once(measured.server, shares, clips))
        cpu = measured.cpu_s() - cpu
        records = [measured.record_of(result.call.call_sid) for result in results]
        late, sent = (
            measured.metric("kame_outbound_late_total"),
            measured.metric("kame_outbound_frames_total"),
        )
    listener = Listener()
    rows: list[dict[str, Any]] = []
    for share, result, record in zip(shares, results, records, strict=True):
        listener.transcribe(result)
        rows.append(_row(len(rows) + 1, share, result, _crossed(share, shares, result, record)))
    return _report(rows, results, late / sent if sent else 0.0, cpu)


def _share_out(sets: list[QuestionSet], calls: int, questions: int) -> list[QuestionSet]:
    """Callers alternate between the lines; every question is asked once."""
    shares = []
    for number in range(calls):
        asked, turn = sets[number % len(sets)], number // len(sets)
        mine = asked.questions[turn * questions : (turn + 1) * questions]
        if len(mine) < questions:
            raise ValueError(f"{asked.flow.line} has not enough questions for {calls} callers")
        shares.append(QuestionSet(asked.to, asked.flow, mine))
    return shares


async def _all_at_once(
    server: Server, shares: list[QuestionSet], clips: list[list[Clip]]
) -> list[CallResult]:
    async def one(number: int) -> CallResult:
        # a little apart, as calls are: the questions then come at all moments of the others
        await asyncio.sleep(0.37 * number)
        identity = CallIdentity(f"+1555012{number:04d}", shares[number].to)
        script = conversation(clips[number], manners=Manners(answer_within_ms=15_000))
        return await PhoneCaller(server).call(identity, script)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number), name=f"caller {number}") for number in range(len(shares))]
    return [task.result() for task in tasks]


def _crossed(
    mine: QuestionSet, shares: list[QuestionSet], result: CallResult, record: dict[str, Any]
) -> list[str]:
    """Answers to other callers' questions that this caller heard, for no words of their own.

    A wrong fact is no cross-talk: there this call's own record has an oracle with that fact, asked
    on what this caller said.
    """
    own = [
        fact
        for oracle in record["oracles"]
        if any(recall(question.ask, oracle["basis"]) >= 0.5 for question in mine.questions)
        for fact in oracle["facts"]
    ]
    heard = " ".join(exchange.answer_text or "" for exchange in result.exchanges)
    return [
        fact
        for other in shares
        if other is not mine
        for question in other.questions
        for fact in question.facts
        if recall(other.answers[fact], heard) >= _HEARD and fact not in own
    ]


def _row(number: int, share: QuestionSet, result: CallResult, crossed: list[str]) -> dict[str, Any]:
    answers = judged(share, result)
    gaps = [row["gap_ms"] for row in answers if row["gap_ms"] is not None]
    return {
        "caller": number,
        "line": share.flow.line,
        "outcome": result.outcome.value,
        "answered": len(gaps),
        "right": sum(row["right"] for row in answers),
        "of": len(answers),
        "crossed": len(crossed),
        "held": sum(row["held"] for row in answers),
        "gap median ms": percentile(gaps, 50),
        "gap max ms": max(gaps, default=None),
        "late %": round(100 * result.wire.late_share, 2),
        "holes": len(result.wire.holes_ms),
        "answers": answers,
    }


def _report(
    rows: list[dict[str, Any]],
    results: list[CallResult],
    late: float,
    cpu: float,
) -> Report:
    report = Report(f"{len(rows)} calls at once", "kame-voice bench concurrent")
    report.rows = [{name: value for name, value in row.items() if name != "answers"} for row in rows]
    asked = sum(row["of"] for row in rows)
    answered = sum(row["answered"] for row in rows)
    right = sum(row["right"] for row in rows)
    crossed = sum(row["crossed"] for row in rows)
    messages = sum(result.wire.messages for result in results)
    heard_late = 100 * sum(result.wire.late for result in results) / max(messages, 1)
    everyone = all(result.outcome is Outcome.ANSWERED for result in results)
    report.goals = [
        Goal("questions answered", "all", f"{answered} of {asked}", everyone and answered == asked),
        Goal("answers of another caller's question", "none", str(crossed), not crossed),
        Goal("late frames, by the server's count", "≤ 1 %", f"{100 * late:.2f} %", late <= 0.01),
        Goal("late frames, as the callers hear", "≤ 1 %", f"{heard_late:.2f} %", heard_late <= 1),
    ]
    seconds = sum(result.duration_ms for result in results) / 1000
    report.notes.append(f"{right} of {asked} answers right; {cpu / seconds:.3f} CPU-seconds a call-second.")
    report.notes.append("Callers and server share the machine's cores.")
    report.data = {"answers": [row["answers"] for row in rows], "calls": [r.to_json() for r in results]}
    return report
