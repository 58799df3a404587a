"""8 to 24 kHz and back, by either resampler: a clean band, nothing folded into it, no clicks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kame_voice.audio.line_resample import LineResampler
from kame_voice.audio.resample import Resampler

Kind = type[Resampler] | type[LineResampler]

BOTH_KINDS = pytest.mark.parametrize("kind", [Resampler, LineResampler])
BOTH_WAYS = pytest.mark.parametrize(("from_hz", "to_hz"), [(8_000, 24_000), (24_000, 8_000)])
BAND = [300, 440, 697, 1000, 1477, 1900, 2500, 3000, 3200, 3400]
Samples = NDArray[np.float32]


def tone(hz: float, rate: int, seconds: float = 0.5) -> Samples:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def through(kind: Kind, from_hz: int, to_hz: int, pcm: Samples, frame_ms: int = 20) -> Samples:
    resampler = kind(from_hz, to_hz)
    step = from_hz * frame_ms // 1000
    return np.concatenate([resampler.feed(pcm[at : at + step]) for at in range(0, len(pcm), step)])


def fit(pcm: Samples, hz: float, rate: int) -> tuple[float, float]:
    """Amplitude of the tone, and its ratio to everything else in dB."""
    phase = 2 * np.pi * hz * np.arange(len(pcm)) / rate
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    parts = np.linalg.lstsq(basis, pcm.astype(np.float64), rcond=None)[0]
    rest = pcm - basis @ parts
    return float(np.hypot(*parts)), float(20 * np.log10(np.std(basis @ parts) / np.std(rest)))


@BOTH_KINDS
@BOTH_WAYS
@pytest.mark.parametrize("hz", BAND)
def test_a_tone_in_the_telephone_band_comes_through_clean(
    kind: Kind, from_hz: int, to_hz: int, hz: int
) -> None:
    out = through(kind, from_hz, to_hz, tone(hz, from_hz))[to_hz // 20 :]
    amplitude, ratio_db = fit(out, hz, to_hz)
    assert ratio_db >= 45
    assert amplitude == pytest.approx(0.5, rel=0.05)


@BOTH_KINDS
@pytest.mark.parametrize("hz", [4600, 4700, 5000, 5600, 6400, 7400, 8200, 9300, 10_300, 11_000])
def test_a_tone_above_the_band_does_not_fold_into_it(kind: Kind, hz: int) -> None:
    out = through(kind, 24_000, 8_000, tone(hz, 24_000))[400:]
    assert 20 * np.log10(np.std(out) / np.std(tone(hz, 24_000))) <= -40


@BOTH_KINDS
@BOTH_WAYS
@pytest.mark.parametrize("frame_ms", [20, 80])
def test_every_frame_gives_exactly_one_frame(kind: Kind, from_hz: int, to_hz: int, frame_ms: int) -> None:
    resampler = kind(from_hz, to_hz)
    frames = [resampler.feed(np.zeros(from_hz * frame_ms // 1000, np.float32)) for _ in range(50)]
    assert {len(frame) for frame in frames} == {to_hz * frame_ms // 1000}


@BOTH_KINDS
@BOTH_WAYS
def test_the_delay_is_at_most_three_milliseconds(kind: Kind, from_hz: int, to_hz: int) -> None:
    click = np.zeros(from_hz // 10, np.float32)
    click[from_hz // 50] = 1.0
    peak = int(np.argmax(np.abs(through(kind, from_hz, to_hz, click))))
    assert 0 <= peak / to_hz - 0.02 <= 0.003


@BOTH_KINDS
@BOTH_WAYS
def test_seams_between_frames_cannot_be_heard(kind: Kind, from_hz: int, to_hz: int) -> None:
    pcm = tone(1000, from_hz)
    in_frames = through(kind, from_hz, to_hz, pcm, 20)
    at_once = through(kind, from_hz, to_hz, pcm, 500)
    np.testing.assert_allclose(in_frames, at_once, atol=1e-5)


@given(st.sampled_from([Resampler, LineResampler]), st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_packets_of_any_number_of_frames_keep_the_length(kind: Kind, frames: list[int]) -> None:
    resampler = kind(8_000, 24_000)
    for count in frames:
        assert len(resampler.feed(np.zeros(count * 160, np.float32))) == count * 480


@given(st.lists(st.integers(0, 12), max_size=12), st.sampled_from([(8_000, 24_000), (24_000, 8_000)]))
def test_the_line_resampler_gives_the_same_audio_however_it_is_cut(
    cuts: list[int], way: tuple[int, int]
) -> None:
    step = way[0] // 400
    pcm = np.random.default_rng(7).uniform(-1, 1, sum(cuts) * step).astype(np.float32)
    whole, resampler, at, parts = LineResampler(*way).feed(pcm), LineResampler(*way), 0, []
    for cut in cuts:
        parts.append(resampler.feed(pcm[at : at + cut * step]))
        at += cut * step
    np.testing.assert_allclose(np.concatenate([*parts, np.zeros(0, np.float32)]), whole, atol=1e-5)


def test_the_line_resampler_knows_only_the_lines_rates_and_whole_blocks() -> None:
    with pytest.raises(ValueError, match="8000 to 24000"):
        LineResampler(16_000, 24_000)
    with pytest.raises(ValueError, match="multiple of 20"):
        LineResampler(8_000, 24_000).feed(np.zeros(7, np.float32))
