from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from kame_voice.core.nouns import OracleMode, OracleOutcome, OracleSource, Speaker
from kame_voice.core.oracle_stream import (
    OracleAppend,
    OracleClose,
    OracleConfirm,
    OracleOpen,
    OracleWithdraw,
    OracleWrite,
)
from kame_voice.core.telemetry import Telemetry
from kame_voice.oracle.back_end import BackEnd
from kame_voice.oracle.base import OracleRecord, Said, Transcript
from tests.oracle.examples import CALL, DENTIST, MONDAY_NOON, transcript
from tests.oracle.scripted_source import ScriptedSource

pytestmark = pytest.mark.anyio

LLM, KNOWLEDGE = OracleSource.LLM, OracleSource.KNOWLEDGE


@dataclass
class Talk:
    """A call under way: what the test tells it and what comes of it."""

    llm: ScriptedSource = field(default_factory=ScriptedSource)
    knowledge: ScriptedSource = field(default_factory=lambda: ScriptedSource(KNOWLEDGE))
    writes: list[OracleWrite] = field(default_factory=list)
    records: dict[str, OracleRecord] = field(default_factory=dict)
    history: tuple[Said, ...] = ()
    media_ms: int = 0
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    telemetry: Telemetry = field(default_factory=Telemetry)
    transcripts: asyncio.Queue[Transcript | None] = field(default_factory=asyncio.Queue)
    patience: asyncio.Event = field(default_factory=asyncio.Event)

    async def hears(self, said: Transcript) -> None:
        self.media_ms = said.covers_ms
        self.transcripts.put_nowait(said)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)

    def said(self) -> str:
        """What is in force: the text of the oracle opened last and not withdrawn."""
        opened = [write.id for write in self.writes if isinstance(write, OracleOpen)]
        withdrawn = {write.id for write in self.writes if isinstance(write, OracleWithdraw)}
        if not opened or opened[-1] in withdrawn:
            return ""
        return "".join(w.text for w in self.writes if isinstance(w, OracleAppend) and w.id == opened[-1])

    async def each(self) -> AsyncIterator[Transcript]:
        while (said := await self.transcripts.get()) is not None:
            yield said

    def note(self, kind: str, **data: Any) -> None:
        self.notes.append((kind, data))

    def record(self, record: OracleRecord) -> None:
        self.records[record.id] = record

    async def wait(self, _seconds: float) -> None:
        await self.patience.wait()

    def count(self, source: str, outcome: str) -> float:
        labels = {"source": source, "outcome": outcome}
        return self.telemetry.registry.get_sample_value("kame_oracles_total", labels) or 0.0


@asynccontextmanager
async def talking(talk: Talk, mode: OracleMode = OracleMode.PARTIAL) -> AsyncIterator[Talk]:
    back_end = BackEnd(
        CALL,
        DENTIST,
        mode,
        talk.llm,
        talk.knowledge,
        telemetry=talk.telemetry,
        clock=lambda: talk.media_ms / 1000,
        now=lambda: MONDAY_NOON,
        sleep=talk.wait,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(
            back_end.run(
                talk.each(),
                talk.writes.append,
                talk.record,
                lambda: talk.history,
                lambda: talk.media_ms,
                talk.note,
            )
        )
        yield talk
        talk.transcripts.put_nowait(None)
        await running


async def test_an_answer_is_opened_at_its_first_token_and_closed_at_its_last() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        assert talk.writes == []
        talk.llm.finish("are you open", "Yes,", " until five.")
        await talk.settle()
        assert talk.writes == [
            OracleOpen("c1-o1", LLM, 1000, is_final=True),
            OracleAppend("c1-o1", "Yes,"),
            OracleAppend("c1-o1", " until five."),
            OracleClose("c1-o1"),
        ]


async def test_everything_is_kept_of_an_answer() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.media_ms = 1400
        talk.llm.finish("are you open", "Yes.")
        await talk.settle()
    record = talk.records["c1-o1"]
    assert (record.asked_ms, record.first_token_ms, record.delivered_ms) == (1000, 1400, 1400)
    assert (record.source, record.basis, record.text) == (LLM, "are you open", "Yes.")
    assert (record.facts, record.outcome, record.error) == (["fact"], OracleOutcome.ADOPTED, None)
    assert talk.count("llm", "adopted") == 1


async def test_the_guess_made_while_the_caller_spoke_is_confirmed_when_it_was_right() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, paused=True))
        talk.llm.finish("are you open", "Yes.")
        await talk.settle()
        await talk.hears(transcript("Are you open?", 1200, is_final=True))
        assert talk.writes[-1] == OracleConfirm("c1-o1", 1200, is_final=True)
    assert len(talk.llm.requests) == 1


