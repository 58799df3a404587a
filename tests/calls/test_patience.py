"""Silence and minutes end a call, each with its word said once."""

from __future__ import annotations

import pytest

from kame_voice.calls.patience import Patience, Word
from kame_voice.flows.schema import Business, Flow, Limits
from kame_voice.front_end.base import SpokenWord


@pytest.fixture
def flow() -> Flow:
    return Flow(
        version=1,
        customer="acme",
        line="acme-main",
        greeting="Hello.",
        goodbye="Thank you. Goodbye.",
        business=Business(name="Acme", time_zone="UTC"),
        limits=Limits(max_minutes=2, max_silence_s=10),
    )


def words(text: str, utterance: int) -> list[SpokenWord]:
    return [SpokenWord(word, utterance) for word in text.split()]


def test_a_silent_caller_is_asked_once_and_then_bidden_goodbye(flow: Flow) -> None:
    patience = Patience(flow)
    assert patience.at(9_999) is Word.NOTHING
    assert patience.at(10_000) is Word.STILL_THERE
    patience.agent_speaks(11_000, words("Still there?", 1))
    assert patience.at(20_000) is Word.NOTHING
    assert patience.at(21_000) is Word.GOODBYE_SILENT
    assert patience.at(60_000) is Word.NOTHING


def test_a_caller_who_answers_is_asked_again_later(flow: Flow) -> None:
    patience = Patience(flow)
    assert patience.at(10_000) is Word.STILL_THERE
    patience.caller_speaks(11_000)
    assert patience.at(40_000) is Word.NOTHING, "a caller who talks is not silent"
    patience.caller_fell_silent(41_000)
    assert patience.at(51_000) is Word.STILL_THERE


def test_the_agents_own_speech_is_not_silence(flow: Flow) -> None:
    patience = Patience(flow)
    patience.agent_speaks(9_000, words("A long answer.", 1))
    assert patience.at(10_000) is Word.NOTHING


def test_the_limit_of_minutes_ends_the_call_whoever_talks(flow: Flow) -> None:
    patience = Patience(flow)
    patience.caller_speaks(119_000)
    assert patience.at(119_999) is Word.NOTHING
    assert patience.at(120_000) is Word.GOODBYE_LIMIT


def test_a_farewell_that_nobody_answers_hangs_up(flow: Flow) -> None:
    patience = Patience(flow)
    patience.agent_speaks(5_000, words("Thank you. Goodbye.", 3))
    assert patience.at(7_999) is Word.NOTHING
    assert patience.at(8_000) is Word.HANG_UP


def test_a_caller_who_goes_on_after_the_farewell_is_not_hung_up_on(flow: Flow) -> None:
    patience = Patience(flow)
    patience.agent_speaks(5_000, words("Thank you. Goodbye.", 3))
    patience.caller_speaks(6_000)
    patience.caller_fell_silent(7_000)
    assert patience.at(11_000) is Word.NOTHING
