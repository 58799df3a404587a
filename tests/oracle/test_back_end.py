from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
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
from kame_voice.flows.schema import Flow
from kame_voice.oracle.back_end import BackEnd
from kame_voice.oracle.base import OracleRecord, Said, Transcript, WhisperRefused
from kame_voice.oracle.breaker import Breaker
from kame_voice.oracle.budget import Budget, CallLimits, ProcessLimits
from kame_voice.oracle.gate import Gate
from kame_voice.oracle.meaning import Meaning
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
    back_end: BackEnd | None = None
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
async def talking(
    talk: Talk, mode: OracleMode = OracleMode.PARTIAL, gate: Gate | None = None, **options: Any
) -> AsyncIterator[Talk]:
    back_end = talk.back_end = BackEnd(
        CALL,
        DENTIST,
        mode,
        talk.llm,
        talk.knowledge,
        telemetry=talk.telemetry,
        clock=lambda: talk.media_ms / 1000,
        now=lambda: MONDAY_NOON,
        gate=gate,
        **{"sleep": talk.wait, **options},
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


def judging(meaning: Meaning) -> Any:
    async def judge(_flow: Flow, earlier: Sequence[str], _now: str) -> list[Meaning]:
        return [meaning for _ in earlier]

    return judge


async def test_a_guess_whose_meaning_the_final_keeps_is_its_answer() -> None:
    async with talking(Talk(), judge=judging(Meaning.KEPT)) as talk:
        await talk.hears(transcript("price of a cleaning", 1000))
        talk.llm.finish("price of a cleaning", "One hundred dollars.")
        await talk.settle()
        await talk.hears(transcript("the price of a cleaning please", 1800, is_final=True))
        assert talk.writes[-1] == OracleConfirm("c1-o1", 1800, is_final=True)
    assert len(talk.llm.requests) == 1
    assert talk.records["c1-o1"].confirmed_ms == 1800


async def test_a_guess_that_the_final_has_overtaken_is_not_heard() -> None:
    async with talking(Talk(), judge=judging(Meaning.OVERTAKEN)) as talk:
        await talk.hears(transcript("are you open", 1000))
        talk.llm.finish("are you open", "Yes, right now.")
        await talk.settle()
        await talk.hears(transcript("are you open on Sunday", 1800, is_final=True))
        assert talk.writes[-1] == OracleWithdraw("c1-o1")
    assert talk.records["c1-o1"].outcome is OracleOutcome.SUPERSEDED


async def test_an_answer_that_begins_and_then_hangs_gives_way_to_the_facts() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.say("are you open", "Well, we")
        talk.knowledge.finish("are you open", "Until five.")
        await talk.settle()
        talk.patience.set()
        await talk.settle()
        assert talk.said() == "Until five."
    assert talk.records["c1-o1"].error == "stalled"
    assert ("answer-failed", "stalled") in [(kind, data.get("code")) for kind, data in talk.notes]


async def test_every_failure_is_an_event_of_the_call() -> None:
    async with talking(Talk()) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.fail("are you open", "rate-limited")
        await talk.settle()
    told = {"code": "rate-limited", "source": "llm", "oracle": "c1-o1", "final": True}
    assert ("answer-failed", told) in talk.notes


async def test_an_open_breaker_leaves_guesses_and_finals_to_the_facts() -> None:
    gate = Gate(breaker=Breaker(failures=1), clock=lambda: 0.0)
    async with talking(Talk(), gate=gate) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.fail("are you open", "overloaded")
        await talk.settle()
        talk.knowledge.finish("where are you based", "On Pier Road.")
        await talk.hears(transcript("where are you based", 4000, turn_start_ms=3000, paused=True))
        assert talk.said() == "On Pier Road."
        await talk.hears(transcript("where are you based", 4200, turn_start_ms=3000, is_final=True))
    assert len(talk.llm.requests) == 1
    assert "breaker-open" in [kind for kind, _ in talk.notes]


async def test_the_breaker_closes_by_itself_once_the_model_answers() -> None:
    now = [0.0]
    gate = Gate(breaker=Breaker(failures=1, cool_s=5), clock=lambda: now[0])
    async with talking(Talk(), gate=gate) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.fail("are you open", "overloaded")
        await talk.settle()
        now[0] = 6.0
        talk.llm.finish("where are you", "On Pier Road.")
        await talk.hears(transcript("where are you", 4000, turn_start_ms=3000, is_final=True))
        assert talk.said() == "On Pier Road."
    assert [kind for kind, _ in talk.notes] == ["answer-failed", "breaker-open", "breaker-closed"]


async def test_a_final_beyond_its_limit_is_answered_from_the_facts_and_that_is_noted() -> None:
    gate = Gate(Budget(ProcessLimits(in_flight=1)), clock=lambda: 0.0)
    limits = CallLimits(in_flight=0)
    gate.ask("other", "other-o1", limits, lambda _: None, is_final=True)
    async with talking(Talk(), gate=gate) as talk:
        talk.knowledge.finish("are you open", "Until five.")
        await talk.hears(transcript("are you open", 1000, is_final=True))
        assert talk.said() == "Until five."
    told = {"code": "over-budget", "limit": "in-flight", "oracle": "c1-o1", "final": True}
    assert talk.notes == [("answer-failed", told)]


async def test_a_guess_gives_its_place_to_another_calls_finished_turn() -> None:
    gate = Gate(Budget(ProcessLimits(in_flight=2)), clock=lambda: 0.0)
    async with talking(Talk(), gate=gate) as talk:
        await talk.hears(transcript("are you open", 1000))
        for number in range(2):
            assert gate.ask("other", f"f{number}", CallLimits(0), lambda _: None, is_final=True) is None
        await talk.settle()
        assert talk.llm.ended == ["are you open"]
    assert talk.records["c1-o1"].error == "over-budget"


async def test_a_supervisors_words_go_above_the_models_until_they_are_spoken() -> None:
    async with talking(Talk()) as talk:
        assert talk.back_end is not None
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.say("are you open", "Yes. ")
        await talk.settle()
        whispered = talk.back_end.whisper("We close early today.", "kim")
        talk.llm.say("are you open", "Until five.")
        await talk.settle()
        assert talk.said() == "We close early today."
        talk.back_end.spoken(whispered)
        await talk.settle()
        assert talk.llm.ended == ["are you open"]
        assert not talk.back_end.withdraw_whisper(whispered, "kim")
    record = talk.records[whispered]
    assert (record.source, record.basis, record.outcome) == (
        OracleSource.SUPERVISOR,
        "(kim)",
        OracleOutcome.ADOPTED,
    )


async def test_a_whisper_that_is_taken_back_leaves_the_models_answer_whole() -> None:
    async with talking(Talk()) as talk:
        assert talk.back_end is not None
        await talk.hears(transcript("are you open", 1000, is_final=True))
        talk.llm.say("are you open", "Yes. ")
        await talk.settle()
        whispered = talk.back_end.whisper("We close early today.", "kim")
        talk.llm.finish("are you open", "Until five.")
        await talk.settle()
        assert talk.back_end.withdraw_whisper(whispered, "kim")
        assert OracleWithdraw(whispered) in talk.writes
        opened = [at for at, write in enumerate(talk.writes) if isinstance(write, OracleOpen)]
        assert talk.writes[opened[-1] :] == [
            OracleOpen("c1-o1", LLM, 1000, is_final=True),
            OracleAppend("c1-o1", "Yes. Until five."),
            OracleClose("c1-o1"),
        ]


async def test_a_whisper_must_be_something_the_line_may_say() -> None:
    async with talking(Talk()) as talk:
        assert talk.back_end is not None
        for text in ("It is guaranteed.", " … ", "word " * 200):
            with pytest.raises(WhisperRefused):
                talk.back_end.whisper(text, "kim")
    with pytest.raises(WhisperRefused):
        talk.back_end.whisper("Too late.", "kim")


async def test_a_long_call_is_summed_up_beside_it() -> None:
    said = tuple(
        Said(Speaker.AGENT if number % 2 else Speaker.CALLER, f"Turn {number}" + " word" * 30)
        for number in range(30)
    )
    async with talking(Talk(history=said)) as talk:
        await talk.hears(transcript("are you open", 1000, is_final=True))
        assert talk.llm.summed_up == [said[:22]]
        await talk.hears(transcript("where are you", 4000, turn_start_ms=3000, is_final=True))
        assert talk.llm.requests[-1].summary == "Notes of 22 turns."
        assert talk.llm.requests[-1].history == said[22:]
