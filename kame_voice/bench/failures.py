"""What a caller hears, and how soon, when the language model fails: every way of failing on a real call.

Timed from the caller's last voiced sample to our first voiced one, as the caller's side hears it. Holding
phrases are off, for they would hide what is measured; so are plain answers from the facts, so that each
question really goes to the model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from kame_voice.bench.judge import judge, recall
from kame_voice.bench.messages_server import Mode, messages_process
from kame_voice.bench.questions import Question, QuestionSet, load_questions
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.server import MeasuredServer, serving_process
from kame_voice.bench.systems import unhurried_flows
from kame_voice.caller.caller import PhoneCaller, Script
from kame_voice.caller.clip import CallerVoice, Clip
from kame_voice.caller.listener import Listener
from kame_voice.caller.live import LiveCall
from kame_voice.caller.result import CallResult, Exchange
from kame_voice.caller.twilio_side import CallIdentity

__all__ = ["FAILURES", "Failure", "answered", "failures_report", "run"]

_QUESTIONS: Final = Path(__file__).with_name("questions_systems.yaml")
_UNKNOWN: Final = {
    "harbor-dental": "What university did the doctor go to?",
    "hilltop-cycles": "Can I speak to the owner about a job?",
}
"""No fact answers these: an honest sentence has to."""
_WITHIN_MS: Final = 1_500
_SETTLED_MS: Final = 700
_STALLED_MS: Final = 2_600
"""After a stream that stalls, the rest of the answer may come so much later."""
_SETTINGS: Final = {
    "KAME_FRONT_END": "spoken",
    "KAME_ORACLE": "partial",
    "KAME_ORACLE_FACTS_FIRST": "false",
    # Each failure is to be met, not the breaker that the one before has opened.
    "KAME_BREAKER_FAILURES": "100",
    "KAME_BREAKER_COOL_S": "0.1",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A way of failing. `mode`: of the stand-in for the model; None: it is gone, network and all."""

    name: str
    mode: Mode | None
    stalls: bool = False


FAILURES: Final = (
    Failure("(none)", Mode.NORMAL),
    Failure("429", Mode.RATE_LIMITED),
    Failure("529", Mode.OVERLOADED),
    Failure("no first token", Mode.HANG),
    Failure("stream opened, no token", Mode.SILENT_STREAM),
    Failure("two tokens, then silence", Mode.STALL_EARLY, stalls=True),
    Failure("silence in mid-stream", Mode.STALL, stalls=True),
    Failure("half a JSON", Mode.CUT),
    Failure("nonsense in the stream", Mode.GARBAGE),
    Failure("refusal", Mode.REFUSAL),
    Failure("bad key", Mode.BAD_KEY),
    Failure("network gone", None),
)
_NO_KEY: Final = Failure("no key", None)


@dataclass(slots=True)
class _Line:
    """One line's caller: what is asked under each failure."""

    asked: QuestionSet
    clips: list[Clip]
    result: CallResult | None = None


def run(flows_dir: Path, *, report: Callable[[str], None]) -> Report:
    """Call both sample lines at once, with the model failing in another way at every question."""
    voice, rows = CallerVoice(), []
    with unhurried_flows(flows_dir, holding=False) as flows:
        for failures, key in ((FAILURES, "bench"), ((_NO_KEY,), "")):
            report(f"{len(failures)} ways of failing …" if key else "without a key …")
            lines = _lines(flows, voice, len(failures))
            with ExitStack() as stack:
                model = _Model(stack) if key else None
                settings = {**_SETTINGS, "ANTHROPIC_API_KEY": key}
                if model is not None:
                    settings["ANTHROPIC_BASE_URL"] = model.url
                server = stack.enter_context(serving_process(flows, settings=settings))
                asyncio.run(_call_all(server, lines, failures, model))
                records = [server.record_of(_of(line).call.call_sid) for line in lines]
            # only now: the listener's work must not take the server's core away
            listener = Listener()
            for line, record in zip(lines, records, strict=True):
                listener.transcribe(_of(line))
                rows += answered(line.asked, _of(line), failures, record)
    return failures_report(rows)


class _Model:
    """The stand-in, which can be told how to fail, and taken away."""

    def __init__(self, stack: ExitStack) -> None:
        self._life = stack.enter_context(ExitStack())
        self.url = self._life.enter_context(messages_process())

    def fail(self, failure: Failure) -> None:
        """From now on. Blocks some milliseconds; until the process has ended where it is to be gone."""
        if failure.mode is None:
            self._life.close()
        else:
            httpx.post(f"{self.url}/mode/{failure.mode.value}", trust_env=False).raise_for_status()


