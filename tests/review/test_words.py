"""When each word was said."""

from __future__ import annotations

from kame_voice.review.words import timed_words
from tests.review.calls import said


def test_measured_times_are_taken_as_they_are() -> None:
    words = timed_words(said("agent", "yes we are", 1000, 2000, word_ms=[1000, 1300, 1500]))
    assert [(one.text, one.at_ms, one.is_measured) for one in words] == [
        ("yes", 1000, True),
        ("we", 1300, True),
        ("are", 1500, True),
    ]


def test_without_them_a_turn_is_shared_out_by_the_letters() -> None:
    words = timed_words(said("caller", "a bbb ccccc", 0, 1200))
    assert [(one.at_ms, one.is_measured) for one in words] == [(0, False), (200, False), (600, False)]


def test_words_that_were_cut_off_are_marked_and_have_no_time() -> None:
    words = timed_words(said("agent", "we open at nine", 1000, 2000, heard_text="we open"))
    assert [(one.text, one.is_heard, one.at_ms) for one in words] == [
        ("we", True, 1000),
        ("open", True, 1375),
        ("at", False, None),
        ("nine", False, None),
    ]


def test_a_turn_of_which_nothing_was_heard_can_still_be_clicked() -> None:
    words = timed_words(said("agent", "hello there", 700, 700, heard_text=""))
    assert [(one.is_heard, one.at_ms) for one in words] == [(False, 700), (False, None)]


def test_a_turn_without_words_has_none() -> None:
    assert timed_words(said("caller", "", 0, 100)) == []
