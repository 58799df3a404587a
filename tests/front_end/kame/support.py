"""Engines of the tiny model, and a lone call to compare with. Imported by tests that have torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kame_voice.core.nouns import Pcm
from kame_voice.front_end.kame.checkpoint import find_checkpoint
from kame_voice.front_end.kame.engine import FRAME, Engine, EngineOptions
from kame_voice.front_end.kame.script import FREE
from kame_voice.front_end.kame.weights import load_models


def engine(checkpoint: Path, capacity: int, **options: object) -> Engine:
    models = load_models(find_checkpoint(str(checkpoint)), device="cpu", dtype=torch.float32, oracle=True)
    return Engine(models, EngineOptions(capacity, **options))  # type: ignore[arg-type]


@dataclass
class Line:
    """One call's inputs, step by step, and what came out."""

    seed: int
    temperature: float = 0.0
    sampling_seed: int = 0
    top_k: int = 250
    at: int = 0
    tokens: list[list[int]] = field(default_factory=list)
    pcm: list[Pcm] = field(default_factory=list)
    forced: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def fill(self, into: Engine, row: int) -> None:
        chance = np.random.default_rng((self.seed, self.at))
        given = into.input
        given.active[row] = True
        given.pcm[row] = chance.standard_normal(FRAME).astype(np.float32) * 0.1
        given.oracle[row] = int(chance.integers(4, 190)) if self.at % 3 else 3
        given.forced[row] = self.forced.get(self.at, np.full(9, FREE))
        given.temperature[row] = given.text_temperature[row] = self.temperature
        given.top_k[row] = given.text_top_k[row] = self.top_k
        given.seed[row] = self.sampling_seed

    def keep(self, tokens: NDArray[np.int64], pcm: Pcm) -> None:
        self.at += 1
        self.tokens.append(tokens.tolist())
        self.pcm.append(pcm)


def run(into: Engine, schedule: list[dict[int, Line]]) -> None:
    """Each entry is a tick: which lines step, on which row."""
    for lines in schedule:
        into.input.active[:] = False
        for row, line in lines.items():
            line.fill(into, row)
        if lines:
            batch = next(size for size in into.batches if size > max(lines))
            result = into.tick(batch)
            for row, line in lines.items():
                line.keep(result.tokens[row], result.pcm[row])


def wipe(engine: Engine, *rows: int) -> None:
    mask = np.zeros(engine.capacity, dtype=np.bool_)
    mask[list(rows)] = True
    engine.wipe(mask)


def alone(engine: Engine, like: Line, steps: int) -> Line:
    """The same call on a wiped engine of its own, stepping without a pause."""
    wipe(engine, *range(engine.capacity))
    line = Line(like.seed, like.temperature, like.sampling_seed, like.top_k, forced=like.forced)
    run(engine, [{0: line}] * steps)
    return line
