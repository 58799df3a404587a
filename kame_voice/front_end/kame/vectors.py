"""Reference vectors replayed through the engine, spread over rows that join, pause and leave (torch)."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from kame_voice.front_end.kame.checkpoint import find_checkpoint
from kame_voice.front_end.kame.codec_free import codec_free
from kame_voice.front_end.kame.cursor import OracleCursor
from kame_voice.front_end.kame.engine import Engine, EngineOptions
from kame_voice.front_end.kame.errors import VectorsError
from kame_voice.front_end.kame.seats import Seats
from kame_voice.front_end.kame.weights import Models, load_lm

__all__ = ["ReferenceCall", "Replay", "load_calls", "replay", "vectors_engine", "verify"]


@dataclass(frozen=True, slots=True)
class ReferenceCall:
    """One call: user [T, 8], expected output [T, 9], oracle tokens by step [T], writes by step."""

    user: NDArray[np.int64]
    out: NDArray[np.int64]
    oracle: NDArray[np.int64]
    writes: dict[int, list[tuple[bool, list[int]]]]


@dataclass(slots=True)
class Replay:
    """What came of it. `first` names the first mismatch: call, step, stream, expected, got."""

    slots: int
    compared: int = 0
    mismatched: int = 0
    oracle_mismatched: int = 0
    ticks: int = 0
    joins: int = 0
    pauses: int = 0
    first: tuple[int, int, int, int, int] | None = None


@dataclass(slots=True)
class _Seated:
    number: int
    call: ReferenceCall
    cursor: OracleCursor
    at: int = 0
    oracle_id: int = field(default=0)


def load_calls(folder: Path) -> list[ReferenceCall]:
    """The calls of `folder`. Raises VectorsError."""
    try:
        schedule = json.loads((folder / "schedule.json").read_text(encoding="utf-8"))
        tensors = load_file(str(folder / "calls.safetensors"))
        calls = []
        for number, writes in enumerate(schedule):
            by_step: dict[int, list[tuple[bool, list[int]]]] = {}
            for write in writes:
                by_step.setdefault(write["step"], []).append((write["reset"], write["tokens"]))
            user, out, oracle = (tensors[f"call{number}.{part}"] for part in ("user", "out", "oracle"))
            calls.append(ReferenceCall(user, out, oracle, by_step))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise VectorsError(
            f"cannot be read: {error}", where=str(folder), do="see tests/data/kame-tiny/README.md"
        ) from error
    return calls


def vectors_engine(folder: Path, slots: int, *, device: str, dtype: Any = torch.float32) -> Engine:
    """An engine of `slots` rows with the checkpoint of `folder`, greedy, without a codec of its own."""
    checkpoint = find_checkpoint(str(folder))
    lm = load_lm(checkpoint.lm, checkpoint.config, device=device, dtype=dtype, oracle=True)
    options = EngineOptions(slots, max_top_k=0, max_text_top_k=0, reach_buckets=(lm.context // 2,))
    return Engine(Models(lm, codec_free(device), None), options)


def replay(engine: Engine, calls: list[ReferenceCall], *, seed: int, rounds: int = 1) -> Replay:
    """Play every call `rounds` times. Calls join at random ticks, pause at random and leave when done."""
    chance = random.Random(seed)
    seats, seated = Seats(engine.capacity), dict[int, _Seated]()
    waiting = [number for _ in range(rounds) for number in range(len(calls))]
    chance.shuffle(waiting)
    result = Replay(engine.capacity)
    user = np.zeros((engine.capacity, 8), dtype=np.int64)
    while waiting or seated:
        while waiting and (not seated or chance.random() < 0.1) and (row := seats.take()) is not None:
            number = waiting.pop()
            cursor = OracleCursor(padding=engine.padding, opening=engine.opening)
            seated[row] = _Seated(number, calls[number], cursor)
            result.joins += 1
        wipe = np.zeros(engine.capacity, dtype=np.bool_)
        wipe[list(seats.to_wipe())] = True
        if wipe.any():
            engine.wipe(wipe)
        engine.input.active[:] = False
        for row, guest in seated.items():
            if len(seated) > 1 and chance.random() < 0.15:
                result.pauses += 1
                continue
            engine.input.active[row] = True
            user[row] = guest.call.user[guest.at]
            engine.input.oracle[row] = _oracle(guest, result)
        tokens = engine.step_codes(user)
        result.ticks += 1
        for row in np.flatnonzero(engine.input.active).tolist():
            guest = seated[row]
            _compare(guest, tokens[row], result)
            guest.at += 1
            if guest.at == len(guest.call.user):
                del seated[row]
                seats.give_back(row)
    return result


def verify(folder: Path, *, slots: tuple[int, ...], device: str) -> list[Replay]:
    """Replay the vectors of `folder` at each number of slots."""
    calls = load_calls(folder)
    return [
        replay(vectors_engine(folder, count, device=device), calls, seed=count, rounds=2 if count > 1 else 1)
        for count in slots
    ]


def _oracle(guest: _Seated, result: Replay) -> int:
    for reset, tokens in guest.call.writes.get(guest.at, []):
        if reset:
            guest.oracle_id += 1
            guest.cursor.open(str(guest.oracle_id))
        guest.cursor.append(str(guest.oracle_id), tokens)
    token = guest.cursor.read().token
    result.oracle_mismatched += int(token != guest.call.oracle[guest.at])
    return token


def _compare(guest: _Seated, got: NDArray[np.int64], result: Replay) -> None:
    expected = guest.call.out[guest.at]
    wrong = np.flatnonzero(expected != got)
    result.compared += len(expected)
    result.mismatched += len(wrong)
    if len(wrong) and result.first is None:
        stream = int(wrong[0])
        result.first = (guest.number, guest.at, stream, int(expected[stream]), int(got[stream]))
