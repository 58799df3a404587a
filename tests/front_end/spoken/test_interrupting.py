"""What a caller's voice does to ours: ducking, coming back, stopping; and words that must be said."""

import asyncio

import pytest

from kame_voice.front_end.spoken.ducking import DUCKED
from kame_voice.hearing.base import BargedIn, TurnStarted, VoiceLapsed, VoiceOnset
from tests.front_end.spoken.call import LEVEL, TestCall

pytestmark = pytest.mark.anyio

ANSWER = "We open at nine and close at five."


async def answering(call: TestCall, played_ms: int) -> None:
    call.oracle("a", ANSWER)
    call.caller_asked()
    await call.pull(played_ms)


async def test_a_voice_ducks_us_within_the_next_frame() -> None:
    call = TestCall()
    await answering(call, 500)
    call.hear(VoiceOnset(3500))
    await call.pull(20)
    assert call.level() == pytest.approx(LEVEL * DUCKED, rel=1e-3)


async def test_a_cough_brings_us_back_with_no_word_lost() -> None:
    call = TestCall()
    await answering(call, 500)
    call.hear(VoiceOnset(3500))
    await call.pull(300)
    call.hear(VoiceLapsed(3700))
    await call.pull(20)
    assert call.level() == pytest.approx(LEVEL)
    await call.pull(2000)
    assert call.words == ANSWER
    assert call.cuts == []


async def test_the_gain_glides() -> None:
    call = TestCall()
    await answering(call, 500)
    call.hear(VoiceOnset(3500))
    await call.pull(40)
    call.hear(VoiceLapsed(3600))
    await call.pull(40)
    steps = [
        abs(float(b - a))
        for frame in call.frames[24:]
        for a, b in zip(frame.pcm, frame.pcm[1:], strict=False)
    ]
    assert max(steps) < 0.003


async def test_a_barge_in_stops_us_and_clears_what_is_not_heard() -> None:
    call = TestCall()
    await answering(call, 500)
    call.hear(VoiceOnset(3500))
    await call.pull(340)
    call.hear(TurnStarted(3500), BargedIn(3850))
    await call.pull(3000)
    assert call.cuts == [42]
    assert not any(frame.speaking for frame in call.frames[42:])
    assert call.words == "We open at nine"


async def test_after_a_barge_in_the_rest_is_forgotten_and_the_next_turn_is_answered() -> None:
    call = TestCall()
    await answering(call, 500)
    call.hear(VoiceOnset(3500), TurnStarted(3500), BargedIn(3850))
    await call.pull(1000)
    call.caller_asked(start_ms=3500, end_ms=5000)
    call.oracle("b", "Yes.", covers_ms=5000)
    await call.pull(1000)
    assert call.words == "We open Yes."
    assert max(word.utterance for frame in call.frames for word in frame.words) == 1


async def test_a_turn_that_starts_as_we_begin_stops_us_though_the_ear_had_not_heard_us_yet() -> None:
    call = TestCall()
    await answering(call, 60)
    call.hear(VoiceOnset(3400), TurnStarted(3400))
    await call.pull(1000)
    assert call.cuts == [3]
    assert call.words == ""


async def test_say_speaks_these_words_and_returns_when_all_were_handed_out() -> None:
    call = TestCall()
    async with asyncio.TaskGroup() as group:
        said = group.create_task(call.slot.say("Hello there. How can I help?"), name="say")
        await asyncio.sleep(0)
        await call.pull(1380)
        await asyncio.sleep(0)
        assert not said.done()
        await call.pull(20)
    assert said.result() is True
    assert call.words == "Hello there. How can I help?"
    assert all(word.verbatim and word.oracle_id is None for frame in call.frames for word in frame.words)


async def test_one_say_follows_the_other() -> None:
    call = TestCall()
    async with asyncio.TaskGroup() as group:
        group.create_task(call.slot.say("First words."), name="first")
        group.create_task(call.slot.say("Second words."), name="second")
        await asyncio.sleep(0)
        await call.pull(900)
    assert call.words == "First words. Second words."
    assert {word.utterance for frame in call.frames for word in frame.words} == {0, 1}


async def test_a_say_ended_by_the_caller_returns_false() -> None:
    call = TestCall()
    async with asyncio.TaskGroup() as group:
        said = group.create_task(call.slot.say("Hello there, how can I help?"), name="say")
        await asyncio.sleep(0)
        await call.pull(400)
        call.hear(VoiceOnset(100), TurnStarted(100), BargedIn(460))
        await call.pull(20)
    assert said.result() is False
    assert call.cuts == [20]


async def test_words_that_must_be_said_are_neither_ducked_nor_stopped() -> None:
    call = TestCall()
    async with asyncio.TaskGroup() as group:
        said = group.create_task(call.slot.say("This call is recorded.", interruptible=False), name="say")
        await asyncio.sleep(0)
        await call.pull(100)
        call.hear(VoiceOnset(100))
        await call.pull(200)
        assert call.level() == pytest.approx(LEVEL)
        call.hear(TurnStarted(100), BargedIn(460))
        await call.pull(600)
    assert said.result() is True
    assert call.cuts == []
    assert call.words == "This call is recorded."


async def test_say_ends_an_answer_under_way() -> None:
    call = TestCall()
    await answering(call, 500)
    async with asyncio.TaskGroup() as group:
        group.create_task(call.slot.say("Goodbye."), name="say")
        await asyncio.sleep(0)
        await call.pull(1000)
    assert call.words == "We open Goodbye."


async def test_a_cancelled_say_says_no_more() -> None:
    call = TestCall()
    said = asyncio.create_task(call.slot.say("Hello there, how can I help?"), name="say")
    await asyncio.sleep(0)
    await call.pull(400)
    said.cancel()
    with pytest.raises(asyncio.CancelledError):
        await said
    await call.pull(1000)
    assert call.words == "Hello there,"


async def test_release_ends_the_frames_and_every_say_and_nothing_is_left() -> None:
    call = TestCall()
    said = asyncio.create_task(call.slot.say("Hello there."), name="say")
    await asyncio.sleep(0)
    await call.pull(100)
    await call.slot.release()
    await call.slot.release()
    assert await said is False
    assert [frame async for frame in call.slot.frames()] == []
    call.oracle("a", "Late.")
    assert await call.slot.say("Late.") is False
    assert "Late." not in [sentence for sentence, _ in call.voice.prepared]
