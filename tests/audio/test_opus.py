"""Opus both ways, and what is heard where a packet is missing."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_voice.audio.concealment import LONGEST, conceal
from kame_voice.audio.opus import SILENCE, BadPayload, OpusDecoder, OpusEncoder, samples_in
from kame_voice.core.nouns import Pcm

FRAME = 480


def sweep(seconds: float = 1.0) -> Pcm:
    t = np.arange(int(seconds * 24_000)) / 24_000
    return (0.3 * np.sin(2 * np.pi * (200 * t + 300 * t**2))).astype(np.float32)


def through(pcm: Pcm) -> Pcm:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    return np.concatenate(
        [decoder.decode(encoder.encode(pcm[at : at + FRAME])) for at in range(0, len(pcm), FRAME)]
    )


def test_one_packet_in_is_one_packet_out_and_sounds_alike() -> None:
    said = sweep()
    heard = through(said)
    assert len(heard) == len(said)
    delays = range(0, FRAME)
    likeness = [
        float(np.corrcoef(said[: -FRAME * 2], heard[d : d - FRAME * 2 or None])[0, 1]) for d in delays
    ]
    assert max(likeness) > 0.95
    assert int(np.argmax(likeness)) < 24 * 12, "under 12 ms of delay by coding and resampling"


def test_speech_takes_a_fraction_of_the_wire_that_it_would_uncoded() -> None:
    encoder = OpusEncoder()
    sizes = [len(encoder.encode(frame)) for frame in sweep().reshape(-1, FRAME)]
    assert sum(sizes) * 8 < 60_000, "bits in a second"


def test_the_ready_made_silence_is_silent_in_any_state_of_the_decoder() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    for frame in sweep(0.2).reshape(-1, FRAME):
        decoder.decode(encoder.encode(frame))
    silence = [decoder.decode(SILENCE) for _ in range(10)]
    assert {len(pcm) for pcm in silence} == {FRAME}
    assert max(float(np.abs(pcm).max()) for pcm in silence[3:]) < 1e-3


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_opus_are_sound_or_a_clear_no(payload: bytes) -> None:
    decoder = OpusDecoder()
    with contextlib.suppress(BadPayload):
        assert decoder.decode(payload).dtype == np.float32
    assert len(decoder.decode(SILENCE)) == FRAME, "and the next packet is heard"


def test_a_concealed_hole_goes_on_without_a_step_and_fades() -> None:
    before = sweep(0.1)
    hole = conceal(before, LONGEST)
    assert len(hole) == LONGEST
    assert abs(float(hole[0] - before[-1])) < 1e-3
    third = LONGEST // 3
    loudness = [float(np.abs(hole[at : at + third]).max()) for at in (0, third, 2 * third)]
    assert loudness == sorted(loudness, reverse=True)
    assert float(np.abs(hole[-24:]).max()) < 0.01


def test_a_hole_concealed_packet_by_packet_sounds_like_one_concealed_at_once() -> None:
    before = sweep(0.1)
    parts = [conceal(before, FRAME, after) for after in range(0, LONGEST, FRAME)]
    assert np.array_equal(np.concatenate(parts), conceal(before, LONGEST))


def test_a_packet_tells_its_length_without_being_decoded() -> None:
    lengths_ms = {
        SILENCE: 20,
        b"\x00": 10,
        b"\x18": 60,
        b"\x80": 2.5,
        b"\x09": 40,
        b"\x0b\x03": 60,
        b"": 0,
        b"\x03": 0,
    }
    assert {payload: samples_in(payload) / 24 for payload in lengths_ms} == lengths_ms


@pytest.mark.parametrize("samples", [1, 480, 960, LONGEST])
def test_a_hole_before_anything_was_heard_is_silence(samples: int) -> None:
    assert not conceal(np.zeros(0, np.float32), samples).any()
    assert len(conceal(sweep(0.02), samples)) == samples
