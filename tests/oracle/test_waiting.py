"""How long a caller waits for the language model before the line's own facts answer."""

from __future__ import annotations

import asyncio

import pytest

from kame_voice.oracle.waiting import STALL_S, is_speakable, wait_s
from tests.oracle.examples import transcript
from tests.oracle.test_back_end import Talk, talking


def test_the_wait_counts_from_the_callers_last_sound() -> None:
    assert wait_s(1.1, 0.3) == pytest.approx(0.8)


def test_a_question_that_goes_out_late_is_given_a_moment_all_the_same() -> None:
    assert wait_s(1.1, 1.4) == 0.25


@pytest.mark.parametrize("text", ["We do. W", "A cleaning is ninety dollars, a", "Yes, we do.\n"])
def test_a_sentence_or_a_clause_can_be_begun(text: str) -> None:
    assert is_speakable(text)


@pytest.mark.parametrize("text", ["", "We do.", "Yes, we", "Red, green", "A cleaning is"])
def test_half_a_clause_or_a_mere_yes_cannot(text: str) -> None:
    assert not is_speakable(text)


@pytest.mark.anyio
async def test_silence_before_the_end_of_the_turn_was_known_is_not_waited_again() -> None:
    waits: list[float] = []
    never = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await never.wait()

    async with talking(Talk(), first_token_s=1.1, sleep=sleep) as talk:
        await talk.hears(transcript("are you open", 1000, paused=True))
        talk.media_ms = 1800
        talk.transcripts.put_nowait(transcript("are you open", 1000, is_final=True))
        await talk.settle()
    assert waits == [pytest.approx(0.3)]


@pytest.mark.anyio
async def test_an_answer_that_begins_and_does_not_grow_gives_way_to_the_facts() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with talking(Talk(), first_token_s=1.1, sleep=sleep) as talk:
        talk.llm.say("are you open", "Yes, we")
        talk.knowledge.finish("are you open", "Until five.")
        await talk.hears(transcript("are you open", 1000, is_final=True))
        assert talk.said() == "Until five."
    assert waits[1:] == [pytest.approx(STALL_S)]


@pytest.mark.anyio
async def test_an_answer_that_grows_is_waited_for_until_its_first_clause_is_there() -> None:
    talk = Talk()
    pieces = ["Yes, we", " are open", " until five. Come"]

    async def sleep(_seconds: float) -> None:
        if pieces:
            talk.llm.say("are you open", pieces.pop(0))
            await talk.settle()

    async with talking(talk, first_token_s=1.1, sleep=sleep):
        await talk.hears(transcript("are you open", 1000, is_final=True))
        for _ in range(4):
            await talk.settle()
        talk.llm.finish("are you open", " in.")
        await talk.settle()
        assert talk.said() == "Yes, we are open until five. Come in."
    assert talk.knowledge.requests == []
