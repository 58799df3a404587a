"""Frames by position: holes are silence, what is late is dropped, nothing is moved."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.audio.framing import Framer, FramerCounters
from kame_voice.core.nouns import Pcm


def ramp(start: int, count: int) -> Pcm:
    """Samples that tell their own position (from 1, so that silence stands out)."""
    return np.arange(start + 1, start + count + 1, dtype=np.float32)


def test_packets_become_whole_frames_in_order() -> None:
    framer = Framer(8)
    for start in range(0, 16, 4):
        framer.push(ramp(start, 4), start)
    assert framer.pop() is not None
    frame = framer.pop()
    assert frame is not None
    np.testing.assert_array_equal(frame, ramp(8, 8))
    assert framer.pop() is None
    assert framer.position == 16
    assert framer.counters() == FramerCounters(gap_samples=0, late_samples=0)


def test_a_lost_packet_becomes_silence_at_its_place() -> None:
    framer = Framer(8)
    framer.push(ramp(0, 2), 0)
    framer.push(ramp(6, 2), 6)
    frame = framer.pop()
    assert frame is not None
    np.testing.assert_array_equal(frame, [1, 2, 0, 0, 0, 0, 7, 8])
    assert framer.counters().gap_samples == 4


def test_at_the_deadline_what_is_missing_is_silence_and_what_comes_later_is_late() -> None:
    framer = Framer(8)
    framer.push(ramp(0, 5), 0)
    np.testing.assert_array_equal(framer.pop_due(), [1, 2, 3, 4, 5, 0, 0, 0])
    framer.push(ramp(5, 5), 5)
    assert framer.counters() == FramerCounters(gap_samples=3, late_samples=3)
    np.testing.assert_array_equal(framer.pop_due(), [9, 10, 0, 0, 0, 0, 0, 0])


def test_a_packet_that_comes_twice_is_heard_once() -> None:
    framer = Framer(4)
    framer.push(ramp(0, 4), 0)
    framer.push(ramp(0, 4), 0)
    assert framer.pop() is not None
    assert framer.pop() is None
    assert framer.counters().late_samples == 4


def test_a_stream_that_begins_a_little_after_its_clock_has_lost_nothing() -> None:
    in_time, overdue = Framer(8), Framer(8)
    in_time.push(ramp(12, 4), 12)
    overdue.pop_due()
    overdue.push(ramp(12, 4), 12)
    for framer in (in_time, overdue):
        while framer.pop() is not None:
            pass
        assert framer.position == 16
        assert framer.counters() == FramerCounters(gap_samples=0, late_samples=0)


def test_audio_that_never_came_is_lost_from_the_start() -> None:
    silent, much_later = Framer(8), Framer(8)
    silent.pop_due()
    assert silent.counters().gap_samples == 8
    much_later.pop_due()
    much_later.push(ramp(10**6, 8), 10**6)
    assert much_later.counters().gap_samples == 8


def test_a_long_hole_costs_no_memory_until_it_is_popped() -> None:
    framer = Framer(4)
    framer.push(ramp(0, 4), 10**12)
    frame = framer.pop()
    assert frame is not None
    assert not frame.any()


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 30), st.booleans()), max_size=30),
    st.integers(1, 16),
)
def test_every_sample_handed_out_is_silence_or_stands_at_its_own_position(
    pushes: list[tuple[int, int, bool]], frame_samples: int
) -> None:
    framer = Framer(frame_samples)
    pushed = placed = at = lead = 0
    out: list[Pcm] = []
    for jump, count, force in pushes:
        at = max(0, at + jump)
        if count and not pushed:
            lead = at
        framer.push(ramp(at, count), at)
        pushed, at = pushed + count, at + count
        if force:
            out.append(framer.pop_due())
        while (frame := framer.pop()) is not None:
            out.append(frame)
    out.append(framer.pop_due())
    while framer.pop() is not None:
        raise AssertionError("pop after pop_due had a frame that pop_due left behind")
    audio = np.concatenate(out)
    placed = np.count_nonzero(audio)
    np.testing.assert_array_equal(audio[audio != 0], np.flatnonzero(audio) + 1)
    lost = framer.counters()
    assert len(audio) == framer.position == placed + lost.gap_samples + min(lead, framer.position)
    assert placed + lost.late_samples <= pushed
