"""Whole calls over the real wire: spoken questions, answers judged by what an STT hears of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.listener import Listener
from kame_voice.caller.rest import RestStandIn, serving_rest
from kame_voice.caller.result import EndedBy, Outcome
from kame_voice.caller.scripts import Ending, Manners, conversation
from kame_voice.store.calls import CallDetail
from tests.support.running_app import TOKEN, RunningApp, flow_text, running_app

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]


async def record(line: RunningApp, call_sid: str) -> CallDetail:
    """The call as it is kept, once it is closed."""
    async with asyncio.timeout(10):
        while True:
            calls = [call for call in line.app.archive.calls.list().calls if call.provider_id == call_sid]
            if calls and calls[0].duration_ms is not None:
                detail = line.app.archive.calls.get(calls[0].id)
                assert detail is not None
                return detail
            await asyncio.sleep(0.1)


async def test_a_caller_is_greeted_answered_and_remembered(
    tmp_path: Path, voice: CallerVoice, listener: Listener
) -> None:
    clips = [voice.speak("How much is a puncture repair?"), voice.speak("Do you rent bikes?")]
    async with running_app(tmp_path, front_end="spoken") as line:
        identity = line.identity()
        result = await line.caller().call(identity, conversation(clips))
        call = await record(line, identity.call_sid)
        path = line.app.archive.recordings.path_of(call.id)
    listener.transcribe(result)
    assert result.outcome is Outcome.ANSWERED
    assert "bicycles" in (result.greeting_text or "").lower()
    puncture, rental = result.exchanges
    assert "wait for it" in (puncture.answer_text or "").lower()
    assert "bikes" in (rental.answer_text or "").lower()
    said = [(turn.speaker, turn.text.lower()) for turn in call.turns]
    assert any(speaker == "caller" and "puncture" in text for speaker, text in said)
    answer = next(turn for turn in call.turns if "twelve euros" in turn.text)
    assert answer.heard_text == answer.text
    oracle = next(oracle for oracle in call.oracles if oracle.id in answer.oracle_ids)
    assert (oracle.facts, oracle.outcome) == (["puncture"], "adopted")
    assert len(call.latency.response_gap_ms) == 2
    assert path is not None
    assert path.stat().st_size > 100_000


async def test_two_callers_at_once_each_hear_their_own_answer(
    tmp_path: Path, voice: CallerVoice, listener: Listener
) -> None:
    questions = ["How much is a puncture repair?", "Do you rent bikes?"]
    async with running_app(tmp_path, front_end="spoken") as line, asyncio.TaskGroup() as group:
        calls = [
            group.create_task(line.caller().call(line.identity(), conversation([voice.speak(question)])))
            for question in questions
        ]
    heard = []
    for call in calls:
        listener.transcribe(call.result())
        heard.append((call.result().exchanges[0].answer_text or "").lower())
    assert "wait for it" in heard[0]
    assert "bikes" in heard[1]
    assert "bikes" not in heard[0]
    assert "wait for it" not in heard[1]


async def test_a_caller_who_talks_over_the_agent_stops_it(tmp_path: Path, voice: CallerVoice) -> None:
    clips = [voice.speak("How much is a puncture repair?"), voice.speak("Stop please. Do you rent bikes?")]
    script = conversation(clips, manners=Manners(barge_in_ms=800))
    flow = flow_text(
        more="turns: {hold_after_ms: 8000}\n"
    )  # no holding phrase where the answer is looked for
    async with running_app(tmp_path, flow, front_end="spoken") as line:
        identity = line.identity()
        result = await line.caller().call(identity, script)
        call = await record(line, identity.call_sid)
    cut = next(turn for turn in call.turns if turn.text.startswith("A puncture"))
    assert cut.heard_text is not None
    assert "wait for it" not in cut.heard_text
    assert result.clears_ms, "the carrier's buffer is emptied"
    assert "barge-in" in [event.kind for event in call.events]
    assert any("rent city bikes" in turn.text for turn in call.turns)


async def test_the_agent_hangs_up_after_its_last_word_was_heard(tmp_path: Path) -> None:
    rest = RestStandIn(TOKEN)
    flow = flow_text(more="goodbye: Thank you for calling Acme. Goodbye.\nlimits: {max_minutes: 0.08}\n")
    with serving_rest(rest):
        async with running_app(tmp_path, flow, front_end="spoken", twilio_api_url=rest.url) as line:
            identity = line.identity()
            script = conversation([], ending=Ending.WAIT_FOR_AGENT, wait_ms=30_000)
            result = await line.caller(rest=rest).call(identity, script)
            call = await record(line, identity.call_sid)
    assert result.ended_by is EndedBy.AGENT
    assert (call.status, call.end_reason) == ("completed", "limit of minutes")
    assert call.turns[-1].heard_text == "Thank you for calling Acme. Goodbye."


async def test_a_broken_connection_ends_the_call_and_frees_its_slot(tmp_path: Path) -> None:
    async with running_app(tmp_path, front_end="spoken", capacity=1) as line:
        identity = line.identity()
        await line.caller().call(identity, conversation([], ending=Ending.DROP))
        call = await record(line, identity.call_sid)
        await line.app.desk.idle()
        assert line.app.front_end.free == 1
    assert call.status in ("dropped", "completed")


async def test_keys_that_the_caller_presses_are_on_the_record(tmp_path: Path) -> None:
    async with running_app(tmp_path) as line:
        identity = line.identity()
        script = conversation([], manners=Manners(greeting_within_ms=100), dtmf="12#")
        await line.caller().call(identity, script)
        call = await record(line, identity.call_sid)
    pressed = [event.data["digit"] for event in call.events if event.kind == "dtmf"]
    assert pressed == ["1", "2", "#"]
