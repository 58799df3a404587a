"""Calls answered over the Messages API, and what the caller hears when that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_voice.bench.messages_server import Behaviour, Mode, running_server
from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.scripts import conversation
from tests.e2e.test_spoken_calls import record
from tests.support.running_app import flow_text, running_app

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]

FLOW = flow_text(more="turns: {hold_after_ms: 8000}\n")
WORDS = "Yes, we mend punctures while you wait."


async def ask(folder: Path, voice: CallerVoice, behaviour: Behaviour) -> list[tuple[str, str]]:
    """Ask one question on a line whose model behaves like this: (source, sentence) of each answer."""
    question = voice.speak("How much is a puncture repair?")
    async with (
        running_server(behaviour) as messages,
        running_app(
            folder,
            FLOW,
            front_end="spoken",
            anthropic_api_key="key",
            anthropic_base_url=messages.url,
            oracle_facts_first=False,
        ) as line,
    ):
        identity = line.identity()
        await line.caller().call(identity, conversation([question]))
        call = await record(line, identity.call_sid)
        assert messages.requests, "the model was asked"
    sources = {oracle.id: oracle.source for oracle in call.oracles}
    answers = [turn for turn in call.turns if turn.oracle_ids]
    return [(sources[turn.oracle_ids[-1]], turn.text) for turn in answers]


async def test_the_models_answer_is_spoken(tmp_path: Path, voice: CallerVoice) -> None:
    answers = await ask(tmp_path, voice, Behaviour(text=WORDS, first_token_ms=(100, 200), tokens_per_s=50))
    assert answers == [("llm", WORDS)]


@pytest.mark.parametrize("mode", [Mode.OVERLOADED, Mode.HANG, Mode.STALL_EARLY])
async def test_when_the_model_fails_the_flows_facts_answer(
    tmp_path: Path, voice: CallerVoice, mode: Mode
) -> None:
    answers = await ask(tmp_path, voice, Behaviour(mode, text=WORDS))
    # A word or two of the model's may have been said before it stalled.
    assert any(
        source == "knowledge"
        and said.endswith("A puncture repair costs twelve euros, and you can wait for it.")
        for source, said in answers
    )
