"""What the caller says: mu-law audio from a text or a sound file, with its voiced edges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.audio import g711
from kame_voice.audio.resample import Resampler
from kame_voice.audio.wav import read_audio
from kame_voice.caller.errors import SilentClip
from kame_voice.caller.twilio_side import FRAME_BYTES, RATE
from kame_voice.caller.voiced import spans
from kame_voice.core.nouns import SAMPLE_RATE, Pcm

if TYPE_CHECKING:
    from hibari import Hibari

__all__ = ["CallerVoice", "Clip", "clip_from_file", "clip_from_pcm"]

_TAIL: Final = SAMPLE_RATE // 50
"""The resampler holds back 2 ms: 20 ms of silence push the end out."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Mu-law at 8 kHz, whole 20 ms frames. Samples [voice_start, voice_end) hold its voice."""

    text: str
    audio: bytes
    voice_start: int
    voice_end: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.audio) / RATE


def clip_from_pcm(text: str, pcm: Pcm, *, rate: int = SAMPLE_RATE) -> Clip:
    """A clip of `pcm` [n] at `rate` Hz. Raises SilentClip when no voice is in it."""
    narrow = Resampler(rate, RATE).feed(np.concatenate([pcm, np.zeros(_TAIL, np.float32)]))
    return _clip(text, narrow)


def clip_from_file(path: Path) -> Clip:
    """A clip of any file that PyAV reads. Raises AudioFileError or SilentClip."""
    return clip_from_pcm(path.name, read_audio(path))


def _clip(text: str, narrow: NDArray[np.float32]) -> Clip:
    audio = g711.encode(narrow)
    audio += b"\xff" * (-len(audio) % FRAME_BYTES)
    voiced = spans(g711.decode(audio), pause_ms=60_000, adaptive=True)
    if not voiced:
        raise SilentClip("holds no voice", where=repr(text), do="give words or a recording with speech in it")
    return Clip(text, audio, voiced[0].start, voiced[-1].end)


class CallerVoice:
    """A voice for callers: hibari's, with its own pace and pitch.

    `speed` 1.0 is the voice's own pace (0.5 slow to 2.0 fast); `pitch` 1.0 its own pitch (0.8 is
    a deeper, 1.2 a higher voice: the timbre moves with it). Same text, same audio.
    """

    def __init__(self, *, speed: float = 1.0, pitch: float = 1.0) -> None:
        from hibari import Hibari

        self._hibari: Hibari = Hibari()
        self._speed = speed
        self._pitch = pitch

    def speak(self, text: str, *, speed: float | None = None, pitch: float | None = None) -> Clip:
        """Synthesise `text` with this voice's pace and pitch, or others this once."""
        pcm, rate = self._synthesize(text, speed or self._speed, pitch or self._pitch)
        return clip_from_pcm(text, pcm, rate=rate)

    def sound(self, text: str) -> Pcm:
        """`text` as a good microphone hears it, [n] at 24 kHz: for callers who are not on a telephone."""
        pcm, rate = self._synthesize(text, self._speed, self._pitch)
        padded = np.concatenate([pcm, np.zeros(-len(pcm) % (rate // 50) + rate // 50, np.float32)])
        return Resampler(rate, SAMPLE_RATE).feed(padded)

    def _synthesize(self, text: str, speed: float, pitch: float) -> tuple[Pcm, int]:
        """Played back at the rate returned, the pitch rises and so does the pace: the latter is undone."""
        pcm: Pcm = self._hibari(text, speed=speed / pitch, seed=0)
        # whole multiples of 50 Hz, so that 20 ms are whole samples for the resampler
        return pcm, round(SAMPLE_RATE * pitch / 50) * 50
