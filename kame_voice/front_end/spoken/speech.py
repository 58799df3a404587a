"""A sentence as sound: trimmed, levelled, its words timed. Pure; does not know how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
_PAUSE_BLOCKS: Final = 10
"""100 ms: longer than the closure of a stop consonant."""


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
    return Speech(pcm, timed_words(text, len(pcm), _pauses(pcm)))


def timed_words(
    text: str, samples: int, pauses: Sequence[tuple[int, int]] = ()
) -> tuple[tuple[str, int], ...]:
    """The words of `text`, each with its end among `samples`, in proportion to how long they take to say.

    `pauses`: where the speech is silent, [from, to). If there are as many as the text has commas and
    the like within it, each stands at its own, and the proportions hold between them.
    """
    words = text.split()
    clauses: list[list[str]] = [[]]
    for word in words:
        clauses[-1].append(word)
        if _pause(word):
            clauses.append([])
    clauses = [clause for clause in clauses if clause]
    if not clauses or len(pauses) != len(clauses) - 1:
        return tuple(_in_proportion(words, 0, samples)) if words else ()
    starts = [0, *(end for _, end in pauses)]
    ends = [*(start for start, _ in pauses), samples]
    return tuple(
        timed
        for clause, start, end in zip(clauses, starts, ends, strict=True)
        for timed in _in_proportion(clause, start, end)
    )


def _pauses(pcm: Pcm) -> list[tuple[int, int]]:
    """Silences within `pcm` that a listener takes for pauses, [from, to) in samples."""
    blocks = pcm[: len(pcm) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    loud = np.flatnonzero(np.mean(blocks * blocks, axis=1) > (_LEVEL * _AUDIBLE) ** 2)
    gaps = [(int(a) + 1, int(b)) for a, b in pairwise(loud) if b - a > _PAUSE_BLOCKS]
    return [(start * _BLOCK, end * _BLOCK) for start, end in gaps]


def _in_proportion(words: list[str], start: int, end: int) -> list[tuple[str, int]]:
    weights = np.array([_weight(word) for word in words])
    pauses = np.array([_pause(word) for word in words[:-1]])
    ends = np.cumsum(weights) + np.concatenate(([0.0], np.cumsum(pauses)))
    return [
        (word, start + round(float(at / ends[-1]) * (end - start)))
        for word, at in zip(words, ends, strict=True)
    ]


def _weight(word: str) -> float:
    """About how many letters' time a word takes; a digit is a word of four letters itself."""
    letters = sum(character.isalpha() for character in word)
    digits = sum(character.isdigit() for character in word)
    marks = sum(character in "$€£%+@&" for character in word)
    return 1.5 + letters + 4.0 * digits + 6.0 * marks


def _pause(word: str) -> float:
    return 4.0 if word.endswith((",", ";", ":", "—", ".", "!", "?")) else 0.0
