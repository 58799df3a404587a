"""The speech engine under load: random weights of a true size, frames fed and collected as in production.

Rows fail one by one: a size that does not fit the card is a row that says so.
"""

from __future__ import annotations

import copy
import gc
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from kame_voice.core.nouns import OracleSource
from kame_voice.core.oracle_stream import OracleAppend, OracleOpen
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Sampling
from kame_voice.front_end.kame.call_state import CallState, Rules, Vocabulary
from kame_voice.front_end.kame.configs import CONFIGS
from kame_voice.front_end.kame.errors import EngineFaulted, EngineMissing
from kame_voice.front_end.kame.runner import FRAME_S, Runner
from kame_voice.hearing.base import HeardFrame

__all__ = ["Case", "Comparison", "Row", "as_json", "compare_with_singles", "gpu_cases", "markdown", "measure"]

_FRAME: Final = 1920
_WARM_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Case:
    """What one row measures. `age`: steps that every call has behind it (−1: its ring is full)."""

    slots: int
    context: int = 0
    age: int = -1
    graphs: bool = True
    compile: bool = False
    whole_ring: bool = False
    note: str = ""


@dataclass(slots=True)
class Row:
    """One measurement. Times in ms; `on_time_pct` of the frames that were due; memory in GiB."""

    case: Case
    frames: int = 0
    on_time_pct: float = 0.0
    step_p50_ms: float = 0.0
    step_p99_ms: float = 0.0
    memory_gib: float = 0.0
    warm_up_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """N calls batched against N engines of one call, a median tick of each in ms."""

    slots: int
    batched_ms: float
    singles_ms: float

    @property
    def ratio(self) -> float:
        """Cost of the batch over that of the single engines."""
        return self.batched_ms / self.singles_ms


