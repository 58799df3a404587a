"""How long a missing packet is waited for, on paths good and bad."""

from __future__ import annotations

import random

import pytest

from kame_voice.legs.late_window import LONGEST_S, SHORTEST_S, LateWindow


def after(*lateness_s: float) -> LateWindow:
    window = LateWindow()
    for late_s in lateness_s:
        window.came(late_s)
    return window


def test_on_a_good_path_nothing_is_waited_for_long() -> None:
    assert after(*[0.003] * 500).seconds == SHORTEST_S


@pytest.mark.parametrize("jitter_s", [0.06, 0.1])
def test_on_a_path_with_jitter_nearly_every_packet_is_waited_for(jitter_s: float) -> None:
    chance = random.Random(1)
    lateness = [chance.uniform(0, jitter_s) for _ in range(500)]
    window = after(*lateness)
    missed = [late_s for late_s in lateness if late_s > window.seconds]
    assert len(missed) <= 0.02 * len(lateness)
    assert window.seconds <= jitter_s + 0.02


def test_one_stall_in_many_packets_makes_no_call_slower() -> None:
    assert after(*[0.003] * 100, 0.4, *[0.003] * 100).seconds == SHORTEST_S


def test_a_path_that_became_good_again_is_trusted_again() -> None:
    assert after(*[0.09] * 200).seconds > 0.09
    assert after(*[0.09] * 200, *[0.003] * 3_000).seconds == SHORTEST_S


def test_no_path_makes_us_wait_for_ever() -> None:
    assert after(*[2.0] * 50).seconds == LONGEST_S


def test_a_change_is_told_once() -> None:
    window = LateWindow()
    assert [window.came(0.09) for _ in range(5)] == [True, False, False, False, False]
