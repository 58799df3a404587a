"""The comparison of systems: its questions, what it makes of a call, its goals and its picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kame_voice.bench.questions import Question, QuestionSet, load_questions
from kame_voice.bench.systems import SYSTEMS, unhurried_flows
from kame_voice.bench.systems_answers import answers_of
from kame_voice.bench.systems_plot import gap_plot
from kame_voice.bench.systems_report import systems_report
from kame_voice.bench.systems_run import Run, UnknownPart, run
from kame_voice.caller.result import CallResult, Exchange, Outcome
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.flows.loader import load_flow

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "flows"
QUESTIONS = ROOT / "kame_voice" / "bench" / "questions_systems.yaml"


def answer(gap_ms: int | None, *, right: bool = True, **more: Any) -> dict[str, Any]:
    row = {"question": "?", "heard": "", "detail": "", "talked_over": False, "informed_ms": gap_ms}
    row |= {"asked_ms": -100, "token_ms": 300}
    return row | {"gap_ms": gap_ms, "right": right, "early": True, "ready": True, "requests": 2} | more


def exchange(said: str, start_ms: float, last_voiced_ms: float, heard: str) -> Exchange:
    return Exchange(said, start_ms, last_voiced_ms, 300.0, answer_text=heard)


def test_there_are_twenty_questions_or_more_of_varied_length_and_none_is_known_elsewhere() -> None:
    asked = [question.ask for one in load_questions(FLOWS, QUESTIONS) for question in one.questions]
    lengths = [len(text.split()) for text in asked]
    others = {question.ask for one in load_questions(FLOWS) for question in one.questions}
    assert len(asked) >= 20
    assert min(lengths) <= 4
    assert max(lengths) >= 18
    assert not others & set(asked)


def test_holding_phrases_are_taken_out_of_the_lines_unless_they_are_wanted() -> None:
    with unhurried_flows(FLOWS, holding=False) as folder:
        assert load_flow(folder / "harbor-dental.yaml").turns.hold_after_ms == 10_000
    with unhurried_flows(FLOWS, holding=True) as folder:
        assert folder == FLOWS


def test_a_row_tells_what_was_asked_for_an_answer_and_when() -> None:
    flow = load_flow(FLOWS / "harbor-dental.yaml")
    questions = (Question("Parking?", ("parking",), ()), Question("Cards?", ("payment",), ()))
    parking = next(fact.answer for fact in flow.facts if fact.id == "parking")
    heard = np.zeros(8 * 8000, np.float32)
    heard[8 * 3600 : 8 * 3800] = 0.3  # in the middle of the second question
    result = CallResult(CallIdentity("+15550111", "+15550100"), Outcome.ANSWERED, heard=heard)
    result.exchanges = [
        exchange("Parking?", 0, 1000, parking),
        exchange("Cards?", 3000, 4000, "Let me think."),
    ]
    oracle: dict[str, Any] = {"source": "llm", "confirmed_ms": None, "spoken_ms": None, "basis": "park"}
    oracle["first_token_ms"] = 1200
    record = {
        "oracles": [
            oracle | {"asked_ms": 700},
            oracle | {"asked_ms": 900, "spoken_ms": 1250, "confirmed_ms": 1150},
            oracle | {"asked_ms": 4300, "spoken_ms": 5000},
        ],
        "turns": [
            {"speaker": "caller", "start_ms": 20, "end_ms": 1010},
            {"speaker": "caller", "start_ms": 3010, "end_ms": 4000},
        ],
    }
    first, second = answers_of(QuestionSet("+15550100", flow, questions), result, record)
    assert (first["right"], first["requests"], first["informed_ms"]) == (True, 2, 250)
    assert (first["asked_ms"], first["token_ms"]) == (-100, 200)
    assert (first["early"], first["ready"], first["talked_over"]) == (True, True, False)
    assert (second["right"], second["ready"], second["talked_over"]) == (False, False, True)


def test_the_goals_compare_tandem_and_cascade_of_one_run() -> None:
    llm = {"input_tokens": 20, "output_tokens": 40}
    parts = {
        "systems": {
            "cascade, LLM": {
                "answers": [answer(1500)] * 20,
                "llm": {"input_tokens": 20, "output_tokens": 40},
            },
            "tandem, LLM": {"answers": [answer(440)] * 19 + [answer(None, right=False)], "llm": llm},
            "direct": {"skipped": "there is no GPU"},
        },
        "lateness": {
            state: {"late": late, "sent": 1000, "share": late / 1000}
            for state, late in (("off", 1), ("on", 2), ("failing", 90))
        },
    }
    report = systems_report(parts, "x")
    missed = [goal.name for goal in report.goals if not goal.reached]
    assert missed == ["late frames, back end failing over off"]
    assert [goal.got for goal in report.goals if "over the cascade" in goal.name] == ["0.293"]
    assert "direct: not measured, there is no GPU." in report.notes


def test_systems_that_need_a_gpu_say_why_they_are_not_measured() -> None:
    reasons = {system.name: system.why_not("") for system in SYSTEMS}
    assert [name for name, reason in reasons.items() if reason] == ["direct", "KAME, LLM"]


def test_a_part_that_there_is_not_is_named() -> None:
    with pytest.raises(UnknownPart, match="cascade-llm"):
        run(Run(FLOWS, ("casacde",), 0, False, "", None), None, None)


def test_every_answer_is_a_mark_in_the_picture() -> None:
    svg = gap_plot({"tandem": {"answers": [answer(300), answer(-120), answer(900, right=False)]}})
    marks = [e for e in ET.fromstring(svg).iter() if e.tag.endswith("circle")]
    assert [mark.get("class") for mark in marks] == ["right", "right", "wrong"]


def test_every_part_is_named_without_spaces() -> None:
    with pytest.raises(UnknownPart, match="tandem-llm-alone, direct, kame-llm, lateness"):
        run(Run(FLOWS, ("x",), 0, False, "", None), None, None)
