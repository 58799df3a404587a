from __future__ import annotations

import pytest

from kame_voice.bench.judge import held, judge, recall, word_errors

ANSWERS = {
    "cleaning": "A cleaning is one hundred and twenty dollars, and takes about forty-five minutes.",
    "whitening": "Whitening takes one visit of about an hour, and costs three hundred and fifty dollars.",
}


def test_the_right_answer_is_right_however_its_numbers_are_written() -> None:
    heard = "Sure. A cleaning is $120 and takes about 45 minutes."
    assert judge(heard, ANSWERS, ["cleaning"]).right
    assert not judge(heard, ANSWERS, ["whitening"]).right


def test_half_an_answer_is_not_right() -> None:
    assert not judge("A cleaning", ANSWERS, ["cleaning"]).right
    assert not judge("", ANSWERS, ["cleaning"]).right


def test_two_facts_are_wanted_where_two_were_asked() -> None:
    both = " ".join(ANSWERS.values())
    assert judge(both, ANSWERS, ["cleaning", "whitening"]).right
    assert not judge(ANSWERS["cleaning"], ANSWERS, ["cleaning", "whitening"]).right


def test_words_may_be_wanted_where_no_fact_has_them() -> None:
    assert judge("We open at 9 in the morning.", ANSWERS, [], ["nine"]).right
    assert not judge("We open at 10.", ANSWERS, [], ["nine"]).right


def test_only_content_words_count() -> None:
    assert recall("Yes, you can pay by card.", "yes you can") < 0.5
    assert recall("", "anything") == 0.0


def test_a_holding_phrase_is_known_by_its_words() -> None:
    phrases = ["One moment, please.", "Let me look that up."]
    assert held("One moment please. A cleaning is ...", phrases)
    assert not held("A cleaning is one hundred dollars", phrases)
    assert not held("", phrases)


@pytest.mark.parametrize(
    ("reference", "heard", "errors"),
    [("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b c", "a x c d", 2), ("a", "", 1), ("", "a", 1)],
)
def test_word_errors_are_the_fewest_edits(reference: str, heard: str, errors: int) -> None:
    assert word_errors(reference, heard) == (errors, len(reference.split()))
