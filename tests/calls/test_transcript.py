"""The transcript: what was said, what of it was heard, and how fast it was answered."""

from __future__ import annotations

import numpy as np
import pytest

from kame_voice.calls.transcript import CallTranscript, Portion, Turn
from kame_voice.core.nouns import Speaker
from kame_voice.front_end.base import SpokenFrame, SpokenWord
from kame_voice.oracle.base import Said, Transcript

pytestmark = pytest.mark.anyio

VOICE = np.full(1920, 0.2, dtype=np.float32)
SILENCE = np.zeros(1920, dtype=np.float32)


def words(text: str, utterance: int = 0, **more: object) -> tuple[SpokenWord, ...]:
    return tuple(SpokenWord(word, utterance, **more) for word in text.split())  # type: ignore[arg-type]


def say(
    book: CallTranscript,
    text: str,
    start_ms: int,
    utterance: int = 0,
    *,
    oracle_id: str | None = None,
    verbatim: bool = False,
) -> list[str]:
    """Speak one word a frame of 80 ms; the marks in order."""
    marks: list[str] = []
    for number, word in enumerate(words(text, utterance, oracle_id=oracle_id, verbatim=verbatim)):
        at_ms = start_ms + 80 * number
        marks += book.speak((word,))
        book.agent_sounded(SpokenFrame(VOICE, (word,), speaking=True), at_ms, at_ms + 80)
    return marks


def pause(book: CallTranscript, at_ms: int) -> None:
    book.agent_sounded(SpokenFrame(SILENCE), at_ms, at_ms + 80)


def ask(book: CallTranscript, text: str, start_ms: int, end_ms: int) -> None:
    book.caller_started(start_ms)
    book.caller_ended(end_ms)
    book.caller_said(Transcript(text, text, start_ms, end_ms, is_final=True))


def only(book: CallTranscript) -> Turn:
    (turn,) = book.turns
    return turn


def test_a_callers_turn_grows_with_what_is_understood_and_ends_with_its_voice() -> None:
    book = CallTranscript()
    book.caller_started(1000)
    book.caller_said(Transcript("are you", "are", 1000, 1600, is_final=False))
    assert (only(book).text, only(book).end_ms, only(book).is_final) == ("are you", 1600, False)
    book.caller_ended(2000)
    book.caller_said(Transcript("Are you open?", "Are you open?", 1000, 2300, is_final=True))
    assert (only(book).text, only(book).start_ms, only(book).end_ms) == ("Are you open?", 1000, 2000)
    assert only(book).is_final


def test_a_partial_that_comes_after_the_final_changes_nothing() -> None:
    book = CallTranscript()
    ask(book, "Are you open?", 0, 900)
    book.caller_said(Transcript("are you", "are", 0, 800, is_final=False))
    assert only(book).text == "Are you open?"


def test_words_of_a_turn_that_no_ear_announced_make_one() -> None:
    book = CallTranscript()
    book.caller_said(Transcript("hello", "hello", 500, 900, is_final=True))
    assert (only(book).start_ms, only(book).end_ms, only(book).is_open) == (500, 900, False)


def test_one_agent_turn_an_utterance_with_words_as_they_were_spoken() -> None:
    book = CallTranscript()
    say(book, "Thank you for calling.", 0, 0, verbatim=True)
    pause(book, 320)
    say(book, "We are open.", 2000, 1, oracle_id="o1")
    first, second = book.turns
    assert (first.text, first.start_ms, first.end_ms, first.verbatim) == (
        "Thank you for calling.",
        0,
        320,
        True,
    )
    assert (second.text, second.start_ms, second.end_ms, second.verbatim) == (
        "We are open.",
        2000,
        2240,
        False,
    )
    assert second.oracle_ids == ("o1",)
    assert second.word_ms == (2000, 2080, 2160)


def test_oracles_are_named_in_the_order_of_their_first_use() -> None:
    book = CallTranscript()
    for text, oracle_id in (("One", "b"), ("two", "a"), ("three", "b"), ("four", None)):
        book.speak((SpokenWord(text, 0, oracle_id),))
    assert only(book).oracle_ids == ("b", "a")


def test_a_turn_tells_how_many_of_its_words_each_oracle_gave_and_how_many_were_heard() -> None:
    book = CallTranscript()
    book.speak((SpokenWord("Well,", 0),))
    (mark,) = book.speak((SpokenWord("we", 0, "a"), SpokenWord("are", 0, "a")))
    book.speak((SpokenWord("closed", 0, "b"),))
    book.heard(mark)
    assert only(book).portions == (Portion(None, 1, 0), Portion("a", 2, 2), Portion("b", 1, 0))


def test_an_oracle_that_is_taken_up_again_has_its_words_where_they_were_said() -> None:
    book = CallTranscript()
    first = book.speak((SpokenWord("Until six.", 0, "a"),))
    book.speak((SpokenWord("Or", 0, "b"), SpokenWord("so.", 0, "b")))
    last = book.speak((SpokenWord("On Sundays, too.", 0, "a"),))
    assert [(one.oracle_id, one.words) for one in only(book).portions] == [("a", 2), ("b", 2), ("a", 3)]
    for mark in (*first, *last):
        book.heard(mark)
    assert [one.heard_words for one in only(book).portions] == [2, 0, 3]


