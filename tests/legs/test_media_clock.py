"""The caller's clock as seen from here."""

from __future__ import annotations

import pytest

from kame_voice.legs.media_clock import MediaClock


def test_packets_that_arrive_in_time_set_the_clock_and_late_ones_do_not() -> None:
    clock = MediaClock(now=100.0)
    clock.arrived(480, now=100.02)
    clock.arrived(960, now=100.09)
    assert clock.sample_at(101.0) == pytest.approx(24_000, abs=1)
    clock.arrived(24_000, now=100.9)
    assert clock.sample_at(101.0) == pytest.approx(26_400, abs=1)


def test_how_long_the_first_packet_took_to_come_at_all_is_no_delay_of_the_path() -> None:
    clock = MediaClock(now=100.0)
    assert clock.sample_at(101.0) == 24_000
    clock.arrived(480, now=102.02)
    assert clock.sample_at(103.0) == pytest.approx(24_000, abs=1)
    assert clock.moment_of(480) == pytest.approx(102.02)


def test_positions_before_the_answer_are_zero() -> None:
    assert MediaClock(now=100.0).sample_at(50.0) == 0


def test_a_path_that_stays_slower_is_followed_within_two_windows() -> None:
    clock = MediaClock(now=0.0)
    for packet in range(1, 2_500):
        late = 0.0 if packet < 500 else 0.1
        clock.arrived(packet * 480, now=packet * 0.02 + late)
    assert clock.sample_at(50.0) == pytest.approx(49.9 * 24_000, abs=1)
