"""What a spoken slot says, and when, as turns end and oracles come."""

import pytest

from kame_voice.core.oracle_stream import OracleAppend, OracleClose, OracleConfirm, OracleWithdraw
from kame_voice.front_end.spoken.voice import Need
from kame_voice.hearing.base import TurnStarted, VoiceLapsed, VoiceOnset
from tests.front_end.spoken.call import FakeVoice, TestCall, flow

pytestmark = pytest.mark.anyio


async def test_without_anything_to_say_there_is_digital_silence() -> None:
    call = TestCall()
    await call.pull(200)
    assert not any(frame.speaking or frame.cut or frame.pcm.any() for frame in call.frames)


async def test_an_oracle_is_spoken_in_the_very_frame_after_the_turn_ends() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine.")
    await call.pull(100)
    assert call.words == ""
    call.caller_asked()
    await call.pull(20)
    assert call.frames[-1].speaking
    assert call.frames[-1].pcm[0] > 0


async def test_its_words_carry_oracle_and_utterance() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine.")
    call.caller_asked()
    await call.pull(1000)
    words = [word for frame in call.frames for word in frame.words]
    assert [word.text for word in words] == ["We", "open", "at", "nine."]
    assert {(word.oracle_id, word.utterance, word.verbatim) for word in words} == {("a", 0, False)}


async def test_a_word_comes_with_the_frame_in_which_it_ends() -> None:
    call = TestCall()
    call.oracle("a", "We open.")
    call.caller_asked()
    await call.pull(600)
    assert [number for number, frame in enumerate(call.frames) if frame.words] == [9, 19]


async def test_the_first_sentence_is_made_into_speech_while_the_caller_still_talks() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine. Do ", close=False)
    assert call.voice.prepared == [("We open at nine.", Need.MAYBE)]


async def test_an_oracle_that_misses_the_last_words_waits_a_little_for_a_fresher_one() -> None:
    call = TestCall()
    call.oracle("early", "Guess.", covers_ms=2000)
    call.caller_asked(end_ms=3000)
    await call.pull(200)
    call.oracle("late", "Truth.", covers_ms=3000)
    await call.pull(400)
    assert call.words == "Truth."


async def test_without_a_fresher_one_what_there_is_is_spoken_after_250_ms() -> None:
    call = TestCall()
    call.oracle("early", "Guess.", covers_ms=2000)
    call.caller_asked(end_ms=3000)
    await call.pull(240)
    assert not any(frame.speaking for frame in call.frames)
    await call.pull(20)
    assert call.frames[-1].speaking


async def test_a_confirmed_oracle_is_fresh_at_once() -> None:
    call = TestCall()
    call.oracle("early", "Guess.", covers_ms=2000)
    call.caller_asked(end_ms=3000)
    call.slot.guide(OracleConfirm("early", 3000, is_final=True))
    await call.pull(20)
    assert call.frames[-1].speaking


async def test_an_oracle_of_an_earlier_turn_is_not_spoken() -> None:
    call = TestCall()
    call.oracle("old", "Old news.", covers_ms=900)
    call.caller_asked(start_ms=1000, end_ms=3000)
    await call.pull(320)
    assert call.words == ""


async def test_an_answer_is_spoken_once() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine.")
    call.caller_asked()
    await call.pull(3000)
    call.slot.guide(OracleConfirm("a", 3000, is_final=True))
    await call.pull(3000)
    assert call.words == "We open at nine."


async def test_an_answer_goes_on_as_it_is_written() -> None:
    call = TestCall()
    call.oracle("a", "We open at", close=False)
    call.caller_asked()
    await call.pull(100)
    call.slot.guide(OracleAppend("a", " nine. And we"))
    await call.pull(1200)
    call.slot.guide(OracleAppend("a", " close at five."))
    call.slot.guide(OracleClose("a"))
    await call.pull(1500)
    assert call.words == "We open at nine. And we close at five."
    assert {word.utterance for frame in call.frames for word in frame.words} == {0}


async def test_a_newer_oracle_with_the_same_words_goes_on_without_a_break() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine. Guess one.")
    call.caller_asked()
    await call.pull(400)
    call.oracle("b", "We open at nine. Truth two.")
    await call.pull(3000)
    assert call.words == "We open at nine. Truth two."
    assert call.cuts == []
    assert [word.oracle_id for frame in call.frames for word in frame.words] == ["a"] * 4 + ["b"] * 2


async def test_a_barely_begun_answer_gives_way_to_a_different_one() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine.")
    call.caller_asked()
    await call.pull(300)
    call.oracle("b", "No, we are closed.")
    await call.pull(2000)
    assert call.words == "We No, we are closed."
    assert call.cuts == [15]


