"""One call, end to end within the process: what is heard, said, kept, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kame_voice.calls.live import LiveCall
from kame_voice.calls.recorder import CallRecorder
from kame_voice.calls.session import Ending, Session
from kame_voice.core.nouns import SAMPLE_RATE, CallInfo, FrontEndKind, OracleMode, Pcm
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Business, Flow, Limits, TurnSettings
from kame_voice.hearing.base import (
    BargedIn,
    HeardFrame,
    TurnEnded,
    TurnEvent,
    TurnStarted,
    VoicePaused,
)
from kame_voice.legs.base import CallerAudio, LegClosed, LegEvent
from kame_voice.legs.wav import WavLeg
from kame_voice.oracle.base import Transcript
from kame_voice.store.archive import Archive
from kame_voice.store.calls import CallDetail
from kame_voice.store.writer import StoreWriter
from tests.legs.virtual_time import VirtualTimeLoop
from tests.support.scripted_slot import ScriptedSlot

pytestmark = pytest.mark.anyio

FRAME = 480
CALL = CallInfo("c1", "CA1", "acme-main", "acme", "+15550111", "+15550100", "v1")


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualTimeLoop}


def silence(seconds: float) -> Pcm:
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


class ScriptedEar:
    """Hears the events it was told to hear, each with the frame that ends at or after its time."""

    def __init__(self, events: Sequence[tuple[int, TurnEvent]] = ()) -> None:
        self._events = list(events)
        self.played_ms = 0
        self.expected: list[tuple[int, int]] = []

    def listen(self, pcm: Pcm, at_ms: int) -> HeardFrame:
        due = [event for when, event in self._events if when <= at_ms]
        self._events = [entry for entry in self._events if entry[0] > at_ms]
        return HeardFrame(pcm, at_ms, voiced=False, events=tuple(due))

    def agent_played(self, pcm: Pcm, at_ms: int) -> None:
        self.played_ms = at_ms

    def expect_end(self, silence_ms: int, heard_to_ms: int) -> None:
        self.expected.append((silence_ms, heard_to_ms))


class ScriptedTranscriber:
    """Understands each ended turn as the next of its texts."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self._texts = list(texts)
        self._finals: asyncio.Queue[Transcript | None] = asyncio.Queue()
        self._open: TurnStarted | None = None
        self._at_ms = 0

    def feed(self, frame: HeardFrame) -> None:
        self._at_ms = frame.at_ms
        for event in frame.events:
            if isinstance(event, TurnStarted | TurnEnded):
                self._open = event if isinstance(event, TurnStarted) else None
            if isinstance(event, VoicePaused):
                so_far = self._texts[0]
                self._finals.put_nowait(
                    Transcript(so_far, so_far, 0, frame.at_ms, is_final=False, paused=True)
                )
            if isinstance(event, TurnEnded):
                text = self._texts.pop(0)
                self._finals.put_nowait(Transcript(text, text, event.start_ms, event.end_ms, is_final=True))

    async def transcripts(self) -> AsyncIterator[Transcript]:
        while (transcript := await self._finals.get()) is not None:
            yield transcript

    def finish(self) -> None:
        if self._open:
            text = self._texts.pop(0)
            self._finals.put_nowait(Transcript(text, text, self._open.at_ms, self._at_ms, is_final=True))
        self._finals.put_nowait(None)

    def close(self) -> None:
        self._finals.put_nowait(None)


@dataclass
class Mind:
    """A back end that only listens; `fault` is raised by the first transcript."""

    fault: Exception | None = None
    heard: list[Transcript] = field(default_factory=list)
    history: Callable[[], Any] | None = None

    async def run(
        self,
        transcripts: AsyncIterator[Transcript],
        guide: Any,
        record: Any,
        history: Any,
        media_ms: Any,
        note: Any,
    ) -> None:
        self.history = history
        async for transcript in transcripts:
            if self.fault:
                raise self.fault
            self.heard.append(transcript)

    def spoken(self, oracle_id: str) -> None:
        pass

    def whisper(self, text: str, by: str) -> str:
        raise NotImplementedError

    def withdraw_whisper(self, oracle_id: str, by: str) -> bool:
        return False


