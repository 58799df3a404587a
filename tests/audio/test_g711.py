"""Mu-law as the telephone network codes it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.audio import g711


def test_every_code_survives_the_way_through_samples() -> None:
    codes = bytes(range(256))
    again = g711.encode(g711.decode(codes))
    negative_zero = 0x7F
    assert again == codes.replace(bytes([negative_zero]), b"\xff")


@given(st.binary(max_size=400))
def test_any_bytes_decode_to_as_many_samples_within_full_scale(payload: bytes) -> None:
    pcm = g711.decode(payload)
    assert pcm.dtype == np.float32
    assert pcm.shape == (len(payload),)
    assert np.all(np.abs(pcm) <= 1)


@given(st.floats(-1, 1, width=32))
def test_a_sample_comes_back_within_mu_laws_step(sample: float) -> None:
    back = float(g711.decode(g711.encode(np.array([sample], np.float32)))[0])
    assert abs(back - sample) <= 0.036 * abs(sample) + 0.0005


def test_what_is_louder_than_full_scale_is_clipped_not_wrapped() -> None:
    loud = g711.decode(g711.encode(np.array([3.0, -3.0], np.float32)))
    assert loud[0] > 0.97
    assert loud[1] < -0.97


def test_digital_silence_is_recognised_in_both_its_codes() -> None:
    assert g711.is_silent(g711.encode(np.zeros(160, np.float32)))
    assert g711.is_silent(b"\xff\x7f\xff")
    assert not g711.is_silent(b"\xff\xfe\xff")