class _Letters:
    """A vocabulary for weights that have none."""

    def __init__(self, card: int) -> None:
        self._card = card

    def encode(self, text: str) -> list[int]:
        return [4 + ord(letter) % (self._card - 4) for letter in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(str(token) for token in tokens)

    def starts_word(self, token: int) -> bool:
        return token % 2 == 0


def gpu_cases(slots: Sequence[int], context: int) -> list[Case]:
    """The rows of a GPU run: full rings at each size, a shorter ring beyond, then one change at a time."""
    cases = [Case(count) for count in slots]
    half = context // 2
    cases += [Case(count, context=half, note="half ring") for count in (96, 128, 144)]
    cases.append(Case(160, context=context * 7 // 15, note="1400 of 3000 steps"))
    middle = 64
    return [
        *cases,
        Case(middle, age=300, note="calls 24 s old"),
        Case(middle, age=300, whole_ring=True, note="calls 24 s old, whole ring read"),
        Case(middle, graphs=False, note="no CUDA graph"),
        Case(middle, compile=True, note="moshi's kernels compiled"),
    ]


def measure(
    config: str,
    cases: Sequence[Case],
    *,
    seconds: float,
    device: str,
    report: Callable[[Row], None],
    limit_s: float = 450.0,
) -> list[Row]:
    """Measure each case for `seconds` of calls; `report` gets each row as it is done.

    No row is begun after `limit_s`. Raises EngineMissing where torch or the device is not there.
    """
    torch = _torch(device)
    from kame_voice.front_end.kame.weights import random_models

    started = time.monotonic()
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    rows: list[Row] = []
    models: Any = None
    context = -1
    for case in cases:
        row = Row(case)
        if time.monotonic() - started > limit_s:
            row.error = "not measured: out of time"
        else:
            try:
                if models is None or context != case.context:
                    models = None
                    _free(torch, device)
                    models, context = (
                        random_models(CONFIGS[config], device=device, dtype=dtype, context=case.context),
                        case.context,
                    )
                _measure_row(torch, models, row, seconds, device)
            except (RuntimeError, EngineFaulted) as error:
                row.error = f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
                models = None
        rows.append(row)
        report(row)
        _free(torch, device)
    return rows


def _measure_row(torch: Any, models: Any, row: Row, seconds: float, device: str) -> None:
    from kame_voice.front_end.kame.engine import Engine, EngineOptions

    case = row.case
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    began = time.monotonic()
    engine = Engine(
        models,
        EngineOptions(
            case.slots,
            reach_buckets=() if case.whole_ring or case.age < 0 else (375, 750, 1500),
            graphs=case.graphs,
            compile=case.compile,
        ),
    )
    try:
        engine.warm_up()
        row.warm_up_s = time.monotonic() - began
        load = _Load(engine)
        engine.pretend_age(engine.context if case.age < 0 else case.age)
        for _ in range(_WARM_TICKS):
            load.tick()
        on_time, steps = _pace(load, max(1, round(seconds / FRAME_S)))
    finally:
        engine.close()
    row.frames = load.delivered - _WARM_TICKS * case.slots
    due = len(steps) * case.slots
    row.on_time_pct = 100.0 * min(on_time * case.slots, row.frames) / due
    row.step_p50_ms = 1000 * float(np.percentile(steps, 50))
    row.step_p99_ms = 1000 * float(np.percentile(steps, 99))
    if device.startswith("cuda"):
        row.memory_gib = torch.cuda.max_memory_allocated() / 2**30
    else:
        row.memory_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _pace(load: _Load, ticks: int) -> tuple[int, list[float]]:
    """Tick on an absolute 80 ms clock: how many ended within their 80 ms, and how long each took."""
    on_time, steps = 0, []
    start = time.monotonic()
    for number in range(ticks):
        due = start + number * FRAME_S
        time.sleep(max(0.0, due - time.monotonic()))
        began = time.monotonic()
        load.tick()
        ended = time.monotonic()
        steps.append(ended - began)
        on_time += ended <= due + FRAME_S
    return on_time, steps


class _Load:
    """Calls on every row: each hears noise and is written an oracle all the time."""

    def __init__(self, engine: Any) -> None:
        vocabulary = Vocabulary(
            _Letters(engine.text_card), engine.padding, engine.end_padding, engine.opening, engine.text_card
        )
        self.delivered = 0
        self._runner = Runner(engine, Telemetry(), self._deliver, time.monotonic)
        self._states = [
            CallState(row, vocabulary, Rules(10**9, 10**9), lambda script, whole: None)
            for row in range(engine.capacity)
        ]
        for state in self._states:
            self._runner.seat(state, Sampling(), seed=state.row)
        chance = np.random.default_rng(0)
        noise = chance.standard_normal((16, _FRAME)).astype(np.float32) * 0.05
        self._frames = [HeardFrame(pcm, 0, True) for pcm in noise]
        self._tick = 0

    def _deliver(self, delivery: Sequence[Any]) -> None:
        self.delivered += sum(frame.pcm.shape == (_FRAME,) for _, frame in delivery)

    def tick(self) -> None:
        """One frame to every call, one step, one frame from every call."""
        self._tick += 1
        for state in self._states:
            state.hear(self._frames[(self._tick + state.row) % len(self._frames)])
            if (self._tick + state.row) % 12 == 0:
                oracle_id = f"o{self._tick}"
                state.guide(OracleOpen(oracle_id, OracleSource.LLM, 0, True))
                state.guide(OracleAppend(oracle_id, "we are open until five today "))
        self._runner.tick()


def compare_with_singles(config: str, slots: int, *, ticks: int, device: str) -> Comparison:
    """N calls in one batch against N engines of one call with the same weights, turn about in one run."""
    torch = _torch(device)
    from kame_voice.front_end.kame.engine import Engine, EngineOptions
    from kame_voice.front_end.kame.weights import Models, random_models

    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    models = random_models(CONFIGS[config], device=device, dtype=dtype)

    def engine(capacity: int) -> _Load:
        lm, mimi = (
            copy.deepcopy(model, {id(part): part for part in (*model.parameters(), *model.buffers())})
            for model in (models.lm, models.mimi)
        )
        made = Engine(Models(lm, mimi, None), EngineOptions(capacity))
        made.warm_up()
        return _Load(made)

    batch, singles = engine(slots), [engine(1) for _ in range(slots)]
    batched, separate = [], []
    for _ in range(ticks):
        began = time.perf_counter()
        batch.tick()
        middle = time.perf_counter()
        for single in singles:
            single.tick()
        batched.append(middle - began)
        separate.append(time.perf_counter() - middle)
    return Comparison(slots, 1000 * statistics.median(batched), 1000 * statistics.median(separate))


def markdown(rows: Sequence[Row], *, config: str, device: str) -> str:
    """The rows as a table, and the largest number of calls that held 99.9 % on time."""
    lines = [
        f"Config {config} on {device}.",
        "",
        "| calls | ring | variant | on time % | step p50 ms | p99 ms | memory GiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        case = row.case
        ring = str(case.context or CONFIGS[config].context)
        head = f"| {case.slots} | {ring} | {case.note or 'full rings'} |"
        if row.error:
            lines.append(f"{head} {row.error} | | | |")
        else:
            lines.append(
                f"{head} {row.on_time_pct:.2f} | {row.step_p50_ms:.1f} | {row.step_p99_ms:.1f} "
                f"| {row.memory_gib:.1f} |"
            )
    held = [row.case.slots for row in rows if not row.error and row.on_time_pct >= 99.9]
    lines += ["", f"Largest number of calls with at least 99.9 % of frames on time: {max(held, default=0)}."]
    return "\n".join(lines)


def as_json(rows: Sequence[Row], *, config: str, device: str) -> dict[str, Any]:
    """The rows as JSON values."""
    return {"config": config, "device": device, "rows": [asdict(row) for row in rows]}


def _torch(device: str) -> Any:
    try:
        import moshi  # noqa: F401
        import torch
    except ImportError as error:
        raise EngineMissing(f"{error.name} is not installed", do="pip install 'kame-voice[gpu]'") from error
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise EngineMissing(
            "there is no CUDA device", where=device, do="pass --device cpu and a small --config"
        )
    return torch


def _free(torch: Any, device: str) -> None:
    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