def test_an_oracle_is_spoken_from_its_first_word_on_and_that_is_told_once() -> None:
    book = CallTranscript()
    say(book, "We are open.", 2000, 1, oracle_id="o1")
    assert [oracle_id for oracle_id, _ in book.newly_spoken()] == ["o1"]
    say(book, "Until six.", 3000, 2, oracle_id="o1")
    assert book.newly_spoken() == []


def test_a_turn_begins_with_its_first_voiced_sample_not_with_its_first_word() -> None:
    book = CallTranscript()
    late = SILENCE.copy()
    late[960:] = 0.2
    book.agent_sounded(SpokenFrame(SILENCE, speaking=True), 1000, 1080)
    book.agent_sounded(SpokenFrame(late, speaking=True), 1080, 1160)
    word = words("Yes.")
    book.speak(word)
    book.agent_sounded(SpokenFrame(VOICE, word, speaking=True), 1160, 1240)
    assert (only(book).start_ms, only(book).end_ms) == (1120, 1240)


def test_utterances_without_a_pause_between_them_do_not_overlap() -> None:
    book = CallTranscript()
    say(book, "This call is recorded.", 0, 0, verbatim=True)
    say(book, "Hello there.", 320, 1, verbatim=True)
    assert [(turn.start_ms, turn.end_ms) for turn in book.turns] == [(0, 320), (320, 480)]


def test_silence_between_utterances_need_not_be_told() -> None:
    book = CallTranscript()
    say(book, "Hello.", 0, 0)
    ask(book, "Are you open?", 1000, 2000)
    say(book, "Yes.", 2400, 1)
    assert book.turns[-1].start_ms == 2400
    assert book.latency().response_gap_ms == (400,)


def test_a_mark_that_comes_back_while_later_words_wait_leaves_the_turns_end_alone() -> None:
    book = CallTranscript()
    marks = say(book, "We are open.", 0)
    book.heard(marks[0])
    assert only(book).end_ms == 240


def test_what_was_heard_ends_with_the_last_mark_that_came_back() -> None:
    book = CallTranscript()
    marks = say(book, "We are open until six.", 0)
    for mark in marks[:3]:
        book.heard(mark)
    assert only(book).heard_text == "We are open"
    assert only(book).text == "We are open until six."


def test_marks_that_come_back_after_a_clear_were_not_heard() -> None:
    book = CallTranscript()
    marks = say(book, "We are open until six.", 0)
    book.heard(marks[0])
    book.cleared(marks[1:], at_ms=120)
    for mark in marks[1:]:
        book.heard(mark)
    assert (only(book).heard_text, only(book).end_ms) == ("We", 120)


def test_a_mark_may_come_back_before_its_frame_was_placed() -> None:
    book = CallTranscript()
    word = words("Hello.")
    (mark,) = book.speak(word)
    book.heard(mark)
    assert book.changed_turns() == []
    book.agent_sounded(SpokenFrame(VOICE, word, speaking=True), 0, 80)
    (turn,) = book.changed_turns()
    assert turn.heard_text == "Hello."


def test_no_words_need_no_mark_and_marks_are_unique() -> None:
    book = CallTranscript()
    assert book.speak(()) == ()
    marks = say(book, "a b c d", 0)
    assert len(set(marks)) == 4


async def test_all_is_heard_once_no_mark_is_under_way() -> None:
    book = CallTranscript()
    await book.all_heard()
    first, second = say(book, "Good bye.", 0)
    book.heard(first)
    assert not book._none_pending.is_set()
    book.cleared([second])
    await book.all_heard()


def test_changed_turns_come_once_each() -> None:
    book = CallTranscript()
    marks = say(book, "Good day.", 0)
    assert [turn.text for turn in book.changed_turns()] == ["Good day."]
    assert book.changed_turns() == []
    book.heard(marks[0])
    assert [turn.heard_text for turn in book.changed_turns()] == ["Good"]


def test_history_holds_the_agents_words_only_as_far_as_they_were_heard() -> None:
    book = CallTranscript()
    greeting = say(book, "Hello there, how can I help?", 0)
    for mark in greeting[:2]:
        book.heard(mark)
    book.cleared(greeting[2:])
    ask(book, "Are you open?", 400, 1200)
    say(book, "Never heard.", 1500, 1)
    ask(book, "Hello?", 3000, 3300)
    assert book.history() == (
        Said(Speaker.AGENT, "Hello there,", cut=True),
        Said(Speaker.CALLER, "Are you open?"),
        Said(Speaker.CALLER, "Hello?"),
    )
    assert [said.text for said in book.history(before_ms=3000)] == ["Hello there,", "Are you open?"]


