from hypothesis import given
from hypothesis import strategies as st

from kame_voice.oracle.words import number_words, same_word, spoken_words, stem, stems


def test_numbers_are_the_same_as_digits_and_as_words() -> None:
    assert spoken_words("Twenty-five dollars at 5") == spoken_words("25 dollars at five")


def test_contractions_are_opened() -> None:
    assert spoken_words("What's that? I'm here.") == ["what", "is", "that", "i", "am", "here"]


def test_case_and_punctuation_do_not_count() -> None:
    assert same_word("Saturday?", "saturday")
    assert not same_word("Saturday", "Sunday")


def test_kin_words_share_a_stem() -> None:
    assert stem("cleanings") == stem("cleaned") == stem("clean")
    assert stems("Do you offer payment plans") == stems("do you offer payments plan")


@given(st.integers(0, 99))
def test_every_number_under_a_hundred_is_heard_as_itself(number: int) -> None:
    assert spoken_words(number_words(number)) == [str(number)]


@given(st.text())
def test_any_text_has_words(text: str) -> None:
    assert all(word == word.lower() and word for word in spoken_words(text))
    stems(text)
