"""Our own voice coming back: told from the caller's by level and by likeness to what we played."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["EchoJudge"]

_RATE: Final = 8_000
_REACH_MS: Final = 560
"""Longest way our voice takes until it is heard in the caller's audio, with some to spare."""
_WINDOW: Final = 128 * _RATE // 1000
"""Samples of caller audio that are compared: 128 ms. Shorter ones find likeness by chance."""
_FFT: Final = 5_632
"""A quick length (2⁹·11) that holds the reach and the window."""
_RING: Final = 2 * _RATE
"""Two seconds of what we played: the reach, the window, and a leg's lead into the future."""
_SOUNDING: Final = 10 ** (-60 / 20)
"""RMS above which we sound; a comfort-noise floor lies below."""
_ALIKE: Final = 0.5
_SAME: Final = 0.8
_ECHO_GAIN: Final = 10 ** (-9 / 20)
"""An echo is expected to come back at least 9 dB weaker than it went out, unless it is nearly
identical with what we played (`_SAME`)."""
_FAINT: Final = 10 ** (-17 / 20)
"""Voice this much weaker than ours while an echo is known to come back is taken for its tail."""
_TAIL_MS: Final = 250
_LOW_PASS: Final = (np.sinc((np.arange(24) - 11.5) / 3.2) * np.hamming(24)).astype(np.float32)
_TAPS: Final = (_LOW_PASS / _LOW_PASS.sum()).astype(np.float32)


class EchoJudge:
    """Remembers what we played, on the call's media clock, and judges voiced caller audio against it.

    Not an echo canceller: it only answers whether a voice is ours. Its delay (0 to 560 ms) is found
    anew for every judgement.
    """

    def __init__(self) -> None:
        self._ring = np.zeros(_RING, np.float32)
        self._end = 0
        self._history: NDArray[np.float32] = np.zeros(len(_TAPS) - 3, np.float32)
        self._sounded_until_ms: float | None = None
        self._echo_until_ms = 0.0

    def played(self, pcm: Pcm, at_ms: int) -> None:
        """What we play, from `at_ms` of the media clock on. A later call for the same time overrides."""
        start = at_ms * _RATE // 1000
        length = len(pcm) * _RATE // SAMPLE_RATE
        loud = float(np.dot(pcm, pcm)) > _SOUNDING**2 * len(pcm)
        if loud or np.any(self._history):
            samples = np.concatenate((self._history, pcm[: 3 * length]))
            low = np.convolve(samples, _TAPS, "valid")[::3]
            self._history = samples[-len(self._history) :].copy()
        else:
            low = np.zeros(length, np.float32)
        if start > self._end:
            self._write(np.zeros(min(start - self._end, _RING), np.float32), start)
        self._write(low[:length], start + length)
        if loud:
            self._sounded_until_ms = at_ms + len(pcm) * 1000 / SAMPLE_RATE

    def _write(self, samples: NDArray[np.float32], end: int) -> None:
        self._ring[np.arange(end - len(samples), end) % _RING] = samples
        self._end = end

    def silent_ms(self, now_ms: int, never: int) -> int:
        """How long we have been silent at `now_ms`: 0 while we sound, `never` if we never have."""
        if self._sounded_until_ms is None:
            return never
        return max(0, int(now_ms - self._sounded_until_ms))

    def is_echo(self, heard: NDArray[np.float32], end_ms: int) -> bool:
        """Whether the voice at the end of `heard` is ours. Call it only for voiced audio.

        `heard`: the last 128 ms (or more) of caller audio at 16 kHz, ending at `end_ms`.
        """
        if self._sounded_until_ms is None or end_ms - self._sounded_until_ms > _REACH_MS:
            return False
        end = end_ms * _RATE // 1000
        reach = _REACH_MS * _RATE // 1000
        ours = self._past(end, _WINDOW + reach)
        voice = _halved(heard[-2 * _WINDOW :])
        level = _rms(heard[-512:])
        blocks = ours[: len(ours) // 256 * 256].reshape(-1, 256)
        our_level = float(np.sqrt(np.mean(blocks * blocks, axis=1)).max())
        if our_level < _SOUNDING:
            return False
        likeness, gain = _best_match(_bright(voice), _bright(ours))
        alike = likeness >= _SAME or (likeness >= _ALIKE and gain <= _ECHO_GAIN)
        if alike:
            self._echo_until_ms = end_ms + _TAIL_MS
            return True
        return end_ms <= self._echo_until_ms and level < _FAINT * our_level

    def _past(self, end: int, count: int) -> NDArray[np.float32]:
        """The `count` samples of ours that end at `end`; silence where nothing was played."""
        samples: NDArray[np.float32] = self._ring[np.arange(end - count, end) % _RING]
        ahead = end - self._end
        if ahead > 0:
            samples[max(0, count - ahead) :] = 0
        return samples


def _rms(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples * samples)))


def _halved(pcm16k: NDArray[np.float32]) -> NDArray[np.float32]:
    padded = np.concatenate((pcm16k, pcm16k[-1:]))
    return np.asarray((padded[0:-1:2] + padded[1::2]) * 0.5, np.float32)


def _bright(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pre-emphasis: without it the pitch of any two voices looks alike."""
    bright = samples.copy()
    bright[1:] -= 0.9 * samples[:-1]
    return bright


def _best_match(voice: NDArray[np.float32], ours: NDArray[np.float32]) -> tuple[float, float]:
    """The highest normalised correlation of `voice` over all delays, and the gain that goes with it."""
    size = _FFT  # what wraps round lands beyond the delays that are looked at
    product = np.fft.irfft(np.fft.rfft(ours, size) * np.conj(np.fft.rfft(voice, size)), size)
    matches = product[: len(ours) - len(voice) + 1]
    energy = np.cumsum(np.concatenate(([0.0], ours.astype(np.float64) ** 2)))
    ours_energy = energy[len(voice) :] - energy[: -len(voice)]
    voice_energy = float(np.dot(voice, voice))
    if voice_energy <= 0:
        return 0.0, 0.0
    floor = 1e-4 * float(ours_energy.max()) + 1e-12
    likeness = np.abs(matches) / np.sqrt((ours_energy + floor) * voice_energy)
    best = int(np.argmax(likeness))
    return float(likeness[best]), float(abs(matches[best]) / (ours_energy[best] + floor))
