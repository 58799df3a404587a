from kame_voice.oracle.never_say import forbidden_in


def test_forbidden_words_are_found_whatever_their_case() -> None:
    assert forbidden_in("That is GUARANTEED!", ("guaranteed",)) == "guaranteed"


def test_a_phrase_is_found_across_punctuation() -> None:
    assert forbidden_in("No, problem", ("no problem",)) == "no problem"


def test_a_word_inside_another_is_not() -> None:
    assert forbidden_in("It is cheaper", ("cheap",)) is None