@dataclass
class Line:
    """One session with everything round it."""

    archive: Archive
    writer: StoreWriter
    telemetry: Telemetry
    slot: ScriptedSlot = field(default_factory=ScriptedSlot)
    mind: Mind = field(default_factory=Mind)
    live: LiveCall = field(default_factory=lambda: LiveCall(CALL, datetime.now(UTC)))
    ear: ScriptedEar = field(init=False)

    def session(
        self,
        leg: Any,
        *,
        events: Sequence[tuple[int, TurnEvent]] = (),
        texts: Sequence[str] = (),
        **flow: Any,
    ) -> Session:
        parts: dict[str, Any] = {
            "version": 1,
            "customer": "acme",
            "line": "acme-main",
            "greeting": "Acme speaking.",
            "goodbye": "Thanks. Goodbye.",
            "business": Business(name="Acme", time_zone="UTC"),
        }
        shown = Flow(**(parts | flow))
        self.ear = ScriptedEar(events)
        recorder = CallRecorder(
            self.writer,
            CALL,
            shown,
            front_end=FrontEndKind.SPOKEN,
            oracle_mode=OracleMode.OFF,
        )
        return Session(
            CALL,
            shown,
            leg,
            self.slot,
            frame_samples=FRAME,
            ear=self.ear,
            transcriber=ScriptedTranscriber(texts),
            back_end=self.mind,
            recorder=recorder,
            live=self.live,
            telemetry=self.telemetry,
            clock=asyncio.get_running_loop().time,
        )

    def record(self) -> CallDetail:
        for _ in range(3):
            self.writer.round()
        call = self.archive.calls.get(CALL.id)
        assert call is not None
        return call


@pytest.fixture
def line(tmp_path: Path) -> Line:
    telemetry = Telemetry()
    archive = Archive.open(f"sqlite:///{tmp_path / 'kame.db'}", tmp_path)
    return Line(archive, StoreWriter(archive.database, archive.recordings, telemetry), telemetry)


def wav(seconds: float) -> WavLeg:
    return WavLeg(silence(seconds), clock=asyncio.get_running_loop().time)


async def test_the_greeting_is_said_heard_and_kept(line: Line) -> None:
    ending = await line.session(wav(3.0)).run()
    assert ending == Ending("completed", "caller hung up")
    call = line.record()
    assert call.status == "completed"
    assert [(turn.speaker, turn.text, turn.heard_text) for turn in call.turns] == [
        ("agent", "Acme speaking.", "Acme speaking.")
    ]
    assert call.turns[0].verbatim


async def test_a_disclosure_comes_before_the_greeting(line: Line) -> None:
    await line.session(wav(4.0), disclosure="I am a machine.").run()
    assert line.slot.said == ["I am a machine.", "Acme speaking."]


async def test_every_moment_of_the_caller_reaches_slot_and_record(line: Line) -> None:
    await line.session(wav(2.0)).run()
    assert [frame.at_ms for frame in line.slot.heard] == list(range(0, 2000, 20))
    assert line.record().duration_ms == 2000


async def test_a_callers_turn_is_transcribed_and_remembered(line: Line) -> None:
    events: list[tuple[int, TurnEvent]] = [(1000, TurnStarted(1000)), (2000, TurnEnded(1000, 1700))]
    await line.session(wav(4.0), events=events, texts=["Are you open?"]).run()
    turns = [turn for turn in line.record().turns if turn.speaker == "caller"]
    assert [(turn.text, turn.start_ms, turn.end_ms) for turn in turns] == [("Are you open?", 1000, 1700)]
    assert line.mind.history is not None
    assert [said.text for said in line.mind.history()] == ["Acme speaking."], "the present turn is not past"


async def test_what_a_caller_said_as_they_hung_up_is_remembered(line: Line) -> None:
    events: list[tuple[int, TurnEvent]] = [(1500, TurnStarted(1400))]
    await line.session(wav(2.0), events=events, texts=["Never mind, goodbye."]).run()
    turns = [turn for turn in line.record().turns if turn.speaker == "caller"]
    assert [(turn.text, turn.start_ms, turn.end_ms) for turn in turns] == [
        ("Never mind, goodbye.", 1400, 2000)
    ]
    assert line.mind.heard == [], "nobody is there any more to be answered"


async def test_a_caller_who_speaks_on_before_they_are_answered_has_one_turn(line: Line) -> None:
    events: list[tuple[int, TurnEvent]] = [
        (2000, TurnStarted(2000)),
        (3000, TurnEnded(2000, 2700)),
        (4500, TurnStarted(4300)),
        (5500, TurnEnded(4300, 5200)),
    ]
    texts = ["And do you have", "And do you have a sauna?"]
    await line.session(wav(6.5), events=events, texts=texts).run()
    turns = [turn for turn in line.record().turns if turn.speaker == "caller"]
    assert [(turn.text, turn.start_ms, turn.end_ms) for turn in turns] == [(texts[1], 2000, 5200)]


