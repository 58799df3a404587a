import pytest

from kame_voice.oracle.doubt import Decoded, believed

SURE = {"logprob": -0.3, "no_speech": 0.05}


def test_what_was_heard_well_is_believed() -> None:
    assert believed(Decoded("Are you open?", **SURE), 900) == "Are you open?"


@pytest.mark.parametrize(
    ("text", "logprob", "no_speech"),
    [("you", -1.6, 0.99), ("You", -3.5, 0.95), ("I'm", -3.5, 0.93), ("A...", -2.9, 0.79)],
)
def test_what_tiny_whisper_writes_for_silence_noise_and_tones_is_not(
    text: str, logprob: float, no_speech: float
) -> None:
    assert believed(Decoded(text, logprob, no_speech), 2000) == ""


def test_a_doubtful_thanks_for_watching_is_not() -> None:
    assert believed(Decoded("Thanks for watching!", -0.6, 0.5), 1500) == ""


def test_a_clear_thank_you_is() -> None:
    assert believed(Decoded("Thank you.", -0.4, 0.1), 500) == "Thank you."


def test_words_without_a_voice_are_not() -> None:
    assert believed(Decoded("Hello there", **SURE), 32) == ""


def test_more_words_than_anyone_can_speak_are_not() -> None:
    assert believed(Decoded("one thing and another and yet more than that", **SURE), 300) == ""


def test_a_loop_is_cut_to_its_first_round() -> None:
    assert believed(Decoded("I want to go to go to go to go to go", **SURE), 3000) == "I want to go"


def test_a_number_said_digit_by_digit_is_no_loop() -> None:
    assert believed(Decoded("5 5 5 5 5", **SURE), 2500) == "5 5 5 5 5"


def test_descriptions_of_sounds_are_dropped() -> None:
    assert believed(Decoded("[MUSIC] Hello (coughs) again", **SURE), 1500) == "Hello again"


def test_a_text_that_begins_over_again_is_cut_behind_its_first_time() -> None:
    text = "Could you have a look at my son? Could you have"
    assert believed(Decoded(text, -0.1, 0.01), 2_500) == "Could you have a look at my son?"


def test_a_caller_may_ask_again() -> None:
    text = "Hello? Hello? Are you open? I said are you open?"
    assert believed(Decoded(text, -0.1, 0.01), 3_500) == text
