"""A speech engine without a model, a vocabulary of letters and a voice of beeps: typed, no torch."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kame_voice.core.nouns import Pcm
from kame_voice.front_end.kame.call_state import Rules, Vocabulary
from kame_voice.front_end.kame.errors import EngineFaulted
from kame_voice.front_end.kame.script import FREE, ForcedScript, PlacedWord
from tests.front_end.kame.test_words import Letters

VOCABULARY = Vocabulary(Letters(), padding=3, end_padding=0, opening=200, card=100_000)
FRAME = 1920


class FakeEngine:
    """Speaks, one step later, whatever oracle token it was given; forced tokens come out as forced.

    Its `seen` oracle tokens and `wiped` rows are kept. Row r's sound is silence but for forced frames.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.input: Any = SimpleNamespace(
            pcm=np.zeros((capacity, FRAME), np.float32),
            oracle=np.full(capacity, 3, np.int64),
            forced=np.full((capacity, 9), FREE, np.int64),
            active=np.zeros(capacity, np.bool_),
            temperature=np.zeros(capacity, np.float32),
            text_temperature=np.zeros(capacity, np.float32),
            top_k=np.ones(capacity, np.int64),
            text_top_k=np.ones(capacity, np.int64),
            seed=np.zeros(capacity, np.int64),
        )
        self.age = np.zeros(capacity, np.int64)
        self.seen: list[dict[int, int]] = []
        self.heard: list[dict[int, float]] = []
        self.wiped: list[tuple[list[int], bool]] = []
        self.fault_at: int | None = None
        self._pending = np.full((capacity, 9), 3, np.int64)

    @property
    def batches(self) -> tuple[int, ...]:
        return (self.capacity,)

    def wipe(self, rows: NDArray[np.bool_], *, codec: bool = True) -> None:
        self.wiped.append((np.flatnonzero(rows).tolist(), codec))
        self.age[rows] = 0

    def tick(self, batch: int | None = None) -> Any:
        if self.fault_at is not None and len(self.seen) >= self.fault_at:
            raise EngineFaulted("rows [0] computed NaN or infinity")
        rows = np.flatnonzero(self.input.active).tolist()
        self.seen.append({row: int(self.input.oracle[row]) for row in rows})
        self.heard.append({row: float(self.input.pcm[row][0]) for row in rows})
        tokens = np.full((self.capacity, 9), FREE, np.int64)
        pcm = np.zeros((self.capacity, FRAME), np.float32)
        for row in rows:
            forced = self.input.forced[row]
            if self.age[row] > 0:
                tokens[row] = self._pending[row]
                tokens[row, 2:] = forced[2:]
                if (forced[2:] != FREE).all():
                    pcm[row] = 0.1
            said = forced[0] if forced[0] != FREE else self.input.oracle[row]
            self._pending[row, 0] = 3 if said == VOCABULARY.opening else said
            self._pending[row, 1] = forced[1]
            self.age[row] += 1
        return SimpleNamespace(tokens=tokens, pcm=pcm)


def script(text: str, frames: int = 4, *, interruptible: bool = True) -> ForcedScript:
    """A script of `text` whose words end in its first frames, one a frame."""
    words = tuple(PlacedWord(word, index, index) for index, word in enumerate(text.split()))
    codes = np.ones((frames, 8), np.int64)
    return ForcedScript(codes, np.full(frames, 3, np.int64), words, interruptible)


@dataclass(frozen=True)
class Beep:
    pcm: Pcm
    words: tuple[tuple[str, int], ...]


def beep(text: str) -> Future[Any]:
    """100 ms of tone a word."""
    words = text.split()
    made: Future[Any] = Future()
    samples = 2400 * len(words)
    tone = np.sin(np.arange(samples) * 0.1).astype(np.float32) * 0.2
    made.set_result(Beep(tone, tuple((word, 2400 * (at + 1)) for at, word in enumerate(words))))
    return made


class FakeScribe:
    def write(self, text: str, *, interruptible: bool) -> Future[ForcedScript]:
        made: Future[ForcedScript] = Future()
        made.set_result(script(text, interruptible=interruptible))
        return made


@dataclass
class FakeBuilt:
    """What a front end is built of in tests."""

    engine: FakeEngine
    scribe: FakeScribe = field(default_factory=FakeScribe)
    vocabulary: Vocabulary = VOCABULARY
    rules: Rules = field(default_factory=lambda: Rules(soft=2000, hard=2950))
    closed: bool = False

    def warm_up(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
