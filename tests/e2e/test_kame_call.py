"""A phone call with the four-stream model: it babbles, but frames, words, record and clock are right."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from kame_voice.bench.judge import recall
from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.result import Outcome
from kame_voice.caller.scripts import Manners, conversation
from kame_voice.front_end.kame.configs import CONFIGS
from tests.e2e.test_spoken_calls import record
from tests.support.running_app import flow_text, running_app

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(110),
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("torch", "moshi")),
        reason="the speech engine's libraries (kame-voice[gpu]) are not installed",
    ),
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kame_voice.front_end.kame.tiny import make_checkpoint

    folder = tmp_path_factory.mktemp("weights")
    make_checkpoint(folder, CONFIGS["least"])
    return folder


async def test_a_call_is_greeted_word_for_word_heard_and_recorded(
    tmp_path: Path, weights: Path, voice: CallerVoice
) -> None:
    question = voice.speak("How much is a puncture repair?")
    # Long enough that a slow machine's pause between disclosure and greeting is not taken for their end.
    manners = Manners(settle_ms=2500, answer_within_ms=3000, answer_length_ms=8000)
    flow = flow_text(more="disclosure: This is a machine.\n")
    async with running_app(
        tmp_path,
        flow,
        front_end="kame",
        engine_weights=str(weights),
        engine_device="cpu",
        capacity=2,
    ) as line:
        assert line.app.front_end.ready
        identity = line.identity()
        result = await line.caller().call(identity, conversation([question], manners=manners))
        call = await record(line, identity.call_sid)
        await line.app.desk.idle()
        assert line.app.front_end.free == 2
    assert result.outcome is Outcome.ANSWERED
    assert np.abs(result.heard).max() > 0.01, "the model's voice reaches the caller"
    # A turn in which the untrained model babbles on beside exact words is not verbatim as a whole.
    agent = " ".join(turn.text for turn in call.turns if turn.speaker == "agent")
    assert "machine" in agent
    assert "Bicycles" in agent
    said = [turn.text.lower() for turn in call.turns if turn.speaker == "caller"]
    assert recall(question.text, " ".join(said)) >= 0.5, said
    assert any(oracle.facts == ["puncture"] and oracle.delivered_ms is not None for oracle in call.oracles)
    assert call.duration_ms == pytest.approx(result.duration_ms, abs=400)
    assert [(turn.start_ms, turn.end_ms) for turn in call.turns if turn.start_ms > turn.end_ms] == []
