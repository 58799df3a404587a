"""Words that make a whole turn, and words that ask for more."""

from __future__ import annotations

import pytest

from kame_voice.flows.schema import TurnSettings
from kame_voice.hearing.completeness import Completeness, completeness, silence_after

WHOLE = (
    "Do you take credit cards?",
    "Hi, what would a cleaning set me back?",
    "Can she come in?",
    "Are you open?",
    "Who am I speaking to?",
    "What is it for?",
    "My mother uses a wheelchair. Can she get in?",
    "When I come in on Saturday, do I have to pay?",
    "How do I get to you what street is it?",
)
OPEN = (
    "",
    "No.",
    "On Saturday.",
    "And on Sunday?",
    "Thank you.",
    "I'd like to make an appointment.",
    "How late are you open on",
)
PREAMBLE = ("Hello.", "My daughter is six.", "I ran over some glass.", "I am driving over.")
UNFINISHED = (
    "Hi, um, I wanted to",
    "Hi, I wanted to ask",
    "I'd like to make an",
    "Do you have",
    "Do you have any",
    "How much is",
    "Could you tell me",
    "When I come in on Saturday,",
    "If my tire is flat.",
    "My number is 555",
    "And so my fellow American ask not",
    "We came by car...",
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (text, what)
        for what, texts in (
            (Completeness.WHOLE, WHOLE),
            (Completeness.OPEN, OPEN),
            (Completeness.PREAMBLE, PREAMBLE),
            (Completeness.UNFINISHED, UNFINISHED),
        )
        for text in texts
    ],
)
def test_the_words_say_whether_the_turn_is_complete(text: str, what: Completeness) -> None:
    assert completeness(text) is what


def test_the_wait_follows_the_words() -> None:
    times = TurnSettings(end_silence_ms=400, whole_silence_ms=220, unfinished_silence_ms=1200)
    assert silence_after("Do you take cards?", times) == 220
    assert silence_after("No.", times) == 400
    assert silence_after("My daughter is six.", times) == 800
    assert silence_after("Do you have", times) == 1200


def test_a_line_for_slow_talkers_is_patient_in_mid_sentence_too_and_a_hasty_one_hasty() -> None:
    assert silence_after("Do you have", TurnSettings(end_silence_ms=1500)) == 1500
    assert silence_after("Do you take cards?", TurnSettings(end_silence_ms=150)) == 150
