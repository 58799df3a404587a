"""One call from answer to hang-up: the file in which the audio clock and the thinking clock meet.

Audio clock: leg → framing → ear → slot, and slot → leg. Nothing on it waits for the network, the
disk, speech to text or an answer. Thinking clock: transcripts → back end → `slot.guide`, and the
record. It may be slow or fail; the call goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

import structlog

from kame_voice.audio.framing import Framer
from kame_voice.calls.catch_up import CatchUp
from kame_voice.calls.live import LiveCall
from kame_voice.calls.metronome import Metronome
from kame_voice.calls.patience import Patience, Word
from kame_voice.calls.recorder import CallRecorder
from kame_voice.calls.transcript import CallTranscript
from kame_voice.core.clock import Clock
from kame_voice.core.errors import KameError
from kame_voice.core.nouns import SAMPLE_RATE, CallInfo, Pcm, samples_to_ms
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import Slot, SpokenFrame
from kame_voice.hearing.base import BargedIn, HeardFrame, Listener, TurnEnded, TurnStarted
from kame_voice.hearing.completeness import silence_after
from kame_voice.legs.base import CallerAudio, Dtmf, Leg, LegClosed, LegNote, MarkHeard, WaitsForMissing
from kame_voice.oracle.base import Adviser, OracleRecord, Said, Transcriber, Transcript

__all__ = ["Ending", "Session"]

_LAST_WORDS_S: Final = 5.0
"""After a goodbye was handed to the leg: the longest wait for the caller's side to play it."""
_CLOSE_WITHIN_S: Final = 5.0
"""After our hang-up: the longest wait for the carrier to close the socket."""
_UNREAD_WORDS_S: Final = 2.0
"""After the end: the longest wait for speech to text, with the slot still held. Mostly nothing, or 0.15 s."""
_TICK_S: Final = 0.25

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended. `status`: completed, dropped or failed; `reason` says by what."""

    status: str
    reason: str


_LEG_ENDINGS: Final = {
    "hung_up": Ending("completed", "caller hung up"),
    "dropped": Ending("dropped", "connection lost"),
    "protocol_error": Ending("failed", "malformed message from the carrier"),
    "ended_by_us": Ending("completed", "agent hung up"),
}


class Session:
    """The tasks of one call. `run` returns when the call is over and its record is closed."""

    def __init__(
        self,
        call: CallInfo,
        flow: Flow,
        leg: Leg,
        slot: Slot,
        *,
        frame_samples: int,
        ear: Listener,
        transcriber: Transcriber,
        back_end: Adviser,
        recorder: CallRecorder,
        live: LiveCall,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self.call = call
        self._flow = flow
        self._leg = leg
        self._slot = slot
        self._framer = Framer(frame_samples)
        self._frame_s = frame_samples / SAMPLE_RATE
        self._ear = ear
        self._transcriber = transcriber
        self._back_end = back_end
        self._recorder = recorder
        self._live = live
        self._transcript = CallTranscript()
        self._catch_up = CatchUp()
        self._telemetry = telemetry
        self._clock = clock
        self._metronome = Metronome(clock())
        self._patience = Patience(flow)
        self._over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._caller_since_ms: int | None = None
        self._parting: Ending | None = None
        self._goodbye: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        live.can_end(self.say_goodbye)
        live.can_whisper(back_end)

    async def run(self) -> Ending:
        """Answer, talk, hang up. Cancelled or failing, it still closes the record."""
        ending = Ending("failed", "internal error")
        self._recorder.started()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work, name=f"{name} {self.call.id}")
                    for name, work in (
                        ("hear", self._hear()),
                        ("overdue", self._feed_overdue_frames()),
                        ("speak", self._speak()),
                        ("think", self._think()),
                        ("open", self._open()),
                        ("patience", self._keep_patience()),
                        ("goodbye", self._part()),
                    )
                ]
                ending = await self._over
                for task in tasks:
                    task.cancel()
            await self._keep_unread_words()
        except asyncio.CancelledError:
            ending = Ending("interrupted", "server stopped")
            raise
        finally:
            self._transcriber.close()
            self._close_record(ending)
        return ending

    def say_goodbye(self, reason: str) -> None:
        """Let the call end with the line's goodbye, after what is being said verbatim."""
        if not self._goodbye.done():
            self._goodbye.set_result(reason)

    def carrier_ended(self, status: str) -> None:
        """The carrier reports the call as over, whatever its socket does."""
        self._end(Ending("completed" if status == "completed" else "failed", f"carrier: {status}"))

    # The audio clock.

    async def _hear(self) -> None:
        async for event in self._leg.events():
            match event:
                case CallerAudio(pcm, at_sample):
                    self._metronome.heard((at_sample + len(pcm)) / SAMPLE_RATE, self._clock())
                    self._framer.push(pcm, at_sample)
                    while (frame := self._framer.pop()) is not None:
                        self._hear_frame(frame)
                case WaitsForMissing(seconds):
                    self._metronome.leg_waits(seconds)
                case MarkHeard(name):
                    self._transcript.heard(name)
                    self._keep_turns()
                case Dtmf(digit):
                    self._recorder.event("dtmf", self._now_ms(), digit=digit)
                    self._live.dtmf(digit, self._now_ms())
                case LegNote(kind, data):
                    self._recorder.event(kind, self._now_ms(), **data)
                case LegClosed(reason, detail):
                    if detail:
                        self._recorder.event("leg-closed", self._now_ms(), reason=reason, detail=detail)
                    ending = _LEG_ENDINGS[reason]
                    self._end(self._parting or ending if ending.status == "completed" else ending)

    async def _feed_overdue_frames(self) -> None:
        while True:
            until_s = self._framer.position / SAMPLE_RATE + self._frame_s
            wait_s = self._metronome.due(until_s) - self._clock()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            else:
                self._hear_frame(self._framer.pop_due())

    def _hear_frame(self, pcm: Pcm) -> None:
        at_sample = self._framer.position - len(pcm)
        heard = self._with_turns_gone_on(self._ear.listen(pcm, samples_to_ms(at_sample)))
        self._slot.hear(heard)
        self._transcriber.feed(heard)
        self._recorder.caller_audio(pcm, at_sample)
        self._live.sound.caller(pcm, at_sample)
        if heard.events:
            self._note_turns(heard)

    def _with_turns_gone_on(self, heard: HeardFrame) -> HeardFrame:
        """`heard`, with the turns marked that go on with one which has not been answered."""
        if not any(isinstance(event, TurnStarted) for event in heard.events):
            return heard
        events = tuple(
            TurnStarted(event.at_ms, self._transcript.goes_on(event.at_ms, self._flow.holding))
            if isinstance(event, TurnStarted)
            else event
            for event in heard.events
        )
        return replace(heard, events=events)

    async def _speak(self) -> None:
        async for made in self._slot.frames():
            frame = self._catch_up.next(made)
            if frame.cut:
                self._note_cut(await self._leg.clear())
            marks = self._transcript.speak(frame.words) if frame.words else ()
            at_sample = await self._leg.play(frame.pcm, marks)
            self._note_spoken(frame, at_sample)
            # A closed leg does not pace, and a slot that never waits would then hold the event loop.
            await asyncio.sleep(0)

    # What both clocks leave behind.

    def _note_turns(self, heard: HeardFrame) -> None:
        for event in heard.events:
            match event:
                case TurnStarted(at_ms, goes_on):
                    self._transcript.caller_started(at_ms, goes_on=goes_on)
                    self._live.caller_started(at_ms)
                    self._patience.caller_speaks(self._now_ms())
                case BargedIn(at_ms):
                    self._telemetry.barge_ins.inc()
                    self._recorder.event("barge-in", at_ms)
                case TurnEnded(_, end_ms):
                    self._transcript.caller_ended(end_ms)
                    self._live.caller_ended(end_ms)
                    self._patience.caller_fell_silent(self._now_ms())

    def _note_cut(self, unheard: set[str]) -> None:
        self._transcript.cleared(unheard, self._now_ms())
        self._recorder.agent_cut(self._framer.position)
        self._live.sound.cut(self._framer.position)
        turns = self._transcript.changed_turns()
        self._recorder.turns(turns)
        self._live.agent_cut(turns)

    def _note_spoken(self, frame: SpokenFrame, at_sample: int) -> None:
        at_ms = samples_to_ms(at_sample)
        self._ear.agent_played(frame.pcm, at_ms)
        self._live.agent_speaks(frame.speaking, at_ms)
        if not frame.speaking:
            return
        self._recorder.agent_audio(frame.pcm, at_sample)
        self._live.sound.agent(frame.pcm, at_sample)
        end_ms = at_ms + samples_to_ms(len(frame.pcm))
        gap_ms = self._transcript.agent_sounded(frame, at_ms, end_ms)
        if gap_ms is not None:
            self._telemetry.response_gap.observe(gap_ms / 1000)
            self._live.answered_after(gap_ms)
        self._patience.agent_speaks(end_ms, frame.words)
        if frame.words:
            self._keep_turns()
            for oracle_id, spoken_ms in self._transcript.newly_spoken():
                self._recorder.oracle_spoken(oracle_id, spoken_ms)
                self._back_end.spoken(oracle_id)

    async def _keep_unread_words(self) -> None:
        """What the caller said last may still be read when they hang up: it belongs on the record."""
        self._transcript.caller_ended(self._now_ms())
        self._transcriber.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UNREAD_WORDS_S):
                async for transcript in self._transcriber.transcripts():
                    self._transcript.caller_said(transcript)

    def _keep_turns(self) -> None:
        turns = self._transcript.changed_turns()
        self._recorder.turns(turns)
        self._live.turns_changed(turns)

    # The thinking clock.

    async def _think(self) -> None:
        await self._back_end.run(
            transcripts=self._transcripts(),
            guide=self._slot.guide,
            record=self._keep_oracle,
            history=self._history,
            media_ms=self._now_ms,
            note=lambda kind, **data: self._recorder.event(kind, self._now_ms(), **data),
        )

    async def _transcripts(self) -> AsyncIterator[Transcript]:
        async for transcript in self._transcriber.transcripts():
            self._caller_since_ms = transcript.turn_start_ms
            if transcript.paused:
                self._ear.expect_end(silence_after(transcript.text, self._flow.turns), transcript.covers_ms)
            self._transcript.caller_said(transcript)
            self._keep_turns()
            yield transcript

    def _keep_oracle(self, record: OracleRecord) -> None:
        self._recorder.oracle(record)
        self._live.oracle_changed(record)

    def _history(self) -> tuple[Said, ...]:
        """The conversation before the caller's present turn, whose words go to the back end as they come."""
        return self._transcript.history(before_ms=self._caller_since_ms)

    # The course of the call.

    async def _open(self) -> None:
        if self._flow.disclosure:
            await self._slot.say(self._flow.disclosure, interruptible=False)
        await self._slot.say(self._flow.greeting)

    async def _keep_patience(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            match self._patience.at(self._now_ms()):
                case Word.STILL_THERE:
                    await self._slot.say(self._flow.still_there)
                case Word.GOODBYE_SILENT:
                    self.say_goodbye("nobody spoke")
                case Word.GOODBYE_LIMIT:
                    self.say_goodbye("limit of minutes")
                case Word.HANG_UP:
                    await self._hang_up("goodbye")

    async def _part(self) -> None:
        reason = await self._goodbye
        self._recorder.event("goodbye", self._now_ms(), reason=reason)
        await self._slot.say(self._flow.goodbye, interruptible=False)
        await self._hang_up(reason)

    async def _hang_up(self, reason: str) -> None:
        """Last words are never cut: the carrier is told once the caller's side has played them."""
        try:
            await asyncio.wait_for(self._transcript.all_heard(), _LAST_WORDS_S)
        except TimeoutError:
            log.warning("last words unconfirmed", waited_s=_LAST_WORDS_S)
        self._parting = Ending("completed", reason)
        try:
            await self._leg.hang_up()
            await asyncio.sleep(_CLOSE_WITHIN_S)
        except KameError as error:
            log.error("hang-up failed", error=str(error))
            self._recorder.event("hang-up-failed", self._now_ms(), error=str(error))
        self._end(self._parting)

    def _end(self, ending: Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)

    def _close_record(self, ending: Ending) -> None:
        gaps = self._framer.counters()
        self._telemetry.caller_gaps.inc(gaps.gap_samples)
        self._telemetry.caller_late.inc(gaps.late_samples)
        if gaps.gap_samples or gaps.late_samples:
            self._recorder.event(
                "caller-audio-lost",
                self._now_ms(),
                gap_ms=samples_to_ms(gaps.gap_samples),
                late_ms=samples_to_ms(gaps.late_samples),
            )
        left_out = self._catch_up.left_out
        if left_out:
            self._telemetry.agent_left_out.inc(left_out)
            self._recorder.event("caught-up", self._now_ms(), left_out_ms=samples_to_ms(left_out))
        self._keep_turns()
        self._recorder.ended(ending.status, ending.reason, self._now_ms(), self._transcript.latency())
        self._live.ended(ending.status, ending.reason)

    def _now_ms(self) -> int:
        """The call's media clock: caller audio heard so far."""
        return samples_to_ms(self._framer.position)
