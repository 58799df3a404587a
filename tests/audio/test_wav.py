"""Recordings in and out."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from kame_voice.audio.wav import AudioFileError, read_audio, write_wav


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    pcm = (0.5 * np.sin(np.arange(24_000) / 20)).astype(np.float32)
    write_wav(tmp_path / "tone.wav", pcm)
    np.testing.assert_allclose(read_audio(tmp_path / "tone.wav"), pcm, atol=1e-4)


def test_any_rate_and_channels_become_24_khz_mono(tmp_path: Path) -> None:
    stereo = np.stack([np.full(8_000, 0.5), np.full(8_000, 0.1)], axis=1).astype(np.float32)
    write_wav(tmp_path / "stereo.wav", stereo, rate=8_000)
    pcm = read_audio(tmp_path / "stereo.wav")
    assert pcm.dtype == np.float32
    assert len(pcm) == pytest.approx(24_000, abs=3)
    assert pcm[12_000] == pytest.approx(0.3, abs=0.01)


def test_too_loud_is_clipped_not_wrapped(tmp_path: Path) -> None:
    write_wav(tmp_path / "loud.wav", np.full(480, 7.0, np.float32))
    with wave.open(str(tmp_path / "loud.wav")) as file:
        assert set(np.frombuffer(file.readframes(480), "<i2")) == {32767}


def test_a_file_that_is_no_audio_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.wav"
    path.write_text("Dear Sir or Madam")
    with pytest.raises(AudioFileError, match=r"letter\.wav"):
        read_audio(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="nowhere"):
        read_audio(tmp_path / "nowhere.flac")
