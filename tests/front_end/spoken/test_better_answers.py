"""What the caller hears when a better answer comes while a guess is being said: no content twice."""

from __future__ import annotations

import pytest

from kame_voice.core.nouns import OracleSource
from kame_voice.core.oracle_stream import OracleAppend, OracleClose
from kame_voice.oracle.repetition import says_nothing_new
from tests.front_end.spoken.call import TestCall

pytestmark = pytest.mark.anyio

GUESS = "Yes, we see children from the age of two."


async def guessing(*, said_ms: int = 1200, source: OracleSource = OracleSource.LLM) -> TestCall:
    """A call on which the guess has been spoken for so long."""
    call = TestCall(repeats=says_nothing_new)
    call.oracle("guess", GUESS, source=source)
    call.caller_asked()
    await call.pull(said_ms)
    return call


async def test_a_final_that_says_the_same_in_other_words_adds_nothing() -> None:
    call = await guessing()
    call.oracle("final", "Sure, we see kids from the age of two.")
    await call.pull(6000)
    assert call.words == GUESS
    assert call.cuts == []


async def test_only_its_new_sentences_are_said_behind_the_guess() -> None:
    call = await guessing()
    call.oracle("final", "We see children from age two. Doctor Lee looks after most of them. Just call.")
    await call.pull(9000)
    assert call.words == f"{GUESS} Doctor Lee looks after most of them. Just call."


async def test_a_final_that_says_something_else_is_said_whole() -> None:
    call = await guessing()
    call.oracle("final", "We see children from the age of four.")
    await call.pull(6000)
    assert call.words == f"{GUESS} We see children from the age of four."


async def test_a_guess_of_the_facts_that_has_hardly_begun_is_not_broken_off_for_the_same_in_other_words() -> (
    None
):
    call = await guessing(said_ms=300, source=OracleSource.KNOWLEDGE)
    call.oracle("final", "We see kids from the age of two.")
    await call.pull(6000)
    assert call.words == GUESS
    assert call.cuts == []


async def test_a_guess_of_which_one_word_was_said_is_gone_on_with_in_the_better_answers_words() -> None:
    call = await guessing(said_ms=300)
    call.oracle("final", "Yes, we see kids from the age of two.")
    await call.pull(6000)
    assert call.words == "Yes, we see kids from the age of two."
    assert call.cuts == []


async def test_a_final_that_is_still_being_written_goes_on_where_it_tells_something_new() -> None:
    call = await guessing()
    call.oracle("final", "We see kids from the age of", close=False)
    await call.pull(2000)
    call.slot.guide(OracleAppend("final", " two. Just call"))
    await call.pull(400)
    call.slot.guide(OracleAppend("final", " us."))
    call.slot.guide(OracleClose("final"))
    await call.pull(3000)
    assert call.words == f"{GUESS} Just call us."


async def test_the_same_words_cut_elsewhere_go_on_in_the_middle_of_a_sentence() -> None:
    call = TestCall(repeats=says_nothing_new)
    call.oracle("guess", "Yes, we s", close=False)
    call.caller_asked()
    await call.pull(100)
    call.oracle("facts", GUESS, source=OracleSource.KNOWLEDGE)
    await call.pull(5000)
    assert call.words == GUESS
    assert call.cuts == []


async def test_what_a_model_writes_is_begun_at_its_first_clause() -> None:
    call = TestCall()
    call.oracle("a", "Yes, we", close=False)
    call.caller_asked()
    await call.pull(200)
    assert call.words == ""
    call.slot.guide(OracleAppend("a", " d"))
    await call.pull(200)
    assert call.words == "Yes,"
    call.slot.guide(OracleAppend("a", "o."))
    call.slot.guide(OracleClose("a"))
    await call.pull(1000)
    assert call.words == "Yes, we do."
    assert {word.utterance for frame in call.frames for word in frame.words} == {0}


async def test_what_the_flow_says_is_spoken_in_whole_sentences() -> None:
    call = TestCall()
    call.oracle("a", "Yes, we do. Come in.", source=OracleSource.KNOWLEDGE)
    assert [sentence for sentence, _ in call.voice.prepared] == ["Yes, we do.", "Come in."]
