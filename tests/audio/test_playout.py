"""The outbound clock: absolute, with a bounded lead, honest about silence and stalls."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.audio.playout import FRAME_S, Playout


class FarSide:
    """Plays what it gets back to back, as a carrier's buffer does."""

    def __init__(self) -> None:
        self.free_at = 0.0
        self.played: dict[str, float] = {}
        self.deepest = 0.0

    def gets(self, frame: str, now: float) -> None:
        self.played[frame] = max(self.free_at, now)
        self.free_at = self.played[frame] + FRAME_S
        self.deepest = max(self.deepest, self.free_at - now)


def run(playout: Playout[str], far: FarSide, since: float, until: float) -> float:
    """Wake exactly when the playout asks for it."""
    now = since
    while (due := playout.due()) is not None and max(now, due) <= until:
        now = max(now, due)
        while (frame := playout.take(now)) is not None:
            far.gets(frame, now)
    return until


def push(playout: Playout[str], names: str, now: float, *, silent: str = "_") -> list[float]:
    """One frame a letter; `_` is a silent one."""
    return [playout.push(f"{name}{index}", now, silent=name == silent) for index, name in enumerate(names)]


def test_the_first_frames_go_out_at_once_up_to_the_lead_then_one_each_20_ms() -> None:
    playout: Playout[str] = Playout(lead_s=0.04)
    push(playout, "abcd", now=1.0)
    assert playout.take(1.0) == "a0"
    assert playout.take(1.0) == "b1"
    assert playout.take(1.0) is None
    assert playout.due() == pytest.approx(1.02)
    assert playout.take(1.02) == "c2"
    assert playout.due() == pytest.approx(1.04)


def test_a_late_timer_does_not_move_the_clock() -> None:
    playout: Playout[str] = Playout(lead_s=0.04)
    push(playout, "a" * 500, now=0.0)
    now = 0.0
    for index in range(500):
        while playout.take(now) is not None:
            pass
        due = playout.due()
        if due is not None:
            now = due + (0.003 if index % 2 else 0.001)
    assert playout.sent_frames == 500
    assert now == pytest.approx(498 * FRAME_S, abs=0.021)
    assert playout.late_frames == 0


def test_audio_that_comes_in_time_joins_without_a_seam() -> None:
    playout: Playout[str] = Playout(lead_s=0.04)
    first = push(playout, "ab", now=0.0)
    run(playout, FarSide(), 0.0, 0.03)
    second = push(playout, "cd", now=0.03)
    assert [*first, *second] == pytest.approx([0.0, 0.02, 0.04, 0.06])


def test_after_idle_time_the_clock_starts_again_now() -> None:
    playout: Playout[str] = Playout()
    push(playout, "ab", now=0.0)
    run(playout, FarSide(), 0.0, 5.0)
    assert push(playout, "c", now=5.0) == [5.0]
    assert playout.take(5.0) == "c0"
    assert playout.late_frames == 0


def test_after_a_stall_of_ours_the_lead_is_not_longer_than_before() -> None:
    playout: Playout[str] = Playout(lead_s=0.04)
    far = FarSide()
    push(playout, "a" * 50, now=0.0)
    run(playout, far, 0.0, 0.1)
    run(playout, far, 0.4, 2.0)
    assert playout.late_frames == 1
    assert far.deepest <= 0.04 + 1e-9


def test_a_short_pause_is_sent_as_it_is() -> None:
    playout: Playout[str] = Playout()
    push(playout, "ab___cd", now=0.0)
    far = FarSide()
    run(playout, far, 0.0, 1.0)
    assert len(far.played) == 7


def test_long_silence_is_not_sent_but_takes_its_time() -> None:
    playout: Playout[str] = Playout()
    expected = push(playout, "ab" + "_" * 40 + "cdef", now=0.0)
    far = FarSide()
    run(playout, far, 0.0, 2.0)
    assert len(far.played) == 2 + 5 + 4
    assert far.played["c42"] == pytest.approx(expected[42])
    assert far.played["f45"] == pytest.approx(expected[45])