async def test_an_answer_well_under_way_finishes_its_sentence_before_a_different_one() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine. Guess one.")
    call.caller_asked()
    await call.pull(500)
    call.oracle("b", "Sorry, at ten on Sunday.")
    await call.pull(3000)
    assert call.words == "We open at nine. Sorry, at ten on Sunday."
    assert call.cuts == []


async def test_a_newer_oracle_that_stalls_does_not_silence_the_one_before() -> None:
    call = TestCall()
    call.oracle("a", "We open at nine. Come by.")
    call.caller_asked()
    await call.pull(500)
    call.oracle("b", "We", close=False)
    await call.pull(3000)
    assert call.words == "We open at nine. Come by."


async def test_a_withdrawn_oracle_is_not_spoken() -> None:
    call = TestCall()
    call.oracle("a", "Wrong.")
    call.slot.guide(OracleWithdraw("a"))
    call.caller_asked()
    await call.pull(320)
    assert call.words == ""


async def test_withdrawn_early_in_a_sentence_it_stops_at_once_and_the_wait_goes_on() -> None:
    call = TestCall()
    call.oracle("a", "Wrong from the very start.")
    call.caller_asked()
    await call.pull(300)
    call.slot.guide(OracleWithdraw("a"))
    await call.pull(600)
    assert call.words == "Wrong One moment."
    assert call.cuts == [15]


async def test_withdrawn_late_in_a_sentence_it_finishes_that_sentence_only() -> None:
    call = TestCall()
    call.oracle("a", "Nearly all said. And more.")
    call.caller_asked()
    await call.pull(400)
    call.slot.guide(OracleWithdraw("a"))
    await call.pull(1000)
    assert call.words == "Nearly all said."
    assert call.cuts == []


async def test_writes_to_unknown_oracles_are_ignored() -> None:
    call = TestCall()
    call.oracle("a", "Yes.")
    for write in (OracleAppend("x", "No."), OracleClose("x"), OracleWithdraw("x")):
        call.slot.guide(write)
    call.caller_asked()
    await call.pull(300)
    assert call.words == "Yes."


async def test_a_long_wait_is_covered_by_a_holding_phrase_700_ms_after_the_callers_voice() -> None:
    call = TestCall()
    call.caller_asked(known_after_ms=360)
    await call.pull(320)
    assert not any(frame.speaking for frame in call.frames)
    await call.pull(60)
    assert call.frames[-1].speaking
    await call.pull(400)
    assert call.words == "One moment."


async def test_holding_phrases_take_turns_and_come_at_most_twice() -> None:
    call = TestCall()
    call.caller_asked()
    await call.pull(20_000)
    assert call.words == "One moment. Let me look."


async def test_the_answer_follows_the_holding_phrase() -> None:
    call = TestCall()
    call.caller_asked()
    await call.pull(400)
    call.oracle("a", "At nine.")
    await call.pull(2000)
    assert call.words == "One moment. At nine."
    assert call.cuts == []


async def test_an_oracle_without_text_means_that_there_is_nothing_to_say() -> None:
    call = TestCall()
    call.oracle("a", "")
    call.caller_asked()
    await call.pull(10_000)
    assert call.words == ""


async def test_no_holding_phrase_while_the_answer_is_being_written() -> None:
    call = TestCall()
    call.caller_asked()
    call.oracle("a", "We open", close=False)
    await call.pull(500)
    call.slot.guide(OracleAppend("a", " at nine. "))
    call.slot.guide(OracleClose("a"))
    await call.pull(1500)
    assert call.words == "We open at nine."


async def test_the_answer_waits_while_the_caller_may_be_going_on() -> None:
    call = TestCall()
    call.caller_asked()
    call.hear(VoiceOnset(3400))
    call.oracle("a", "At nine.")
    await call.pull(200)
    assert call.words == ""
    call.hear(VoiceLapsed(3500))
    await call.pull(500)
    assert call.words == "At nine."


async def test_a_caller_who_goes_on_is_not_owed_the_answer_to_half_the_question() -> None:
    call = TestCall()
    call.caller_asked()
    call.hear(VoiceOnset(3400), TurnStarted(3400))
    call.oracle("a", "Half.")
    await call.pull(1000)
    assert call.words == ""


async def test_a_sentence_that_is_not_made_yet_is_waited_for_in_silence() -> None:
    voice = FakeVoice()
    voice.slow = True
    call = TestCall(voice)
    call.oracle("a", "At nine.")
    call.caller_asked()
    await call.pull(100)
    assert not any(frame.speaking for frame in call.frames)
    voice.finish("At nine.")
    await call.pull(20)
    assert call.frames[-1].speaking


async def test_the_lines_own_patience_counts() -> None:
    call = TestCall(the_flow=flow(hold_after_ms=2000))
    call.caller_asked(known_after_ms=360)
    await call.pull(1600)
    assert not any(frame.speaking for frame in call.frames)
    await call.pull(100)
    assert call.frames[-1].speaking
