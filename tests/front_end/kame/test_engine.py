from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="the gpu extra is not installed")
pytest.importorskip("moshi", reason="the gpu extra is not installed")

from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Sampling
from kame_voice.front_end.base import SpokenFrame
from kame_voice.front_end.kame.call_state import CallState, Rules
from kame_voice.front_end.kame.engine import FRAME, Engine
from kame_voice.front_end.kame.errors import EngineFaulted
from kame_voice.front_end.kame.runner import Runner
from kame_voice.front_end.kame.script import FREE, ForcedScript
from kame_voice.hearing.base import HeardFrame
from tests.front_end.kame.fakes import VOCABULARY
from tests.front_end.kame.support import Line, alone, engine, run, wipe


@pytest.fixture(scope="module")
def batch(checkpoint: Path) -> Engine:
    made = engine(checkpoint, 3, batch_buckets=(1, 2), reach_buckets=(8, 24))
    made.warm_up()
    return made


@pytest.fixture(scope="module")
def solo(checkpoint: Path) -> Engine:
    return engine(checkpoint, 1)


def test_a_reused_row_differs_in_no_token_from_a_fresh_engine(batch: Engine, solo: Engine) -> None:
    wipe(batch, 0, 1, 2)
    marked, bystander, heir = Line(1), Line(2), Line(3)
    run(batch, [{0: marked, 1: bystander}] * 20)
    wipe(batch, 0)
    run(batch, [{0: heir, 1: bystander}] * 20)
    fresh = alone(solo, heir, 20)
    assert heir.tokens == fresh.tokens
    np.testing.assert_allclose(np.stack(heir.pcm), np.stack(fresh.pcm), atol=1e-5)
    assert bystander.tokens == alone(solo, bystander, 40).tokens


def test_calls_stay_exact_when_the_ring_wraps(batch: Engine, solo: Engine) -> None:
    wipe(batch, 0, 1, 2)
    old, young = Line(4), Line(5)
    run(batch, [{2: old}] * 50 + [{0: young, 2: old}] * 25)
    assert old.at > batch.context
    assert old.tokens == alone(solo, old, 75).tokens
    assert young.tokens == alone(solo, young, 25).tokens


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=8, max_size=14), st.data())
def test_joins_pauses_and_leaves_at_any_tick_change_no_token(
    batch: Engine, solo: Engine, ticks: list[tuple[bool, bool, bool]], data: st.DataObject
) -> None:
    wipe(batch, 0, 1, 2)
    rows = {row: Line(10 + row) for row in range(3)}
    done: list[Line] = []
    for steps in ticks:
        if data.draw(st.integers(0, 4)) == 0:
            leaving = data.draw(st.integers(0, 2))
            done.append(rows[leaving])
            rows[leaving] = Line(20 + len(done))
            wipe(batch, leaving)
        run(batch, [{row: rows[row] for row in range(3) if steps[row]}])
    for line in (*done, *rows.values()):
        assert line.tokens == alone(solo, line, line.at).tokens


def test_forced_codes_come_out_exactly_beside_free_calls(batch: Engine, solo: Engine) -> None:
    wipe(batch, 0, 1, 2)
    chance = np.random.default_rng(0)
    script = ForcedScript(chance.integers(0, 64, (12, 8)), chance.integers(4, 190, 12))
    told, free = Line(6), Line(7, temperature=0.9, sampling_seed=99)
    told.forced = {5 + step: script.row() for step in range(13)}
    run(batch, [{0: told, 1: free}] * 24)
    assert np.array(told.tokens)[6:18, 0].tolist() == script.text.tolist()
    assert np.array(told.tokens)[6:18, 1:].tolist() == script.codes.tolist()
    assert free.tokens == alone(solo, free, 24).tokens
    unforced = alone(solo, Line(6), 24)
    assert told.tokens[:5] == unforced.tokens[:5]
    assert told.tokens[18:] != unforced.tokens[18:], "the model must know what it has said"


def test_each_call_samples_by_its_own_rule_and_seed(batch: Engine, solo: Engine) -> None:
    wipe(batch, 0, 1, 2)
    greedy, warm, same = Line(8), Line(8, 1.0, 5), Line(8, 1.0, 6)
    run(batch, [{0: greedy, 1: warm, 2: same}] * 16)
    assert greedy.tokens != warm.tokens != same.tokens
    for line in (greedy, warm, same):
        assert line.tokens == alone(solo, line, 16).tokens


def test_a_top_k_of_one_is_greedy_at_any_temperature(solo: Engine) -> None:
    assert alone(solo, Line(9, 1.5, 3, top_k=1), 12).tokens == alone(solo, Line(9), 12).tokens


def test_a_row_that_computes_nan_is_a_fault(checkpoint: Path, torch: Any) -> None:
    broken = engine(checkpoint, 2)
    with torch.no_grad():
        broken.lm_model.text_linear.weight[0, 0] = float("nan")
    with pytest.raises(EngineFaulted, match=r"rows \[1\]"):
        run(broken, [{1: Line(1)}])


def test_rows_that_do_not_step_return_nothing(batch: Engine) -> None:
    wipe(batch, 0, 1, 2)
    batch.input.active[:] = False
    Line(1).fill(batch, 1)
    result = batch.tick()
    assert (result.tokens[[0, 2]] == FREE).all()


def test_a_call_twice_as_long_as_the_ring_is_primed_in_place_and_never_wraps(batch: Engine) -> None:
    frames: list[SpokenFrame] = []
    telemetry = Telemetry()
    runner = Runner(batch, telemetry, lambda made: frames.extend(frame for _, frame in made), lambda: 0.0)
    state = CallState(1, VOCABULARY, Rules(soft=40, hard=57), lambda script, whole: None)
    runner.seat(state, Sampling(seed=1), seed=1)
    oldest = 0
    for step in range(125):
        state.hear(HeardFrame(np.full(FRAME, 0.01, np.float32), step * 80, True))
        runner.tick()
        oldest = max(oldest, int(batch.age[1]))
    assert len(frames) == 125
    assert oldest <= 57 < batch.context
    assert telemetry.registry.get_sample_value("kame_engine_primed_total") == 2
    silent = [number for number, frame in enumerate(frames) if not frame.pcm.any()]
    assert silent == [0, 57, 114], "one frame of silence where the memory begins anew"
