from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.oracle.sources import MarkedText, sourced
from tests.oracle.examples import DENTIST


def taken_apart(*pieces: str) -> tuple[str, list[str]]:
    text = MarkedText()
    spoken = "".join(text.feed(piece) for piece in pieces)
    text.finish()
    return spoken, text.marks


def test_the_mark_is_not_spoken_and_names_the_facts() -> None:
    assert taken_apart("Parking is free. [parking, business-hours]") == (
        "Parking is free. \n",
        ["parking", "business-hours"],
    )


@given(st.data())
def test_a_mark_is_never_spoken_however_its_letters_arrive(data: st.DataObject) -> None:
    whole = "A cleaning is one hundred dollars. [cleaning-price] Parking is free [parking]."
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    ends = [0, *cuts, len(whole)]
    spoken, marks = taken_apart(*(whole[a:b] for a, b in pairwise(ends)))
    assert spoken == "A cleaning is one hundred dollars. \n Parking is free ."
    assert marks == ["cleaning-price", "parking"]


def test_a_sentence_need_not_wait_for_the_mark_behind_it() -> None:
    text = MarkedText()
    assert text.feed("It's free. [par") == "It's free. \n"


def test_a_mark_that_is_cut_off_is_not_spoken() -> None:
    assert taken_apart("Parking is free. [parking, busi") == ("Parking is free. \n", ["parking"])


def test_nothing_but_a_wait_is_nothing_to_say() -> None:
    assert taken_apart("[wa", "it]") == ("", ["wait"])


@pytest.mark.parametrize(
    ("text", "marks", "grounded"),
    [
        ("A cleaning is one hundred dollars.", ["cleaning-price"], True),
        ("A cleaning is $100.", ["cleaning-price"], True),
        ("A cleaning is eighty dollars.", ["cleaning-price"], False),
        ("A cleaning is one hundred and ten dollars.", ["cleaning-price"], False),
        ("We're open from nine in the morning.", ["business-hours"], True),
        ("Parking is free.", ["no-such-fact"], False),
        ("There is free parking.", ["no-such-fact"], False),
        ("There is free parking.", [], False),
        ("A whitening is two hundred dollars.", ["none"], False),
        ("I'm sorry, I don't have that here.", ["none"], None),
        ("You're welcome!", ["talk"], None),
        ("You're welcome, see you on Friday.", ["talk"], False),
        ("One moment.", ["talk"], None),
    ],
)
def test_an_answer_must_be_borne_by_its_sources(text: str, marks: list[str], grounded: bool | None) -> None:
    assert sourced(text, marks, DENTIST, "hello").grounded is grounded


def test_what_the_caller_said_may_be_repeated() -> None:
    assert sourced("For your 7 year old, yes.", ["parking"], DENTIST, "my son is seven").grounded is True
