"""When the model fails: what is made of a call on which it failed in another way at every question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kame_voice.bench.failures import FAILURES, answered, failures_report
from kame_voice.bench.messages_server import Mode
from kame_voice.bench.questions import Question, QuestionSet
from kame_voice.caller.result import CallResult, Exchange, Outcome
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.flows.loader import load_flow

FLOW = load_flow(Path(__file__).parents[2] / "flows" / "harbor-dental.yaml")
PARKING = next(fact.answer for fact in FLOW.facts if fact.id == "parking")


def row(gap_ms: int | None, *, failure: str = "429", right: bool = True) -> dict[str, Any]:
    return {
        "failure": failure,
        "question": "?",
        "gap_ms": gap_ms,
        "right": right,
        "codes": ["x"],
        "heard": "",
    }


def test_every_way_of_failing_that_a_caller_could_meet_is_tried() -> None:
    modes = {failure.mode for failure in FAILURES}
    assert {
        Mode.BAD_KEY,
        Mode.RATE_LIMITED,
        Mode.OVERLOADED,
        Mode.HANG,
        Mode.STALL,
        Mode.CUT,
        Mode.REFUSAL,
        None,
    } <= modes


def test_an_answer_is_told_by_its_wait_its_rightness_and_the_codes_of_its_time() -> None:
    questions = (Question("Parking?", ("parking",), ()), Question("Which university?", (), ()))
    result = CallResult(CallIdentity("+15550111", "+15550100"), Outcome.ANSWERED)
    result.exchanges = [
        Exchange("Parking?", 0, 1000, 480.2, answer_text=PARKING),
        Exchange("Which university?", 6000, 7000, 1290.0, answer_text=FLOW.unknown),
    ]
    record = {
        "events": [
            {"kind": "answer-failed", "at_ms": 1300, "data": {"code": "rate-limited"}},
            {"kind": "answer-late", "at_ms": 8000, "data": {}},
            {"kind": "answer-failed", "at_ms": 8200, "data": {"code": "first-token-late"}},
        ]
    }
    failures = (FAILURES[1], FAILURES[3])
    known, unknown = answered(QuestionSet("+15550100", FLOW, questions), result, failures, record)
    assert (known["gap_ms"], known["right"], known["codes"]) == (480, True, ["rate-limited"])
    assert (unknown["gap_ms"], unknown["right"], unknown["codes"]) == (1290, True, ["first-token-late"])


@pytest.mark.parametrize(
    ("rows", "reached"),
    [
        ([row(400), row(1500)], True),
        ([row(400), row(1501)], False),
        ([row(400), row(None)], False),
        ([row(400), row(500, right=False)], False),
        ([row(1700, failure="(none)")], True),
    ],
)
def test_one_answer_that_is_late_missing_or_wrong_misses_the_goal(
    rows: list[dict[str, Any]], reached: bool
) -> None:
    assert failures_report(rows).reached is reached
