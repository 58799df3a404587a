"""Late packets become silence; a path that stays slow is followed."""

from __future__ import annotations

import pytest

from kame_voice.calls.metronome import Metronome


def test_a_frame_is_overdue_one_grace_after_it_should_have_come() -> None:
    metronome = Metronome(now=100.0, grace_s=0.06)
    metronome.heard(until_s=0.02, now=100.02)
    assert metronome.due(until_s=0.04) == pytest.approx(100.10)


def test_packets_that_come_early_show_that_the_call_began_earlier() -> None:
    metronome = Metronome(now=100.0, grace_s=0.06)
    metronome.heard(until_s=1.0, now=100.5)
    assert metronome.due(until_s=1.02) == pytest.approx(100.58)


def test_jitter_within_the_grace_moves_nothing() -> None:
    metronome = Metronome(now=0.0, grace_s=0.06)
    metronome.heard(until_s=0.02, now=0.02)
    metronome.heard(until_s=0.04, now=0.09)
    assert metronome.due(until_s=0.06) == pytest.approx(0.12)


def test_a_path_that_stays_slower_is_followed_by_the_excess() -> None:
    metronome = Metronome(now=0.0, grace_s=0.06)
    metronome.heard(until_s=0.02, now=0.02)
    metronome.heard(until_s=0.04, now=0.24)
    assert metronome.due(until_s=0.06) == pytest.approx(0.26)
    assert metronome.due(until_s=0.06) > 0.24, "the next frame is waited for, not cut"


def test_a_leg_that_waits_longer_for_missing_packets_is_waited_for() -> None:
    metronome = Metronome(now=0.0)
    metronome.leg_waits(0.1)
    metronome.heard(until_s=0.02, now=0.02)
    metronome.heard(until_s=0.04, now=0.14)
    assert 0.16 < metronome.due(until_s=0.06) < 0.18
    metronome.leg_waits(0.01)
    assert metronome.due(until_s=0.06) == pytest.approx(0.12)


def test_the_media_clock_never_runs_below_zero() -> None:
    assert Metronome(now=5.0).media_s(now=4.0) == 0.0
