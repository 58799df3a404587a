"""Sentences out of streamed text."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.front_end.spoken.sentences import SentenceSplitter, sentences_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We do. You may.", ["We do.", "You may."]),
        ("Really? Yes! Good.", ["Really?", "Yes!", "Good."]),
        ("Dr. Smith is in. Mrs. Jones is not.", ["Dr. Smith is in.", "Mrs. Jones is not."]),
        ("It is 4.5 miles. Walk.", ["It is 4.5 miles.", "Walk."]),
        ("We open at 9 a.m. on weekdays.", ["We open at 9 a.m. on weekdays."]),
        ("We open at 9 a.m. Saturday and Sunday.", ["We open at 9 a.m. Saturday and Sunday."]),
        ("We open at 9 a.m. Please call.", ["We open at 9 a.m.", "Please call."]),
        ("Call 555.010.0199. Or write.", ["Call 555.010.0199.", "Or write."]),
        ("Ask J. K. Rowling. Now.", ["Ask J. K. Rowling.", "Now."]),
        ("It costs 45. We take cards.", ["It costs 45.", "We take cards."]),
        ("1. Park. 2. Ring.", ["1. Park.", "2. Ring."]),
        ("See No. 5 there. No. We do not.", ["See No. 5 there.", "No.", "We do not."]),
        ('He said "Come in." Then he left.', ['He said "Come in."', "Then he left."]),
        ("One\n\ntwo", ["One", "two"]),
        ("  ", []),
        ("No stop", ["No stop"]),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences


def test_a_sentence_is_given_as_soon_as_the_next_one_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("We open at nine") == []
    assert splitter.feed(". ") == []
    assert splitter.feed("W") == ["We open at nine."]
    assert splitter.tail == "W"


def test_a_piece_that_stops_inside_a_time_breaks_nothing() -> None:
    splitter = SentenceSplitter()
    pieces = ["At 9 a.", "m. ", "Sat", "urday we open. ", "Come"]
    assert [sentence for piece in pieces for sentence in splitter.feed(piece)] == [
        "At 9 a.m. Saturday we open."
    ]
    assert splitter.finish() == ["Come"]


def test_a_sentence_too_long_for_one_breath_is_broken_at_a_comma() -> None:
    parts = sentences_of("We have cleaning, " * 20 + "and more.")
    assert len(parts) > 1
    assert all(part.endswith((",", ".")) and len(part) <= 240 for part in parts)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Yes, we do. You may, too.", ["Yes,", "we do.", "You may, too."]),
        ("Of course, come in.", ["Of course,", "come in."]),
        (
            "A cleaning is ninety dollars, and takes an hour.",
            ["A cleaning is ninety dollars,", "and takes an hour."],
        ),
        ("Red, green and blue.", ["Red, green and blue."]),
        ("We open at nine. Then, as always, we close.", ["We open at nine.", "Then, as always, we close."]),
    ],
)
def test_a_slow_writer_is_begun_at_the_first_clause(text: str, pieces: list[str]) -> None:
    splitter = SentenceSplitter(begins_early=True)
    assert [*splitter.feed(text), *splitter.finish()] == pieces


TEXT = st.text(st.sampled_from(list('ab AI19.,!?\n"m')), max_size=60) | st.sampled_from(
    [
        "Dr. Smith. At 9 a.m. Sunday. No. 5. 1. Go. x. Yes.",
        "word, " * 90,
        "Yes, at 9 a.m. Sunday, or so, go. So.",
        "Yes, we!\nGo on, please do, go.",
    ]
)


@given(TEXT, st.lists(st.integers(0, 540), max_size=8), st.booleans())
def test_the_sentences_do_not_depend_on_how_the_text_was_cut(text: str, cuts: list[int], early: bool) -> None:
    splitter, whole = SentenceSplitter(begins_early=early), SentenceSplitter(begins_early=early)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    found = [s for a, b in itertools.pairwise(edges) for s in splitter.feed(text[a:b])]
    assert [*found, *splitter.finish()] == [*whole.feed(text), *whole.finish()]


@given(TEXT)
def test_no_character_is_lost(text: str) -> None:
    assert "".join("".join(sentences_of(text)).split()) == "".join(text.split())