def _lines(flows: Path, voice: CallerVoice, count: int) -> list[_Line]:
    lines = []
    for number, one in enumerate(load_questions(flows, _QUESTIONS)):
        unknown = Question(_UNKNOWN[one.flow.line], (), ())
        known = [question for question in one.questions if question.facts]
        # Every other question of a line is one that nobody knows; the lines take turns.
        asked = [unknown if (place + number) % 2 else known[place % len(known)] for place in range(count)]
        questions = QuestionSet(one.to, one.flow, tuple(asked))
        lines.append(_Line(questions, questions.clips(voice)))
    return lines


async def _call_all(
    server: MeasuredServer, lines: list[_Line], failures: tuple[Failure, ...], model: _Model | None
) -> None:
    together = asyncio.Barrier(len(lines))

    async def call(line: _Line, *, leads: bool) -> None:
        script = _script(line, failures, together, model if leads else None)
        identity = CallIdentity("+15550111", line.asked.to)
        line.result = await PhoneCaller(server.server).call(identity, script)

    async with asyncio.TaskGroup() as group:
        for number, line in enumerate(lines):
            group.create_task(call(line, leads=number == 0), name=f"line {number}")


def _script(
    line: _Line, failures: tuple[Failure, ...], together: asyncio.Barrier, model: _Model | None
) -> Script:
    async def script(live: LiveCall) -> None:
        await live.agent_speaks(0)
        await live.agent_silent(_SETTLED_MS)
        for failure, clip in zip(failures, line.clips, strict=True):
            await together.wait()
            if model is not None:
                await asyncio.to_thread(model.fail, failure)
            await together.wait()
            said = await live.say(clip)
            await live.agent_speaks(said.voice_end, within_ms=6_000)
            await live.agent_silent(_STALLED_MS if failure.stalls else _SETTLED_MS)

    return script


def answered(
    asked: QuestionSet, result: CallResult, failures: tuple[Failure, ...], record: dict[str, Any]
) -> list[dict[str, Any]]:
    """A row an answer: how late it was, whether it was right or honest, which codes the call's record has."""
    rows = []
    for failure, question, exchange, until_ms in _exchanges(asked, result, failures):
        heard = exchange.answer_text or ""
        honest = recall(asked.flow.unknown, heard) >= 0.6
        right = judge(heard, asked.answers, question.facts).right if question.facts else honest
        codes = {
            event["data"]["code"]
            for event in record["events"]
            if event["kind"] == "answer-failed" and exchange.start_ms <= event["at_ms"] < until_ms
        }
        rows.append(
            {
                "failure": failure.name,
                "line": asked.flow.line,
                "question": question.ask,
                "gap_ms": None if exchange.gap_ms is None else round(exchange.gap_ms),
                "right": right or honest,
                "codes": sorted(codes),
                "heard": heard,
            }
        )
    return rows


def _exchanges(
    asked: QuestionSet, result: CallResult, failures: tuple[Failure, ...]
) -> Iterator[tuple[Failure, Question, Exchange, float]]:
    ends = [exchange.start_ms for exchange in result.exchanges[1:]] + [float("inf")]
    yield from zip(failures, asked.questions, result.exchanges, ends, strict=False)


def failures_report(rows: list[dict[str, Any]]) -> Report:
    """Rows by failure, with the goal that each answer begins within 1.5 s and is right or honest."""
    report = Report("When the model fails", "kame-voice bench failures")
    for name in dict.fromkeys(row["failure"] for row in rows):
        mine = [row for row in rows if row["failure"] == name]
        gaps = [row["gap_ms"] for row in mine]
        report.rows.append(
            {
                "failure": name,
                "codes on the record": ", ".join(sorted({code for row in mine for code in row["codes"]})),
                "gaps ms": ", ".join("–" if gap is None else str(gap) for gap in gaps),
                "right or honest": f"{sum(row['right'] for row in mine)} of {len(mine)}",
            }
        )
    failed = [row for row in rows if row["failure"] != FAILURES[0].name]
    late = [row for row in failed if row["gap_ms"] is None or row["gap_ms"] > _WITHIN_MS]
    worst = max((row["gap_ms"] for row in failed if row["gap_ms"] is not None), default=None)
    report.goals = [
        Goal(
            "the caller's wait, worst",
            f"≤ {_WITHIN_MS} ms",
            "–" if worst is None else f"{worst} ms",
            not late,
        ),
        Goal(
            "right or honest answers",
            "all",
            f"{sum(row['right'] for row in rows)} of {len(rows)}",
            all(row["right"] for row in rows),
        ),
    ]
    report.notes = [
        f"{row['failure']}: {row['question']!r} → {row['gap_ms']} ms, {row['heard'] or 'nothing'!r}"
        for row in rows
        if row in late or not row["right"]
    ]
    report.data = {"answers": rows}
    return report


def _of(line: _Line) -> CallResult:
    assert line.result is not None
    return line.result