def test_after_skipped_silence_the_lead_is_built_up_again_at_once() -> None:
    playout: Playout[str] = Playout(lead_s=0.04)
    push(playout, "_" * 10 + "abcd", now=0.0)
    assert playout.take(0.19) is None
    assert playout.take(0.2001) == "a10"
    assert playout.take(0.2001) == "b11"
    assert playout.take(0.2001) is None


def test_a_mark_goes_out_right_behind_its_audio() -> None:
    playout: Playout[str] = Playout(lead_s=0.04)
    push(playout, "ab", now=0.0)
    playout.push_mark("mark", 0.0)
    assert [playout.take(0.0) for _ in range(3)] == ["a0", "b1", "mark"]


def test_a_mark_behind_skipped_silence_waits_until_the_silence_is_over() -> None:
    playout: Playout[str] = Playout(lead_s=0.04)
    push(playout, "_" * 10, now=0.0)
    playout.push_mark("mark", 0.0)
    assert playout.take(0.19) is None
    assert playout.take(0.2001) == "mark"


def test_clearing_forgets_the_queue_and_what_the_far_side_held() -> None:
    playout: Playout[str] = Playout()
    push(playout, "a" * 20, now=0.0)
    run(playout, FarSide(), 0.0, 0.1)
    playout.clear(0.1)
    assert not playout.busy
    assert playout.queued_s == 0
    assert push(playout, "b", now=0.11) == [0.11]


def test_lateness_of_timers_does_not_add_up_over_many_utterances() -> None:
    playout: Playout[str] = Playout()
    names = ("a" * 10 + "_" * 10) * 50
    expected = push(playout, names, now=0.0)
    now = 0.0
    while (due := playout.due()) is not None:
        now = due + 0.002
        while playout.take(now) is not None:
            pass
    assert now == pytest.approx(expected[-1], abs=0.03)


def test_a_cushion_lets_a_producer_in_real_time_be_late_without_a_hole() -> None:
    playout: Playout[str] = Playout(cushion_s=0.02)
    starts = [playout.push("a", now=0.02 * frame + late) for frame, late in enumerate([0, 0.015, 0, 0.019])]
    assert starts == pytest.approx([0.02, 0.04, 0.06, 0.08])


def test_calls_that_begin_at_different_moments_share_their_wake_ups() -> None:
    starts = [Playout[str](grid_s=0.005).push("a", now) for now in (1.0011, 1.0023, 1.0049)]
    assert starts == pytest.approx([1.005] * 3)


@pytest.mark.parametrize("lead_s", [0.0, 0.1, 5.0])
def test_a_lead_that_would_make_barge_in_deaf_is_refused(lead_s: float) -> None:
    with pytest.raises(ValueError, match="lead_s"):
        Playout(lead_s)


@given(
    st.lists(st.tuples(st.text("ab_", max_size=30), st.floats(0, 0.7)), max_size=12),
    st.sampled_from([0.02, 0.04, 0.09]),
    st.floats(0, 0.003),
)
def test_whatever_comes_the_far_side_never_holds_more_than_the_lead_and_plays_in_time(
    bursts: list[tuple[str, float]], lead_s: float, timer_late: float
) -> None:
    playout: Playout[str] = Playout(lead_s)
    far = FarSide()
    expected: dict[str, float] = {}
    now = 0.0
    for number, (names, pause) in enumerate(bursts):
        for index, name in enumerate(names):
            key = f"{name}{number}.{index}"
            expected[key] = playout.push(key, now, silent=name == "_")
        until = now + pause
        while (due := playout.due()) is not None and due + timer_late <= until:
            now = max(now, due + timer_late)
            while (frame := playout.take(now)) is not None:
                far.gets(frame, now)
        now = until
    assert far.deepest <= lead_s + timer_late + 1e-9
    order = list(far.played)
    assert order == [key for key in expected if key in far.played]
    assert all(later - sooner >= FRAME_S - 1e-9 for sooner, later in pairwise(far.played.values()))
    for key, played_at in far.played.items():
        assert played_at >= expected[key] - 1e-9, "never before its time: pauses are not swallowed"
