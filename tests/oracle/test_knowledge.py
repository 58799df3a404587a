from __future__ import annotations

from pathlib import Path

import pytest

from kame_voice.core.nouns import Speaker
from kame_voice.flows.loader import load_flow
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import OracleRequest, Said
from kame_voice.oracle.knowledge import Knowledge
from tests.oracle.examples import DENTIST, request
from tests.oracle.questions import HELD_OUT, QUESTIONS

pytestmark = pytest.mark.anyio

FLOWS = Path(__file__).parents[2] / "flows"


async def answered(knowledge: Knowledge, question: OracleRequest) -> tuple[str, list[str]]:
    deltas = [delta async for delta in knowledge.answer(question)]
    return "".join(delta.text for delta in deltas), [fact for delta in deltas for fact in delta.facts]


async def test_a_question_in_other_words_finds_its_fact(knowledge: Knowledge) -> None:
    text, facts = await answered(knowledge, request("What would a cleaning set me back?"))
    assert (text, facts) == ("A cleaning is one hundred dollars.", ["cleaning-price"])


async def test_two_questions_get_two_answers(knowledge: Knowledge) -> None:
    text, facts = await answered(knowledge, request("Do you take Cigna, and is there parking?"))
    assert facts == ["insurance", "parking"]
    assert text == "We take Delta Dental and Cigna. Yes, there is free parking behind the house."


async def test_what_nobody_knows_is_admitted(knowledge: Knowledge) -> None:
    assert await answered(knowledge, request("Who won the game last night?")) == (DENTIST.unknown, [])


async def test_the_opening_hours_are_known_without_a_fact(knowledge: Knowledge) -> None:
    text, facts = await answered(knowledge, request("Are you open on Saturday?"))
    assert text == "Yes, on Saturday we are open from nine in the morning to one in the afternoon."
    assert facts == ["business-hours"]


async def test_whether_it_is_open_now_depends_on_the_time(knowledge: Knowledge) -> None:
    text, _ = await answered(knowledge, request("Are you guys open right now?"))
    assert text.startswith("Yes, we are open right now")


async def test_the_address_is_known_without_a_fact(knowledge: Knowledge) -> None:
    assert (await answered(knowledge, request("Where are you located?")))[0] == "We are at 12 Pier Road."


async def test_weekly_hours_say_nothing_about_a_holiday(knowledge: Knowledge) -> None:
    assert (await answered(knowledge, request("Are you open on Christmas Day?")))[0] == DENTIST.unknown


async def test_a_misheard_word_still_finds_its_fact(knowledge: Knowledge) -> None:
    assert (await answered(knowledge, request("do you take delta dentle insurence")))[1] == ["insurance"]


async def test_goodbye_is_answered_with_the_lines_own(knowledge: Knowledge) -> None:
    assert (await answered(knowledge, request("No, that's all. Bye.")))[0] == DENTIST.goodbye


async def test_it_does_not_pretend_to_be_a_person(knowledge: Knowledge) -> None:
    text, _ = await answered(knowledge, request("Am I talking to a real person?"))
    assert "automated" in text


async def test_half_a_question_is_answered_once_it_is_clear(knowledge: Knowledge) -> None:
    assert await answered(knowledge, request("How much", is_final=False)) == ("", [])
    assert await answered(knowledge, request("Could you tell me whether", is_final=False)) == ("", [])
    assert (await answered(knowledge, request("How much is a cleaning if", is_final=False)))[1] == [
        "cleaning-price"
    ]


async def test_a_greeting_is_not_answered_while_the_caller_goes_on(knowledge: Knowledge) -> None:
    assert await answered(knowledge, request("Hello, good morning there", is_final=False)) == ("", [])


async def test_a_question_may_lean_on_the_one_before(knowledge: Knowledge) -> None:
    history = (Said(Speaker.CALLER, "Are you open on Monday?"), Said(Speaker.AGENT, "Yes."))
    text, _ = await answered(knowledge, request("And on Sunday?", history=history))
    assert text.startswith("On Sunday we are closed.")


async def test_a_flow_that_knows_nothing_is_honest(knowledge: Knowledge) -> None:
    bare = Flow.model_validate(
        {
            "version": 1,
            "customer": "bare",
            "line": "bare",
            "greeting": "Hello.",
            "business": {"name": "Bare", "time_zone": "UTC"},
        }
    )
    assert (await answered(knowledge, request("Is there parking?", flow=bare)))[0] == bare.unknown


async def right_answers(
    knowledge: Knowledge, questions: tuple[tuple[str, str, tuple[set[str], ...]], ...]
) -> float:
    flows = {line: load_flow(FLOWS / f"{line}.yaml") for line, _, _ in questions}
    right = 0
    for line, words, wanted in questions:
        _, facts = await answered(knowledge, request(words, flow=flows[line]))
        right += len(facts) == len(wanted) and all(
            fact in ids for fact, ids in zip(facts, wanted, strict=True)
        )
    return right / len(questions)


async def test_callers_questions_are_answered_right(knowledge: Knowledge) -> None:
    assert await right_answers(knowledge, QUESTIONS) >= 0.9


async def test_questions_that_nothing_was_tuned_on_are_answered_right(knowledge: Knowledge) -> None:
    assert await right_answers(knowledge, HELD_OUT) >= 0.8


async def test_where_the_facts_are_sure_they_are_right_and_they_are_sure_of_half(
    knowledge: Knowledge,
) -> None:
    sure = wrong = 0
    for line, words, topics in HELD_OUT:
        question = request(words, flow=load_flow(FLOWS / f"{line}.yaml"))
        if await knowledge.is_sure(question):
            sure += 1
            _, facts = await answered(knowledge, question)
            wrong += not any(facts[0] in wanted for wanted in topics)
    assert wrong == 0
    assert sure >= len(HELD_OUT) / 2


async def test_they_are_not_sure_of_two_questions_at_once_or_half_a_question(knowledge: Knowledge) -> None:
    both = "What does a cleaning cost, and which insurance do you take?"
    assert not await knowledge.is_sure(request(both))
    assert not await knowledge.is_sure(request("Do you", is_final=False))
    assert await knowledge.is_sure(request("Which insurance do you take?"))
