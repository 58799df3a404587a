"""The model made to say exact words: forced text and audio tokens, step by step. Pure.

Knows the layout of a step, [text, q0, q1 … q7], and its acoustic delay; knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FREE", "ForcedScript", "PlacedWord", "text_track"]

FREE: Final = -2
"""In a row of forced tokens: sample this one."""


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word of a script: the frame in which it starts and the one in which it ends."""

    text: str
    start: int
    end: int


def text_track(
    words: list[tuple[int, list[int]]], frames: int, *, padding: int, end_padding: int
) -> NDArray[np.int64]:
    """Text tokens for each of `frames` frames, from (start frame, tokens) of each word.

    One token a frame, a word's pieces without a gap; a word that finds its place taken moves back
    until it is free. The step before a word holds the end padding, as in the model's training.
    Tokens that find no frame are left out.
    """
    track = np.full(frames, padding, dtype=np.int64)
    at = 0
    for start, tokens in words:
        at = max(at, start)
        if 0 < at < frames and track[at - 1] == padding:
            track[at - 1] = end_padding
        fits = tokens[: max(0, frames - at)]
        track[at : at + len(fits)] = fits
        at += len(fits)
    return track


@dataclass(slots=True)
class ForcedScript:
    """`codes` [frames, 8] and `text` [frames] to be forced, and the words that go with them.

    Forced at step k: text and q0 of frame i, and q1 … q7 of frame i−1, because those come one step
    later (`delay` 1). So a script of n frames forces n+1 steps, and the engine's output shows frame i
    one step after it was begun.
    """

    codes: NDArray[np.int64]
    text: NDArray[np.int64]
    words: tuple[PlacedWord, ...] = ()
    interruptible: bool = True
    delay: int = 1
    begun: int = field(default=0)
    shown: int = field(default=0)

    @property
    def frames(self) -> int:
        """Frames of audio."""
        return len(self.codes)

    @property
    def forcing(self) -> bool:
        """Whether steps are still to be forced."""
        return self.begun < self.frames + self.delay

    @property
    def over(self) -> bool:
        """Whether every frame has come out of the engine."""
        return self.shown >= self.frames

    def row(self) -> NDArray[np.int64]:
        """The forced tokens [9] of the next step."""
        row = np.full(1 + self.codes.shape[1], FREE, dtype=np.int64)
        if self.begun < self.frames:
            row[0] = self.text[self.begun]
            row[1] = self.codes[self.begun, 0]
        late = self.begun - self.delay
        if 0 <= late < self.frames:
            row[2:] = self.codes[late, 1:]
        self.begun += 1
        return row

    def shows(self) -> tuple[bool, tuple[str, ...]]:
        """Call after each forced step: whether its output is a frame of this script, and the words
        that end in it."""
        if self.begun <= self.delay or self.over:
            return False, ()
        frame = self.shown
        self.shown += 1
        return True, tuple(word.text for word in self.words if word.end == frame)
