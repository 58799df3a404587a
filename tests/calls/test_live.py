"""What a running call tells its listeners."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kame_voice.calls.live import LiveCall, LiveCalls
from kame_voice.calls.live_events import Caption, Ended, LiveEvent, LiveState, Lost, State, as_json
from kame_voice.calls.transcript import Turn
from kame_voice.core.nouns import CallInfo, OracleOutcome, OracleSource, Speaker
from kame_voice.oracle.base import OracleRecord

pytestmark = pytest.mark.anyio

CALL = CallInfo("c1", "CA1", "acme-main", "acme", "+15550111", "+15550100", "v1")


@pytest.fixture
def live() -> LiveCall:
    return LiveCall(CALL, datetime(2026, 11, 25, tzinfo=UTC))


def agent(text: str, index: int = 0, **more: Any) -> Turn:
    return Turn(index, Speaker.AGENT, 0, 500, text=text, **more)


def caller(text: str | None, index: int = 1, **more: Any) -> Turn:
    return Turn(index, Speaker.CALLER, 1000, 2000, text=text, **more)


def oracle(outcome: OracleOutcome = OracleOutcome.ADOPTED) -> OracleRecord:
    return OracleRecord(
        "o1", OracleSource.KNOWLEDGE, "are you open", True, 1500, text="Until five.", outcome=outcome
    )


async def told(live: LiveCall, *, staff: bool = False) -> list[LiveEvent]:
    """Everything that a listener who comes now and stays to the end is told."""
    live.ended("completed", "caller hung up")
    async with live.subscribe(staff=staff) as events:
        return [event async for event in events]


def state_of(live: LiveCall) -> State:
    return live.info.state


def captions(events: list[LiveEvent]) -> list[tuple[int, str, bool]]:
    return [(event.turn, event.text, event.final) for event in events if isinstance(event, Caption)]


async def test_a_listener_hears_what_happens_and_then_the_end(live: LiveCall) -> None:
    async with live.subscribe() as events:
        live.turns_changed([caller("are you")])
        live.turns_changed([caller("Are you open?", is_final=True)])
        live.dtmf("5", 2100)
        live.answered_after(340)
        live.ended("completed", "caller hung up")
        heard = [event async for event in events]
    assert [as_json(event)["type"] for event in heard] == [
        "state", "caption", "caption", "dtmf", "latency", "ended",
    ]  # fmt: skip
    assert captions(heard) == [(1, "are you", False), (1, "Are you open?", True)]


async def test_who_comes_late_first_gets_the_captions_so_far(live: LiveCall) -> None:
    live.turns_changed([agent("Acme speaking.")])
    live.turns_changed([caller("are you open")])
    async with live.subscribe() as events:
        first = [await anext(events) for _ in range(3)]
    assert captions(first) == [(0, "Acme speaking.", False), (1, "are you open", False)]
    assert first[2] == LiveState(State.LISTENING, 0)


async def test_an_untranscribed_turn_has_no_caption(live: LiveCall) -> None:
    live.turns_changed([caller(None)])
    assert captions(await told(live)) == []


async def test_the_agents_caption_is_final_once_it_is_silent(live: LiveCall) -> None:
    live.agent_speaks(True, 0)
    live.turns_changed([agent("Acme")])
    live.turns_changed([agent("Acme speaking.")])
    async with live.subscribe() as events:
        assert captions([await anext(events)]) == [(0, "Acme speaking.", False)]
        await anext(events)
        live.agent_speaks(False, 700)
        assert captions([await anext(events)]) == [(0, "Acme speaking.", True)]


async def test_a_following_utterance_ends_the_agents_earlier_one(live: LiveCall) -> None:
    live.turns_changed([agent("One moment.")])
    live.turns_changed([agent("We are open.", index=2)])
    assert captions(await snapshot(live)) == [(0, "One moment.", True), (2, "We are open.", False)]


async def snapshot(live: LiveCall) -> list[LiveEvent]:
    async with live.subscribe() as events:
        waiting: list[LiveEvent] = []
        async for event in events:
            waiting.append(event)
            if isinstance(event, LiveState):
                break
        return waiting


async def test_speech_that_was_cut_ends_with_the_words_that_were_heard(live: LiveCall) -> None:
    live.turns_changed([agent("We are open until five.")])
    live.agent_cut([agent("We are open until five.", heard_text="We are")])
    assert captions(await told(live)) == [(0, "We are", True)]


async def test_speech_that_was_cut_after_all_was_heard_stays_whole(live: LiveCall) -> None:
    live.turns_changed([agent("Until five.", heard_text="Until five.")])
    live.agent_cut([])
    assert captions(await told(live)) == [(0, "Until five.", True)]


async def test_the_state_follows_the_talk(live: LiveCall) -> None:
    async with live.subscribe() as events:
        live.agent_speaks(True, 10)
        live.agent_speaks(True, 20)
        live.agent_speaks(False, 900)
        live.caller_started(1000)
        live.caller_ended(2000)
        live.agent_speaks(False, 2100)
        live.agent_speaks(True, 2300)
        live.ended("completed", "agent hung up")
        states = [event.state async for event in events if isinstance(event, LiveState)]
    assert states == [
        State.LISTENING,  # the snapshot's
        State.SPEAKING,
        State.LISTENING,
        State.THINKING,
        State.SPEAKING,
    ]


async def test_nothing_is_thought_about_a_turn_without_words(live: LiveCall) -> None:
    live.caller_ended(2000)
    assert state_of(live) == State.THINKING
    live.turns_changed([caller("", is_final=True)])
    assert state_of(live) == State.LISTENING


async def test_only_staff_are_told_of_oracles(live: LiveCall) -> None:
    async with live.subscribe() as public, live.subscribe(staff=True) as staff:
        live.oracle_changed(oracle())
        live.ended("completed", "caller hung up")
        told_public = [as_json(event)["type"] async for event in public]
        told_staff = [as_json(event) async for event in staff]
    assert told_public == ["state", "ended"]
    assert told_staff[1] == {
        "type": "oracle",
        "id": "o1",
        "source": "knowledge",
        "text": "Until five.",
        "outcome": "adopted",
        "basis": "are you open",
    }


async def test_the_snapshot_holds_the_oracle_in_force_for_staff_only(live: LiveCall) -> None:
    live.oracle_changed(oracle())
    assert "oracle" in [event.type for event in await told(live, staff=True)]
    assert "oracle" not in [event.type for event in await told(live)]


async def test_an_oracle_no_longer_in_force_leaves_the_snapshot(live: LiveCall) -> None:
    live.oracle_changed(oracle())
    live.oracle_changed(oracle(OracleOutcome.SUPERSEDED))
    assert "oracle" not in [event.type for event in await told(live, staff=True)]


async def test_a_slow_listener_is_told_what_it_missed_and_starts_anew(live: LiveCall) -> None:
    async with live.subscribe() as events:
        for number in range(1000):
            live.turns_changed([caller(f"word {number}")])
        live.ended("completed", "caller hung up")
        heard = [event async for event in events]
    assert isinstance(heard[0], Lost)
    assert heard[0].count > 900
    assert captions(heard) == [(1, "word 999", False)]
    assert isinstance(heard[-1], Ended)


async def test_a_listener_that_left_costs_nothing(live: LiveCall) -> None:
    async with live.subscribe():
        pass
    live.dtmf("1", 0)
    assert live._listeners == []


async def test_a_waiting_listener_wakes(live: LiveCall) -> None:
    async with live.subscribe() as events:
        await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        live.dtmf("7", 100)
        assert as_json(await waiting) == {"type": "dtmf", "digit": "7", "at_ms": 100}


async def test_running_calls_are_listed_while_they_run() -> None:
    calls = LiveCalls()
    with calls.open(CALL) as live:
        assert calls.get("c1") is live
        assert [info.call for info in calls.running()] == [CALL]
    assert calls.get("c1") is None
    assert calls.running() == []


async def test_a_call_that_broke_tells_its_end_all_the_same() -> None:
    calls = LiveCalls()
    with calls.open(CALL) as live:
        pass
    assert (await told(live))[-1] == Ended("failed", "internal error")


async def test_a_call_is_told_of_for_a_minute_after_its_end() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    calls = LiveCalls(lambda: now)
    with calls.open(CALL) as live:
        assert calls.ended("c1") is None, "it runs"
        live.turns_changed([caller("Are you open?")])
        live.ended("completed", "caller hung up")
    assert calls.get("c1") is None
    ended = calls.ended("c1")
    assert ended is not None
    events = await told(ended)
    assert isinstance(events[0], Caption)
    assert events[-1] == Ended("completed", "caller hung up")
    now += timedelta(minutes=1)
    assert calls.ended("c1") is None


def test_of_many_calls_that_ended_only_the_last_ones_are_kept() -> None:
    calls = LiveCalls()
    for number in range(300):
        with calls.open(replace(CALL, id=f"c{number}")):
            pass
    assert calls.ended("c299") is not None
    assert calls.ended("c0") is None