async def test_the_ear_is_told_how_long_the_words_at_a_pause_deserve_to_be_waited_for(line: Line) -> None:
    events: list[tuple[int, TurnEvent]] = [
        (1000, TurnStarted(1000)),
        (1800, VoicePaused(1700)),
        (2000, TurnEnded(1000, 1700)),
    ]
    turns = TurnSettings(whole_silence_ms=210)
    await line.session(wav(4.0), events=events, texts=["Are you open?"], turns=turns).run()
    assert line.ear.expected == [(210, 1800)]


async def test_words_cut_by_barge_in_count_as_unheard(line: Line) -> None:
    events: list[tuple[int, TurnEvent]] = [
        (400, TurnStarted(100)),
        (400, BargedIn(100)),
        (900, TurnEnded(100, 600)),
    ]
    await line.session(
        wav(3.0), events=events, texts=["Wait."], greeting="One two three four five six."
    ).run()
    call = line.record()
    greeting = next(turn for turn in call.turns if turn.speaker == "agent")
    assert greeting.heard_text is not None
    assert "six." not in greeting.heard_text
    assert greeting.heard_text == "One" or greeting.heard_text.startswith("One two")
    assert "barge-in" in [event.kind for event in call.events]


async def test_the_limit_of_minutes_ends_with_a_goodbye_that_is_heard(line: Line) -> None:
    leg = wav(60.0)
    ending = await line.session(leg, limits=Limits(max_minutes=0.1)).run()
    assert ending == Ending("completed", "limit of minutes")
    last = line.record().turns[-1]
    assert (last.text, last.heard_text) == ("Thanks. Goodbye.", "Thanks. Goodbye.")


async def test_a_silent_caller_is_asked_and_then_let_go(line: Line) -> None:
    ending = await line.session(wav(60.0), limits=Limits(max_silence_s=5)).run()
    assert ending.reason == "nobody spoke"
    assert line.slot.said == ["Acme speaking.", "Are you still there?", "Thanks. Goodbye."]


async def test_a_goodbye_from_outside_ends_the_call_as_told(line: Line) -> None:
    session = line.session(wav(60.0))
    asyncio.get_running_loop().call_later(3.0, session.say_goodbye, "drain")
    assert await session.run() == Ending("completed", "drain")


async def test_a_hang_up_by_people_says_goodbye_first(line: Line) -> None:
    session = line.session(wav(60))
    asyncio.get_running_loop().call_later(3.0, line.live.hang_up, "a supervisor")
    assert await session.run() == Ending("completed", "a supervisor hung up")
    assert line.record().turns[-1].heard_text == "Thanks. Goodbye."
    line.live.hang_up("nobody minds")


async def test_who_listens_in_hears_both_sides_to_the_end(line: Line) -> None:
    async def listen() -> int:
        with line.live.sound.listen() as listening:
            blocks = [block async for block in listening]
        both = np.concatenate(blocks)
        assert not both[:, 0].any(), "the caller is silent"
        assert both[:, 1].any(), "the agent greets"
        return len(both)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await line.session(wav(3.0)).run()
    assert await listening >= 2.9 * SAMPLE_RATE


async def test_the_carriers_word_ends_a_call_whose_socket_is_silent(line: Line) -> None:
    session = line.session(wav(60.0))
    asyncio.get_running_loop().call_later(3.0, session.carrier_ended, "completed")
    assert await session.run() == Ending("completed", "carrier: completed")


class StallingLeg(WavLeg):
    """Sends one second, nothing for one second, then the rest: what was held up is lost."""

    async def events(self) -> AsyncIterator[LegEvent]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in [*range(50), *range(100, 150)]:
            await asyncio.sleep(max(0.0, began + (number + 1) * 0.02 - loop.time()))
            yield CallerAudio(silence(0.02), number * FRAME)
            self._play_one()
        yield LegClosed("dropped", "the socket closed")

    async def play(self, pcm: Pcm, marks: Sequence[str] = ()) -> int:
        await asyncio.sleep(len(pcm) / SAMPLE_RATE)
        return 0


async def test_a_stalled_caller_becomes_silence_and_is_counted(line: Line) -> None:
    ending = await line.session(StallingLeg(silence(0.0))).run()
    assert ending.status == "dropped"
    assert [frame.at_ms for frame in line.slot.heard] == list(range(0, 3000, 20))
    lost = next(event for event in line.record().events if event.kind == "caller-audio-lost")
    assert lost.data["gap_ms"] == 1000


async def test_a_fault_in_the_call_still_closes_its_record(line: Line) -> None:
    line.mind.fault = RuntimeError("boom")
    events: list[tuple[int, TurnEvent]] = [(500, TurnStarted(500)), (900, TurnEnded(500, 700))]
    with pytest.raises(ExceptionGroup):
        await line.session(wav(5.0), events=events, texts=["Hello?"]).run()
    call = line.record()
    assert (call.status, call.end_reason) == ("failed", "internal error")
