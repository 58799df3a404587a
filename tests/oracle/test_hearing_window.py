from itertools import pairwise

import numpy as np
import pytest

from kame_voice.hearing.base import (
    TurnEnded,
    TurnEvent,
    TurnStarted,
    VoiceLapsed,
    VoiceOnset,
    VoicePaused,
    VoiceResumed,
)
from kame_voice.oracle.hearing_window import Hearing, HearingWindow, Reason, TurnGoesOn, TurnOver

FRAME_MS = 80
Wanted = list[Hearing | TurnOver | TurnGoesOn]


class Caller:
    """Feeds a window frames whose samples tell where on the media clock they lie."""

    def __init__(self) -> None:
        self.window = HearingWindow()
        self.at_ms = 0

    def talk(self, *events: TurnEvent, frames: int = 1, voiced: bool = True, level: float = 1.0) -> Wanted:
        wanted: Wanted = []
        for number in range(frames):
            ms = np.repeat(np.arange(self.at_ms, self.at_ms + FRAME_MS, dtype=np.float32), 16)
            wanted += self.window.hear(ms * level, self.at_ms, voiced, events if number == 0 else ())
            self.at_ms += FRAME_MS
        return wanted

    def hush(self, *events: TurnEvent, frames: int = 1) -> Wanted:
        return self.talk(*events, frames=frames, voiced=False)


def heard(wanted: Wanted) -> list[Hearing]:
    return [one for one in wanted if isinstance(one, Hearing)]


@pytest.fixture
def caller() -> Caller:
    return Caller()


def test_a_turn_is_heard_from_a_little_before_its_first_sound(caller: Caller) -> None:
    caller.hush(frames=25)
    caller.talk(VoiceOnset(2000))
    caller.talk(TurnStarted(2000))
    (first,) = heard(caller.talk(frames=6))
    assert first.reason is Reason.PARTIAL
    assert 1600 <= first.audio[0] <= 1700
    assert first.audio[-1] == first.covers_ms - 1


def test_the_beginning_is_kept_while_it_is_not_yet_known_to_be_a_turn(caller: Caller) -> None:
    caller.hush(frames=25)
    caller.talk(VoiceOnset(2000), frames=60)
    (first,) = heard(caller.talk(TurnStarted(2000)))
    assert first.audio[0] <= 1700


def test_partials_come_with_every_half_second_of_new_audio(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0))
    covered = [one.covers_ms for one in heard(caller.talk(frames=30))]
    assert all(480 <= after - before <= 640 for before, after in pairwise(covered))
    assert len(covered) >= 4


def test_a_pause_is_heard_at_once_and_is_the_final_when_the_turn_ends_there(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=5)
    (pause,) = heard(caller.hush(VoicePaused(400)))
    over = caller.hush(TurnEnded(0, 400))
    assert pause.reason is Reason.PAUSE
    assert over == [TurnOver(turn=1, segment=0, turn_start_ms=0, covers_ms=400)]


def test_in_a_pause_there_are_no_partials(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=5)
    caller.hush(VoicePaused(400))
    assert caller.hush(frames=20) == []
    assert heard(caller.talk(VoiceResumed(caller.at_ms), frames=7))


def test_a_pause_holds_until_the_caller_goes_on(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=5)
    (first,) = heard(caller.hush(VoicePaused(400)))
    caller.hush(frames=5)
    assert caller.window.is_paused_since(first)
    caller.talk(VoiceResumed(caller.at_ms))
    assert not caller.window.is_paused_since(first)
    (second,) = heard(caller.hush(VoicePaused(caller.at_ms)))
    assert caller.window.is_paused_since(second)
    assert not caller.window.is_paused_since(first)


def test_a_turn_without_a_pause_is_heard_when_it_ends(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=2)
    final, over = caller.hush(TurnEnded(0, 160))
    assert isinstance(final, Hearing)
    assert final.reason is Reason.FINAL
    assert isinstance(over, TurnOver)


def test_a_cough_leaves_nothing(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), frames=3)
    assert caller.hush(VoiceLapsed(240), frames=20) == []


def test_a_new_turn_does_not_hear_the_end_of_the_last_one(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=5)
    caller.hush(VoicePaused(400))
    caller.hush(TurnEnded(0, 400))
    caller.talk(VoiceOnset(caller.at_ms), TurnStarted(caller.at_ms))
    first = heard(caller.talk(frames=8))[0]
    assert first.turn == 2
    assert first.audio[0] >= 320


