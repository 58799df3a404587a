from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.audio import g711
from kame_voice.caller.playback import Playback, Underrun
from kame_voice.caller.wire_stats import measure

LOUD = g711.encode(np.full(160, 0.5, np.float32))


def test_audio_drains_in_real_time_from_when_it_comes() -> None:
    playback = Playback()
    assert playback.receive(LOUD, 0.100) is not None
    assert playback.receive(LOUD, 0.105) is not None
    heard = playback.heard(2400)
    assert not heard[:800].any()
    assert (heard[800:1120] > 0.4).all()
    assert not heard[1120:].any()
    assert playback.arrivals[1].lead_s == pytest.approx(0.015)


def test_a_buffer_that_runs_dry_leaves_a_hole_that_is_counted() -> None:
    playback = Playback()
    playback.receive(LOUD, 0.0)
    playback.receive(LOUD, 0.030)
    heard = playback.heard(400)
    assert playback.underruns == [Underrun(160, 240)]
    assert not heard[160:240].any()
    assert measure(playback, heard, 0.0).holes_ms == [10.0]


def test_a_pause_between_two_sentences_is_no_hole() -> None:
    playback = Playback()
    playback.receive(LOUD, 0.0)
    playback.receive(b"\xff" * 160, 0.001)
    playback.receive(LOUD, 0.200)
    assert len(playback.underruns) == 1
    assert measure(playback, playback.heard(2000), 0.0).holes_ms == []


def test_a_mark_comes_back_when_the_audio_before_it_was_played() -> None:
    playback = Playback()
    playback.receive(LOUD, 0.0)
    playback.mark("first", 0.001)
    playback.receive(LOUD, 0.002)
    playback.mark("second", 0.003)
    playback.due(0.019)
    assert playback.marks == []
    assert playback.next_due() == pytest.approx(0.020)
    playback.due(0.020)
    playback.due(0.040)
    assert [(mark.name, mark.heard) for mark in playback.marks] == [("first", True), ("second", True)]
    assert playback.next_due() is None


def test_a_mark_on_an_empty_buffer_comes_back_at_once() -> None:
    playback = Playback()
    playback.mark("now", 1.0)
    playback.due(1.0)
    assert [mark.name for mark in playback.marks] == ["now"]


def test_clear_empties_the_buffer_and_returns_the_marks_unheard() -> None:
    playback = Playback()
    for at in range(5):
        playback.receive(LOUD, 0.001 * at)
    playback.mark("late", 0.006)
    playback.clear(0.050)
    heard = playback.heard(800)
    assert (heard[:400] > 0.4).all()
    assert not heard[400:].any()
    assert [(mark.name, mark.at_s, mark.heard) for mark in playback.marks] == [("late", 0.050, False)]
    playback.receive(LOUD, 0.060)
    assert (playback.heard(640)[480:640] > 0.4).all()
    assert playback.underruns == []


def test_what_was_not_played_at_the_end_of_the_call_is_never_heard() -> None:
    playback = Playback()
    playback.receive(LOUD, 0.0)
    playback.mark("m", 0.0)
    playback.stop(0.010)
    assert not playback.heard(160)[80:].any()
    assert playback.next_due() is None


def test_more_than_ten_minutes_of_buffer_is_thrown_away() -> None:
    playback = Playback()
    playback.receive(b"\xff" * (8000 * 600 + 160), 0.0)
    assert playback.receive(LOUD, 0.001) is None
    assert playback.overflowed == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["media", "mark", "clear"]), st.floats(0, 0.2), st.integers(1, 1600)),
        max_size=40,
    )
)
def test_every_mark_comes_back_once_in_order_and_no_sample_sounds_twice(
    events: list[tuple[str, float, int]],
) -> None:
    playback = Playback()
    now = 0.0
    sent: list[str] = []
    for place, (kind, wait, size) in enumerate(events):
        now += wait
        playback.due(now)
        if kind == "media":
            playback.receive(b"\x00" * size, now)
        elif kind == "mark":
            sent.append(f"m{place}")
            playback.mark(sent[-1], now)
        else:
            playback.clear(now)
    playback.due(now + 60)
    assert [mark.name for mark in playback.marks] == sent
    assert all(one.end <= two.start for one, two in pairwise(playback.pieces))
    assert all(arrival.lead_s >= 0 for arrival in playback.arrivals)


def test_even_arrivals_have_no_jitter_and_a_late_one_shows() -> None:
    playback = Playback()
    for at in (0.0, 0.0, *(0.02 * place for place in range(1, 49))):
        playback.receive(LOUD, at)
    stats = measure(playback, playback.heard(8000), 0.0)
    assert max(stats.jitter_ms) == pytest.approx(0, abs=1e-6)
    assert stats.late_share == 0
    playback.receive(LOUD, 0.02 * 49 + 0.025)
    stats = measure(playback, playback.heard(9000), 0.0)
    assert max(stats.jitter_ms) == pytest.approx(25)
    assert stats.late >= 1
