from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kame_voice.audio import g711
from kame_voice.caller.voiced import Span, is_voiced, spans


def _tone(samples: int) -> NDArray[np.float32]:
    # a cosine: its first sample is already loud, so the edges are exact
    return (0.3 * np.cos(2 * np.pi * np.arange(samples) / 8)).astype(np.float32)


def test_a_voice_is_found_to_the_sample() -> None:
    pcm = np.zeros(16_000, np.float32)
    pcm[1234:5678] = 0.3
    assert spans(pcm) == [Span(1234, 5678)]


def test_a_short_pause_does_not_end_a_stretch_and_a_long_one_does() -> None:
    pcm = np.zeros(16_000, np.float32)
    pcm[800:2400] = _tone(1600)
    pcm[4000:5600] = _tone(1600)
    pcm[12_000:13_600] = _tone(1600)
    found = spans(pcm)
    assert [span.start for span in found] == [800, 12_000]
    assert len(spans(pcm, pause_ms=100)) == 3


def test_silence_holds_no_voice_not_even_after_the_telephones_codec() -> None:
    assert spans(np.zeros(0, np.float32)) == []
    assert spans(g711.decode(b"\xff" * 8000)) == []
    assert not is_voiced(b"\xff" * 160)
    assert not is_voiced(b"")


def test_noise_between_words_is_not_voice_where_the_threshold_adapts() -> None:
    noise = np.random.default_rng(1).normal(0, 0.008, 24_000).astype(np.float32)
    noise[8000:16_000] += _tone(8000)
    assert len(spans(noise, adaptive=True)) == 1
    assert is_voiced(g711.encode(noise[8000:8160]))