def test_a_gap_runs_from_the_callers_last_voice_to_our_first() -> None:
    book = CallTranscript()
    say(book, "Hello.", 0, 0)
    pause(book, 80)
    ask(book, "Are you open?", 1000, 2000)
    assert say(book, "Yes.", 2430, 1, oracle_id="o1")
    assert book.latency().response_gap_ms == (430,)
    assert book.latency().informed_gap_ms == (430,)


def test_a_holding_phrase_is_a_response_but_does_not_inform() -> None:
    book = CallTranscript()
    ask(book, "Are you open?", 1000, 2000)
    say(book, "One moment.", 2700, 1)
    pause(book, 2860)
    say(book, "Yes we are.", 3500, 2, oracle_id="o1")
    assert book.latency().response_gap_ms == (700,)
    assert book.latency().informed_gap_ms == (1500,)


def test_an_informed_word_in_mid_utterance_counts_from_where_it_begins() -> None:
    book = CallTranscript()
    ask(book, "Are you open?", 1000, 2000)
    frames = (("Well,", None), ("we", "o1"), ("are.", "o1"))
    for number, (text, oracle_id) in enumerate(frames):
        word = (SpokenWord(text, 1, oracle_id),)
        book.speak(word)
        at_ms = 2400 + 80 * number
        book.agent_sounded(SpokenFrame(VOICE, word, speaking=True), at_ms, at_ms + 80)
    assert book.latency().informed_gap_ms == (480,)


def test_an_answer_that_never_came_informed_is_none() -> None:
    book = CallTranscript()
    ask(book, "Are you open?", 1000, 2000)
    say(book, "One moment.", 2700, 1)
    assert book.latency().informed_gap_ms == (None,)


def test_an_answer_that_began_before_the_caller_was_done_has_a_negative_gap() -> None:
    book = CallTranscript()
    book.caller_started(1000)
    say(book, "Yes we are open.", 1900, 0, oracle_id="o1")
    book.caller_ended(2000)
    assert book.latency().response_gap_ms == (-100,)


def test_speech_that_the_caller_broke_off_answers_nothing() -> None:
    book = CallTranscript()
    say(book, "Hello, how can I help you today?", 0, 0)
    ask(book, "Are you", 300, 900)
    assert book.latency().response_gap_ms == ()
    say(book, "Yes.", 1300, 1)
    assert book.latency().response_gap_ms == (400,)


def test_of_two_turns_in_a_row_the_last_one_is_answered() -> None:
    book = CallTranscript()
    ask(book, "Are you", 0, 500)
    ask(book, "open today?", 900, 1500)
    say(book, "Yes.", 1900)
    assert book.latency().response_gap_ms == (400,)


def test_a_noise_between_question_and_answer_is_no_question() -> None:
    book = CallTranscript()
    ask(book, "Are you open?", 0, 500)
    ask(book, "", 600, 700)
    say(book, "Yes.", 900)
    assert book.latency().response_gap_ms == (400,)


def test_gaps_are_known_without_any_speech_to_text() -> None:
    book = CallTranscript()
    book.caller_started(0)
    book.caller_ended(500)
    say(book, "Yes.", 900)
    assert book.latency().response_gap_ms == (400,)
    assert book.turns[0].text is None


def test_the_gap_is_told_with_the_first_sound_and_only_once() -> None:
    book = CallTranscript()
    book.caller_started(0)
    book.caller_ended(500)
    speaking = SpokenFrame(VOICE, speaking=True)
    assert book.agent_sounded(speaking, 900, 980) == 400
    assert book.agent_sounded(speaking, 980, 1060) is None
    pause(book, 1060)
    assert book.agent_sounded(speaking, 1500, 1580) is None


def test_a_turn_that_the_caller_goes_on_with_is_one_turn_with_all_of_its_words() -> None:
    book = CallTranscript()
    ask(book, "And do you have", 1000, 2000)
    assert book.goes_on(3500)
    book.caller_started(3500, goes_on=True)
    # Its final, read meanwhile, comes late.
    book.caller_said(Transcript("And do you have", "And do you have", 1000, 2000, is_final=True))
    assert (only(book).is_open, only(book).is_final) == (True, False)
    book.caller_ended(4200)
    book.caller_said(Transcript("And do you have a sauna?", "", 1000, 4200, is_final=True))
    assert (only(book).text, only(book).end_ms, only(book).is_final) == (
        "And do you have a sauna?",
        4200,
        True,
    )


def test_the_gap_is_told_anew_where_the_caller_went_on() -> None:
    book = CallTranscript()
    ask(book, "Do you", 1000, 2000)
    (word,) = words("We", 1)
    book.speak((word,))
    assert book.agent_sounded(SpokenFrame(VOICE, (word,), speaking=True), 2400, 2480) == 400
    pause(book, 2480)
    book.caller_started(2500, goes_on=True)
    book.caller_ended(3000)
    (word,) = words("Yes.", 2)
    book.speak((word,))
    assert book.agent_sounded(SpokenFrame(VOICE, (word,), speaking=True), 3300, 3380) == 300