def test_voiced_time_counts_only_the_voice(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=3)
    (pause,) = heard(caller.hush(VoicePaused(240)))
    assert pause.voiced_ms == 240


def test_a_long_turn_goes_on_in_a_new_window_after_a_pause(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=230)
    (pause,) = heard(caller.hush(VoicePaused(caller.at_ms)))
    (segment,) = heard(caller.hush(frames=4))
    assert pause.reason is Reason.PAUSE
    caller.talk(VoiceResumed(caller.at_ms))
    following = heard(caller.talk(frames=10))[0]
    assert segment.reason is Reason.SEGMENT
    assert following.segment == segment.segment + 1
    assert following.audio[0] == segment.audio[-1] + 1


def test_a_turn_without_any_pause_is_cut_at_its_quietest_moment(caller: Caller) -> None:
    caller.talk(VoiceOnset(0), TurnStarted(0), frames=320)
    caller.talk(level=0.01)
    quiet_ms = caller.at_ms - FRAME_MS
    segments = [one for one in heard(caller.talk(frames=40)) if one.reason is Reason.SEGMENT]
    (segment,) = segments
    assert quiet_ms <= segment.covers_ms <= quiet_ms + FRAME_MS
    assert len(segment.audio) <= 30 * 16_000


def test_nothing_of_a_long_turn_is_lost_between_its_windows(caller: Caller) -> None:
    wanted = caller.talk(VoiceOnset(0), TurnStarted(0), frames=700)
    wanted += caller.hush(VoicePaused(caller.at_ms))
    closed = [one for one in heard(wanted) if one.reason is not Reason.PARTIAL]
    samples = np.concatenate([one.audio for one in closed])
    assert np.array_equal(samples, np.repeat(np.arange(701 * FRAME_MS, dtype=np.float32), 16))


def says_half(caller: Caller, frames: int = 10) -> int:
    """Half a sentence and the end of its turn; where its voice ended."""
    start_ms = caller.at_ms
    caller.talk(VoiceOnset(start_ms), TurnStarted(start_ms), frames=frames)
    end_ms = caller.at_ms
    caller.hush(VoicePaused(end_ms), frames=4)
    caller.hush(TurnEnded(start_ms, end_ms), frames=6)
    return end_ms


def test_a_turn_that_goes_on_is_heard_from_its_beginning_without_what_sounded_in_the_pause(
    caller: Caller,
) -> None:
    caller.hush(frames=10)
    end_ms = says_half(caller)
    caller.talk(level=9, voiced=False, frames=8)  # our own voice, as it comes back
    again_ms = caller.at_ms
    first = caller.talk(VoiceOnset(again_ms), TurnStarted(again_ms, goes_on=True))
    assert first == [TurnGoesOn(1)]
    (partial,) = heard(caller.talk(frames=7))
    assert (partial.turn, partial.segment, partial.turn_start_ms) == (1, 0, 800)
    assert (partial.audio[0], partial.audio[-1]) == (480, partial.covers_ms - 1)
    assert len(partial.audio) == (partial.covers_ms - 480) * 16
    between = partial.audio[(end_ms + 400 - 480) * 16 : (again_ms - 400 - 480) * 16]
    assert len(between)
    assert not between.any()
    assert partial.voiced_ms == (10 + 8) * FRAME_MS


@pytest.mark.parametrize(("frames", "pause"), [(160, 5), (10, 60)], ids=["a long turn", "a long pause"])
def test_words_that_lie_far_back_stand_as_they_were_read(caller: Caller, frames: int, pause: int) -> None:
    end_ms = says_half(caller, frames)
    caller.hush(frames=pause)
    again_ms = caller.at_ms
    goes_on, before = caller.talk(VoiceOnset(again_ms), TurnStarted(again_ms, goes_on=True))
    assert goes_on == TurnGoesOn(1)
    assert isinstance(before, Hearing)
    assert (before.reason, before.turn, before.segment) == (Reason.SEGMENT, 1, 0)
    assert before.audio[0] == 0
    assert before.audio[-1] >= end_ms - 1
    (partial,) = heard(caller.talk(frames=7))
    assert (partial.turn, partial.segment) == (1, 1)
    assert partial.audio[0] >= again_ms - 400
