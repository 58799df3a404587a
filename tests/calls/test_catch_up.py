"""After a stall the agent's voice is late, and then it is not."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from kame_voice.calls.catch_up import CatchUp
from kame_voice.core.nouns import Pcm
from kame_voice.front_end.base import SpokenFrame

FRAME = 1920
PACKET = 480


def tone(frame: int) -> Pcm:
    at = np.arange(FRAME) + FRAME * frame
    return (0.2 * np.sin(at * 2 * np.pi * 150 / 24_000)).astype(np.float32)


def hiss(frame: int) -> Pcm:
    return np.random.default_rng(frame).normal(0, 0.1, FRAME).astype(np.float32)


def room(frame: int) -> Pcm:
    return np.random.default_rng(frame).normal(0, 1e-4, FRAME).astype(np.float32)


class Line:
    """A front end that makes a frame every 80 ms, and a leg that plays what it is given in real time."""

    def __init__(self) -> None:
        self.catch_up = CatchUp()
        self.made: deque[Pcm] = deque()
        self.played = 0
        self.busy_until = 0.0

    def run(self, frames: range, sound: object, stalled: range = range(0)) -> float:
        """How late the last of `frames` began to play, in seconds; in `stalled` ones nothing was taken."""
        lateness = 0.0
        for number in frames:
            now = number * 0.08
            self.made.append(sound(number))  # type: ignore[operator]
            if number in stalled:
                self.busy_until = now + 0.08
                continue
            while self.made and self.busy_until <= now + 0.08:
                starts = max(self.busy_until, now)
                waiting = len(self.made) - (starts < now + 0.001)
                frame = self.catch_up.next(SpokenFrame(self.made.popleft(), speaking=True, waiting=waiting))
                assert len(frame.pcm) % PACKET == 0
                assert len(frame.pcm)
                self.played += len(frame.pcm)
                lateness = starts - (number - len(self.made)) * 0.08
                self.busy_until = starts + len(frame.pcm) / 24_000
        return lateness


@pytest.mark.parametrize("sound", [tone, hiss, room])
def test_what_a_stall_has_delayed_is_caught_up_within_seconds(sound: object) -> None:
    line = Line()
    assert line.run(range(10), sound) == 0
    assert line.run(range(10, 20), sound, stalled=range(12, 16)) > 0.2
    assert line.run(range(20, 90), sound) < 0.08
    assert 0.2 < line.catch_up.left_out / 24_000 < 0.4


def test_in_a_pause_it_is_caught_up_within_half_a_second() -> None:
    line = Line()
    line.run(range(20), tone, stalled=range(12, 16))
    assert line.run(range(20, 27), room) < 0.08


def test_a_front_end_that_is_in_time_is_passed_on_untouched() -> None:
    catch_up = CatchUp()
    frames = [SpokenFrame(tone(n), speaking=True) for n in range(50)]
    assert [catch_up.next(frame) for frame in frames] == frames
    assert catch_up.left_out == 0


def test_a_frame_that_is_late_once_in_a_while_is_jitter() -> None:
    catch_up = CatchUp()
    for number in range(40):
        frame = SpokenFrame(tone(number), speaking=True, waiting=int(number % 4 != 0))
        assert catch_up.next(frame) is frame


def test_nothing_is_lost_between_the_frames_but_what_is_left_out() -> None:
    catch_up = CatchUp()
    played = sum(len(catch_up.next(SpokenFrame(tone(n), speaking=True, waiting=3)).pcm) for n in range(100))
    assert 0 <= 100 * FRAME - catch_up.left_out - played < PACKET


def test_a_cut_takes_what_still_waited_for_a_whole_packet_with_it() -> None:
    catch_up = CatchUp()
    for number in range(7):
        catch_up.next(SpokenFrame(tone(number), speaking=True, waiting=2))
    after = SpokenFrame(hiss(0), speaking=True, cut=True)
    assert catch_up.next(after) is after
