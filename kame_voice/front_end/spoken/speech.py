"""A sentence as sound: trimmed, levelled, its words timed. Pure; does not know how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["Speech", "finished_speech", "timed_words"]

_BLOCK: Final = SAMPLE_RATE // 100
_LEVEL: Final = 10 ** (-20 / 20)
"""Telephone speech is engineered for about −20 dBm0 active level (ITU-T P.56, G.111)."""
_PEAK: Final = 0.9
_AUDIBLE: Final = 10 ** (-32 / 20)
"""Relative to the active level: a soft consonant lies above, the engine's breath noise below."""
_LEAD: Final = SAMPLE_RATE * 20 // 1000
_TRAIL: Final = SAMPLE_RATE * 40 // 1000
_FADE: Final = SAMPLE_RATE * 5 // 1000


@dataclass(frozen=True, slots=True)
class Speech:
    """One sentence: `pcm` [n, 24 kHz] starting and ending with its sound.

    `words` are the sentence's words as written, each with the sample at which it has been said.
    """

    pcm: Pcm
    words: tuple[tuple[str, int], ...]


def finished_speech(text: str, raw: Pcm) -> Speech:
    """Trim `raw` to its sound, bring it to −20 dBFS, time the words of `text` in it.

    The engine opens each sentence with about 300 ms of silence and closes with as much.
    """
    blocks = raw[: len(raw) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    power = np.mean(blocks * blocks, axis=1) if len(blocks) else np.zeros(1, np.float32)
    active = power[power > power.max() * 1e-3]
    if not len(active) or power.max() < 1e-8:
        return Speech(np.zeros(0, np.float32), timed_words(text, 0))
    rms = float(np.sqrt(active.mean()))
    loud = np.flatnonzero(power > (rms * _AUDIBLE) ** 2)
    start = max(0, int(loud[0]) * _BLOCK - _LEAD)
    end = min(len(raw), (int(loud[-1]) + 1) * _BLOCK + _TRAIL)
    pcm = raw[start:end].astype(np.float32)
    pcm *= min(_LEVEL / rms, _PEAK / float(np.abs(pcm).max()))
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    pcm[:_FADE] *= ramp
    pcm[-_FADE:] *= ramp[::-1]
    pcm.setflags(write=False)
    return Speech(pcm, timed_words(text, len(pcm)))


def timed_words(text: str, samples: int) -> tuple[tuple[str, int], ...]:
    """The words of `text`, each with its end among `samples`, in proportion to how long they take to say."""
    words = text.split()
    weights = np.array([_weight(word) for word in words])
    pauses = np.array([_pause(word) for word in words])
    if len(pauses):
        pauses[-1] = 0
    ends = np.cumsum(weights) + np.concatenate(([0.0], np.cumsum(pauses)[:-1])) if words else weights
    total = float(ends[-1]) if words else 1.0
    return tuple(
        (word, min(samples, round(float(end) / total * samples)))
        for word, end in zip(words, ends, strict=True)
    )


def _weight(word: str) -> float:
    """About how many letters' time a word takes; a digit is a word of four letters itself."""
    letters = sum(character.isalpha() for character in word)
    digits = sum(character.isdigit() for character in word)
    marks = sum(character in "$€£%+@&" for character in word)
    return 1.5 + letters + 4.0 * digits + 6.0 * marks


def _pause(word: str) -> float:
    return 4.0 if word.endswith((",", ";", ":", "—", ".", "!", "?")) else 0.0
