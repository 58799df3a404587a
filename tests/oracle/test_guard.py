"""Words that would change the answer keep the line's facts from giving it: over tables of questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_voice import bench
from kame_voice.bench.questions import load_questions
from kame_voice.core.nouns import Speaker
from kame_voice.flows.loader import load_flow
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import OracleRequest, Said
from kame_voice.oracle.knowledge import Knowledge
from tests.oracle.examples import request
from tests.oracle.trap_questions import OTHER_LINES, OTHER_THINGS, PLAIN, TRAPS

pytestmark = pytest.mark.anyio

FLOWS = Path(__file__).parents[2] / "flows"
SYSTEMS = Path(bench.__file__).with_name("questions_systems.yaml")


def flow(line: str) -> Flow:
    return load_flow(FLOWS / f"{line}.yaml")


def asked(line: str, before: str, words: str) -> OracleRequest:
    history = (Said(Speaker.CALLER, before), Said(Speaker.AGENT, "Yes.")) if before else ()
    return request(words, flow=flow(line), history=history)


async def spoken(knowledge: Knowledge, question: OracleRequest) -> str:
    return "".join([delta.text async for delta in knowledge.answer(question)])


@pytest.mark.parametrize(("line", "before", "words"), TRAPS)
async def test_the_facts_leave_a_question_that_only_looks_like_theirs_to_the_model(
    knowledge: Knowledge, line: str, before: str, words: str
) -> None:
    assert not await knowledge.is_sure(asked(line, before, words))


@pytest.mark.parametrize(("line", "before", "words"), PLAIN)
async def test_the_facts_answer_a_plain_question_themselves(
    knowledge: Knowledge, line: str, before: str, words: str
) -> None:
    assert await knowledge.is_sure(asked(line, before, words))


async def test_on_lines_that_it_was_not_made_with_hardly_a_trap_is_missed(knowledge: Knowledge) -> None:
    missed = [words for line, words in OTHER_LINES if await knowledge.is_sure(asked(line, "", words))]
    assert len(missed) <= len(OTHER_LINES) / 10, missed


@pytest.mark.parametrize("line", ["harbor-dental", "hilltop-cycles", "hilltop-rentals", "larkspur-inn"])
async def test_the_sample_questions_of_a_flow_are_plain(knowledge: Knowledge, line: str) -> None:
    samples = [question for fact in flow(line).facts for question in fact.questions]
    sure = [words for words in samples if await knowledge.is_sure(asked(line, "", words))]
    assert len(sure) >= 0.9 * len(samples), set(samples) - set(sure)


async def test_most_questions_of_the_comparison_of_systems_are_plain(knowledge: Knowledge) -> None:
    sure = [
        question.ask
        for one in load_questions(FLOWS, SYSTEMS)
        for question in one.questions
        if await knowledge.is_sure(request(question.ask, flow=one.flow))
    ]
    assert len(sure) >= 17


@pytest.mark.parametrize(("line", "words"), OTHER_THINGS)
async def test_without_a_model_the_line_admits_that_it_does_not_know_such_things(
    knowledge: Knowledge, line: str, words: str
) -> None:
    assert await spoken(knowledge, asked(line, "", words)) == flow(line).unknown
    assert knowledge.try_out(flow(line), words).facts == ()


@pytest.mark.parametrize(
    ("line", "words", "fact"),
    [
        ("harbor-dental", "How much is a cleaning for my grandmother?", "cleaning-price"),
        ("harbor-dental", "I'd like to make an appointment for the first week of May.", "book-appointment"),
        ("harbor-dental", "I want to come in for a checkup sometime soon.", "book-appointment"),
        ("harbor-dental", "Do you have a dentist for kids?", "children"),
        ("hilltop-cycles", "Do you have bikes for my son?", "kids-bikes"),
        ("hilltop-cycles", "I need two bicycles for our holiday.", "rent-a-bike"),
        ("larkspur-inn", "How much is a room for the night?", "room-price"),
    ],
)
async def test_for_whom_and_when_are_no_other_things(
    knowledge: Knowledge, line: str, words: str, fact: str
) -> None:
    assert fact in knowledge.facts_for(flow(line), words)


async def test_a_question_that_leans_on_the_one_before_is_plain_where_there_was_none(
    knowledge: Knowledge,
) -> None:
    words = "Do they come with a guarantee?"
    assert await knowledge.is_sure(asked("hilltop-cycles", "", words))
    assert not await knowledge.is_sure(asked("hilltop-cycles", "Do you sell e-bikes?", words))
