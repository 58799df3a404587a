"""Turn taking, chunk by chunk."""

from __future__ import annotations

import pytest

from kame_voice.flows.schema import TurnSettings
from kame_voice.hearing.base import (
    BargedIn,
    TurnEnded,
    TurnEvent,
    TurnStarted,
    VoiceLapsed,
    VoiceOnset,
    VoicePaused,
    VoiceResumed,
)
from kame_voice.hearing.turns import NEVER_MS, TurnDetector

CHUNK_MS = 32


class Talk:
    """Feeds chunks of voice and silence and keeps what came about."""

    def __init__(self, **settings: int) -> None:
        self.detector = TurnDetector(TurnSettings(**settings))
        self.now_ms = 0
        self.events: list[TurnEvent] = []
        self._agent_until_ms: int | None = None

    def agent_stops(self) -> None:
        self._agent_until_ms = self.now_ms

    def chunks(self, count: int, probability: float, *, agent: bool) -> list[TurnEvent]:
        came: list[TurnEvent] = []
        for _ in range(count):
            end_ms = self.now_ms + CHUNK_MS
            if agent:
                self._agent_until_ms = end_ms
            silent_ms = NEVER_MS if self._agent_until_ms is None else end_ms - self._agent_until_ms
            came += self.detector.step(probability, self.now_ms, end_ms, silent_ms)
            self.now_ms = end_ms
        self.events += came
        return came

    def voice(self, count: int, *, agent: bool = False) -> list[TurnEvent]:
        return self.chunks(count, 0.9, agent=agent)

    def silence(self, count: int, *, agent: bool = False) -> list[TurnEvent]:
        return self.chunks(count, 0.02, agent=agent)


def test_a_question_is_one_turn_from_its_first_to_its_last_voiced_moment() -> None:
    talk = Talk()
    talk.silence(10)
    talk.voice(30)
    talk.silence(20)
    assert talk.events == [
        VoiceOnset(320),
        TurnStarted(320),
        VoicePaused(1248),
        TurnEnded(320, 1248),
    ]


def test_the_turn_ends_after_the_lines_silence_and_not_before() -> None:
    talk = Talk(end_silence_ms=640)
    talk.voice(30)
    assert TurnEnded(0, 928) not in talk.silence(18)
    assert talk.silence(1) == [TurnEnded(0, 928)]


def test_a_pause_within_a_question_does_not_end_it() -> None:
    talk = Talk(end_silence_ms=350)
    talk.voice(20)
    talk.silence(8)
    talk.voice(20)
    talk.silence(20)
    assert [type(event) for event in talk.events] == [
        VoiceOnset,
        TurnStarted,
        VoicePaused,
        VoiceResumed,
        VoicePaused,
        TurnEnded,
    ]


def test_the_closure_of_a_consonant_is_told_and_ends_nothing() -> None:
    talk = Talk(end_silence_ms=150)
    talk.voice(10)
    assert talk.silence(1) == [VoicePaused(288)]
    talk.detector.expect_end(0, 320)
    assert talk.silence(1) == []
    assert talk.voice(1) == [VoiceResumed(384)]


def test_an_unsure_chunk_goes_on_with_what_was_before() -> None:
    talk = Talk()
    assert talk.chunks(5, 0.4, agent=False) == []
    talk.voice(5)
    assert talk.chunks(30, 0.4, agent=False) == []


def test_a_chunk_that_rises_to_the_onset_belongs_to_the_voice() -> None:
    talk = Talk()
    talk.silence(5)
    talk.chunks(1, 0.3, agent=False)
    assert talk.voice(1) == [VoiceOnset(160)]


def test_a_short_yes_is_a_turn_while_the_agent_is_silent() -> None:
    talk = Talk()
    talk.voice(4)
    talk.silence(20)
    assert TurnEnded(0, 96) in talk.events


def test_a_click_is_not() -> None:
    talk = Talk()
    talk.voice(2)
    talk.silence(20)
    assert talk.events == [VoiceOnset(0), VoiceLapsed(32)]


def test_a_cough_while_the_agent_speaks_lapses() -> None:
    talk = Talk()
    talk.silence(10, agent=True)
    assert talk.voice(9, agent=True) == [VoiceOnset(320)]
    assert talk.silence(5, agent=True) == [VoiceLapsed(576)]


def test_a_voice_that_lasts_takes_the_turn_from_the_agent() -> None:
    talk = Talk(barge_in_ms=350)
    talk.voice(10, agent=True)
    assert talk.events == [VoiceOnset(0)]
    assert talk.voice(1, agent=True) == [TurnStarted(0), BargedIn(352)]


def test_a_voice_between_backchannel_and_barge_in_takes_the_turn_once_it_ends() -> None:
    talk = Talk(backchannel_ms=300, barge_in_ms=500)
    talk.voice(12, agent=True)
    assert talk.silence(3, agent=True) == [TurnStarted(0), BargedIn(352)]
    assert TurnEnded(0, 352) in talk.silence(20)


def test_a_short_answer_over_the_agents_last_word_is_a_turn() -> None:
    talk = Talk()
    talk.voice(3, agent=True)
    talk.agent_stops()
    talk.voice(4)
    talk.silence(20)
    assert [type(event) for event in talk.events] == [VoiceOnset, TurnStarted, VoicePaused, TurnEnded]


def test_a_backchannel_in_a_pause_of_the_agents_lapses_when_the_agent_goes_on() -> None:
    talk = Talk()
    talk.silence(1, agent=True)
    talk.voice(4)
    talk.silence(3)
    talk.silence(1, agent=True)
    assert talk.events == [VoiceOnset(32), VoiceLapsed(128)]


@pytest.mark.parametrize(("silence_ms", "chunks"), [(200, 6), (960, 29)])
def test_who_knows_the_words_may_end_the_turn_sooner_or_later(silence_ms: int, chunks: int) -> None:
    talk = Talk(end_silence_ms=350)
    talk.voice(20)
    talk.silence(3)
    talk.detector.expect_end(silence_ms, talk.now_ms)
    assert talk.silence(chunks - 4) == []
    assert talk.silence(1) == [TurnEnded(0, 608)]


def test_that_expectation_lapses_when_the_caller_goes_on() -> None:
    talk = Talk(end_silence_ms=350)
    talk.voice(20)
    talk.silence(4)
    talk.detector.expect_end(200, talk.now_ms)
    talk.voice(10)
    assert not any(isinstance(event, TurnEnded) for event in talk.silence(9))
    assert isinstance(talk.silence(1)[0], TurnEnded)


def test_it_does_not_reach_into_the_next_turn() -> None:
    talk = Talk(end_silence_ms=350)
    talk.detector.expect_end(3000, 0)
    talk.voice(20)
    assert isinstance(talk.silence(10)[-1], TurnEnded)


def test_words_that_the_caller_has_gone_on_from_say_nothing_about_this_pause() -> None:
    talk = Talk(end_silence_ms=350)
    talk.voice(20)
    talk.silence(4)
    heard_to_ms = talk.now_ms
    talk.voice(10)
    talk.silence(3)
    talk.detector.expect_end(200, heard_to_ms)
    assert not any(isinstance(event, TurnEnded) for event in talk.silence(6))
    assert isinstance(talk.silence(1)[0], TurnEnded)
