"""Which oracle each sentence of the agent's came from."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.store.sentences import sentences_of


@dataclass(frozen=True)
class Given:
    """Words in a row of one oracle."""

    oracle_id: str | None
    words: int


@dataclass(frozen=True)
class Answer:
    text: str
    grounded: bool | None


ORACLES = {
    "hours": Answer("We open at nine.", True),
    "guess": Answer("Yes, we are hiring.", False),
    "polite": Answer("Anything else?", None),
}
TEXT = "We open at nine. Yes, we are hiring. Anything else?"


def told(
    text: str, *portions: Given, ids: tuple[str, ...] = tuple(ORACLES)
) -> list[tuple[str, str | None, bool | None]]:
    found = sentences_of(text, None, portions, ids, ORACLES)
    return [(one.text, one.oracle_id, one.grounded) for one in found]


def test_each_sentence_has_the_oracle_whose_words_it_is() -> None:
    assert told(TEXT, Given("hours", 4), Given("guess", 4), Given("polite", 2)) == [
        ("We open at nine.", "hours", True),
        ("Yes, we are hiring.", "guess", False),
        ("Anything else?", "polite", None),
    ]


def test_sentences_of_one_oracle_stay_apart_and_words_of_none_have_none() -> None:
    assert told("Well, let me see. We open at nine. We do.", Given(None, 4), Given("hours", 6)) == [
        ("Well, let me see.", None, None),
        ("We open at nine.", "hours", True),
        ("We do.", "hours", True),
    ]


def test_an_oracle_that_takes_over_within_a_sentence_divides_it() -> None:
    assert told("We open at ten today.", Given("hours", 3), Given("guess", 2)) == [
        ("We open at", "hours", True),
        ("ten today.", "guess", False),
    ]


def test_a_point_within_a_sentence_does_not_end_it() -> None:
    assert told("We close at 5 p.m. today.", Given("hours", 6)) == [
        ("We close at 5 p.m. today.", "hours", True)
    ]


def test_without_portions_the_words_of_the_oracles_tell() -> None:
    assert told(TEXT) == told(TEXT, Given("hours", 4), Given("guess", 4), Given("polite", 2))
    assert told("We open at nine.", ids=("hours",)) == [("We open at nine.", "hours", True)]
    assert told("We open at nine.", ids=()) == [("We open at nine.", None, None)]


def test_a_sentence_that_nobody_is_known_to_have_given_is_held_to_have_no_source() -> None:
    assert told("Come by. We open at nine.") == [
        ("Come by.", None, False),
        ("We open at nine.", "hours", True),
    ]
    assert told("Come by. We open at nine.", ids=("hours", "polite"))[0] == ("Come by.", None, None)


def test_portions_that_are_not_its_words_are_not_believed() -> None:
    assert told(TEXT, Given("guess", 3)) == told(TEXT)


@pytest.mark.parametrize(
    ("heard", "counts"), [(None, [4, 4, 2]), ("", [0, 0, 0]), ("We open at nine. Yes,", [4, 1, 0])]
)
def test_what_was_heard_is_told_by_sentence(heard: str | None, counts: list[int]) -> None:
    portions = [Given("hours", 4), Given("guess", 4), Given("polite", 2)]
    found = sentences_of(TEXT, heard, portions, list(ORACLES), ORACLES)
    assert [one.heard_words for one in found] == counts


@given(
    st.text(max_size=60),
    st.lists(st.builds(Given, st.sampled_from([None, *ORACLES, "unknown"]), st.integers(0, 5)), max_size=5),
    st.lists(st.sampled_from([*ORACLES, "unknown"]), max_size=4, unique=True),
)
def test_no_word_is_lost_or_told_twice(text: str, portions: list[Given], ids: list[str]) -> None:
    found = sentences_of(text, None, portions, ids, ORACLES)
    assert " ".join(one.text for one in found).split() == text.split()
    assert all(one.text for one in found)
