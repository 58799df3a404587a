"""Plain questions are answered from the flow's facts at once, the model unasked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kame_voice.core.nouns import OracleOutcome, OracleSource, Speaker
from kame_voice.oracle.base import OracleRequest, Said
from tests.oracle.examples import transcript
from tests.oracle.test_back_end import Talk, talking

pytestmark = pytest.mark.anyio


def sure_of(*questions: str) -> Any:
    async def sure(request: OracleRequest) -> bool:
        return request.caller_words in questions

    return sure


async def test_what_the_facts_plainly_answer_is_not_asked_of_the_model() -> None:
    async with talking(Talk(), sure=sure_of("are you open today")) as talk:
        talk.knowledge.finish("are you open today", "Yes, until five.")
        await talk.hears(transcript("are you open today", 1000, paused=True))
        await talk.hears(transcript("are you open today", 1100, is_final=True))
        assert talk.said() == "Yes, until five."
    assert talk.llm.requests == []
    (record,) = talk.records.values()
    assert (record.source, record.outcome, record.confirmed_ms) == (
        OracleSource.KNOWLEDGE,
        OracleOutcome.ADOPTED,
        1100,
    )


async def test_what_they_do_not_plainly_answer_goes_to_the_model_once() -> None:
    async with talking(Talk(), sure=sure_of()) as talk:
        talk.llm.finish("are you open today", "We are.")
        await talk.hears(transcript("are you open today", 1000, is_final=True))
        assert talk.said() == "We are."
    assert talk.knowledge.requests == []
    assert len(talk.llm.requests) == 1


async def test_a_turn_that_ends_before_it_is_decided_who_answers_is_answered_all_the_same() -> None:
    undecided = asyncio.Event()

    async def sure(_request: OracleRequest) -> bool:
        await undecided.wait()
        return False

    async with talking(Talk(), sure=sure) as talk:
        talk.llm.finish("are you open today", "We are.")
        await talk.hears(transcript("are you open today", 1000, paused=True))
        await talk.hears(transcript("are you open today", 1100, is_final=True))
        assert talk.said() == ""
        undecided.set()
        await talk.settle()
        assert talk.said() == "We are."
    (record,) = talk.records.values()
    assert (record.is_final, record.confirmed_ms) == (True, 1100)


async def test_what_is_overtaken_before_it_is_decided_is_asked_of_nobody() -> None:
    async def never(_request: OracleRequest) -> bool:
        await asyncio.Event().wait()
        return True

    async with talking(Talk(), sure=never) as talk:
        await talk.hears(transcript("are you open today", 1000, paused=True))
        await talk.hears(transcript("", 1100, is_final=True))
    assert talk.llm.requests == talk.knowledge.requests == []


async def test_whether_they_are_plain_is_judged_by_what_was_said_before_and_not_by_the_question_itself() -> (
    None
):
    judged: list[OracleRequest] = []

    async def sure(request: OracleRequest) -> bool:
        judged.append(request)
        return False

    before = (Said(Speaker.CALLER, "do you rent bikes"), Said(Speaker.AGENT, "Yes, we do."))
    talk = Talk(history=(*before, Said(Speaker.CALLER, "And for children?")))
    async with talking(talk, sure=sure):
        talk.llm.finish("and for children", "From twelve inches up.")
        await talk.hears(transcript("and for children", 1000, is_final=True))
    assert [request.history for request in judged] == [before]
    assert [request.history for request in talk.llm.requests] == [before]