async def test_a_slow_newer_answer_leaves_the_older_one_in_force_until_it_begins() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000))
        talk.llm.say("are you open", "We are open")
        await talk.settle()
        await talk.hears(transcript("are you open on saturday", 1600, is_final=True))
        talk.llm.say("are you open", " from nine")
        await talk.settle()
        assert talk.said() == "We are open from nine"
        talk.llm.finish("are you open on saturday", "On Saturday until one.")
        await talk.settle()
        assert talk.said() == "On Saturday until one."
        assert "are you open" in talk.llm.ended
    assert talk.records["c1-o1"].outcome is OracleOutcome.SUPERSEDED


async def test_a_source_that_fails_is_replaced_by_the_knowledge() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.fail("are you open", "overloaded")
        talk.knowledge.finish("are you open", "Until five.")
        await talk.settle()
        assert talk.said() == "Until five."
    assert talk.records["c1-o1"].outcome is OracleOutcome.FAILED
    assert talk.records["c1-o1"].error == "overloaded"
    assert talk.records["c1-o2"].source is KNOWLEDGE


async def test_a_stall_in_mid_answer_is_withdrawn_and_replaced() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.say("are you open", "We are op")
        talk.llm.fail("are you open", "stalled")
        talk.knowledge.finish("are you open", "Until five.")
        await talk.settle()
        assert OracleWithdraw("c1-o1") in talk.writes
        assert talk.said() == "Until five."
    assert talk.records["c1-o1"].outcome is OracleOutcome.FAILED


async def test_a_finished_turn_does_not_wait_for_a_late_source() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.knowledge.finish("are you open", "Until five.")
        talk.patience.set()
        await talk.settle()
        assert talk.said() == "Until five."
        talk.llm.finish("are you open", "Yes, we are here until five.")
        await talk.settle()
        assert talk.said() == "Yes, we are here until five."
    assert talk.records["c1-o2"].outcome is OracleOutcome.SUPERSEDED


async def test_a_source_in_time_is_not_stood_in_for() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.say("are you open", "Yes. We")
        await talk.settle()
        talk.patience.set()
        await talk.settle()
    assert talk.knowledge.requests == []


async def test_when_nobody_can_answer_the_caller_hears_an_honest_sentence() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.fail("are you open", "unreachable")
        talk.knowledge.fail("are you open", "empty-answer")
        await talk.settle()
        assert talk.said() == DENTIST.unknown


async def test_a_failing_guess_is_not_stood_in_for_while_the_caller_still_talks() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000))
        talk.llm.fail("are you open", "rate-limited")
        await talk.settle()
        assert talk.writes == []
        await talk.hears(transcript("are you open", 1200, is_final=True))
        assert [asked.is_final for asked in talk.llm.requests] == [False, True]
    assert talk.knowledge.requests == []


async def test_a_guess_that_found_nothing_is_asked_again_when_its_words_were_the_final_ones() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, paused=True))
        await talk.hears(transcript("are you open", 1200, is_final=True))
        talk.llm.finish("are you open")
        await talk.settle()
        talk.llm.finish("are you open", "Yes.")
        await talk.settle()
        assert talk.said() == "Yes."
    assert [asked.is_final for asked in talk.llm.requests] == [False, True]


async def test_words_that_the_line_never_says_are_withdrawn() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("will it last", 1000, is_final=True))
        talk.llm.finish("will it last", "Yes, that is ", "guaran", "teed for", " life.")
        talk.knowledge.finish("will it last", "I can't promise that.")
        await talk.settle()
        assert talk.said() == "I can't promise that."
    assert talk.records["c1-o1"].error == "forbidden-words"


async def test_a_turn_without_words_withdraws_its_guess() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("thank you", 1000, paused=True))
        talk.llm.say("thank you", "You're welcome.")
        await talk.settle()
        await talk.hears(transcript("", 1200, is_final=True))
        assert talk.writes[-1] == OracleWithdraw("c1-o1")


async def test_the_present_turn_is_not_told_twice() -> None:
    talk = Talk(history=(Said(Speaker.AGENT, "Hello."), Said(Speaker.CALLER, "Are you open?")))
    async with talking(talk):
        await talk.hears(transcript("Are you open?", 1000, is_final=True))
    assert talk.llm.requests[0].history == (Said(Speaker.AGENT, "Hello."),)


async def test_when_the_call_ends_nothing_is_left_running() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
    assert talk.llm.ended == ["are you open"]
    assert talk.records["c1-o1"].outcome is OracleOutcome.CANCELLED


async def test_off_asks_nobody() -> None:
    async with talking(Talk(), OracleMode.OFF) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
    assert talk.llm.requests == []
