"""Audio files: any format PyAV reads, in; 16-bit WAV, out."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from kame_voice.core.errors import KameError
from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["AudioFileError", "read_audio", "write_wav"]


class AudioFileError(KameError):
    """A file cannot be read as audio."""

    code = "bad-audio-file"


def read_audio(path: Path) -> Pcm:
    """The whole file as mono [n] at 24 kHz, the mean of its channels. Raises AudioFileError."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise AudioFileError("it has no audio", where=str(path), do="give a WAV or FLAC file")
            # channels are averaged here: the library's own mix of them could exceed −1..1
            resampler = av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
            parts = [
                out.to_ndarray().mean(axis=0, dtype=np.float32)
                for frame in [*container.decode(audio=0), None]
                for out in resampler.resample(frame)
            ]
    except (FFmpegError, OSError) as error:
        raise AudioFileError(
            f"cannot be read as audio: {error}", where=str(path), do="give a WAV or FLAC file"
        ) from error
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def write_wav(path: Path, pcm: Pcm, *, rate: int = SAMPLE_RATE) -> None:
    """Write `pcm` [n] or [n, channels], −1..1, as 16-bit WAV; louder samples are clipped."""
    channels = 1 if pcm.ndim == 1 else pcm.shape[1]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.rint(pcm * 32767), -32768, 32767).astype("<i2").tobytes())
