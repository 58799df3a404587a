"""Sound made shorter, and what a listener must not hear of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.audio.shorten import shortened
from kame_voice.core.nouns import Pcm

FRAME = 1920
TIME = np.arange(FRAME) / 24_000


def voice(hz: float) -> Pcm:
    """A voice's wave: a period with overtones."""
    return sum(0.2 / n * np.sin(2 * np.pi * hz * n * TIME) for n in (1, 2, 3)).astype(np.float32)  # type: ignore[union-attr]


def steepest(pcm: Pcm) -> float:
    return float(np.abs(np.diff(pcm)).max())


@pytest.mark.parametrize("hz", [90.0, 140.0, 230.0, 390.0])
def test_of_a_voice_whole_periods_are_left_out_so_that_the_wave_goes_on(hz: float) -> None:
    whole = voice(hz)
    shorter = shortened(whole)
    left_out_s = (len(whole) - len(shorter)) / 24_000
    assert 0.002 < left_out_s <= 0.0126
    periods = left_out_s * hz
    assert periods == pytest.approx(round(periods), abs=0.1)
    assert steepest(shorter) < 1.1 * steepest(whole), "no click"


def test_a_pause_becomes_half_as_long() -> None:
    room = np.random.default_rng(1).normal(0, 1e-3, FRAME).astype(np.float32)
    shorter = shortened(room)
    assert len(shorter) == FRAME // 2
    assert float(np.abs(shorter).max()) <= 1.5 * float(np.abs(room).max())


def test_noise_as_of_an_s_loses_a_little_and_no_loudness() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.1, FRAME).astype(np.float32)
    shorter = shortened(hiss)
    assert FRAME - 301 <= len(shorter) < FRAME
    seam = shorter[len(shorter) // 2 - 120 : len(shorter) // 2 + 120]
    assert 0.07 < float(np.sqrt((seam**2).mean())) < 0.14


def test_where_a_consonant_begins_nothing_is_left_out() -> None:
    onset = voice(140.0)
    onset[: FRAME // 2] *= 0.001
    assert shortened(onset) is onset


@given(st.integers(0, 4000), st.sampled_from([0.0, 1e-4, 0.1, 1.0]))
def test_whatever_it_is_no_more_than_half_goes(samples: int, loudness: float) -> None:
    pcm = (np.random.default_rng(samples).normal(0, 1, samples) * loudness).astype(np.float32)
    shorter = shortened(pcm)
    assert len(pcm) / 2 <= len(shorter) <= len(pcm)
    assert shorter.dtype == np.float32
    assert np.isfinite(shorter).all()
