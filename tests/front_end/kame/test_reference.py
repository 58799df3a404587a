"""The four-stream step against vectors of the reference implementation."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the gpu extra is not installed")
pytest.importorskip("moshi", reason="the gpu extra is not installed")

from kame_voice.front_end.kame.errors import VectorsError
from kame_voice.front_end.kame.vectors import load_calls, replay, vectors_engine


@pytest.mark.parametrize("slots", [1, 2, 4, 7])
def test_no_token_differs_from_the_reference_alone_or_in_any_batch(golden: Path, slots: int) -> None:
    calls = load_calls(golden)
    result = replay(vectors_engine(golden, slots, device="cpu"), calls, seed=slots)
    assert result.compared == 4 * 160 * 9
    assert result.mismatched == 0, result.first
    assert result.oracle_mismatched == 0
    assert slots == 1 or result.pauses > 20


def test_a_fourth_stream_that_is_ignored_cannot_pass(golden: Path) -> None:
    engine = vectors_engine(golden, 1, device="cpu")
    engine.lm_model.text_emb.oracle = None
    call = load_calls(golden)[0]
    second = replace(call, user=call.user[:40], out=call.out[:40])
    assert replay(engine, [second], seed=1).mismatched > 200


def test_missing_vectors_are_named(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match=r"schedule\.json"):
        load_calls(tmp_path)
