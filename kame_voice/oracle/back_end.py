"""The back end of one call: from what the caller said to what the slot is told to say.

Runs on the thinking clock. Knows neither the model that speaks nor how transcripts come about.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from kame_voice.core.clock import Clock, monotonic
from kame_voice.core.nouns import CallInfo, OracleMode, OracleOutcome, OracleSource, Speaker
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
from kame_voice.oracle.base import (
    AnswerDelta,
    AnswerFailed,
    AnswerSource,
    OracleRecord,
    OracleRequest,
    Said,
    Transcript,
)
from kame_voice.oracle.ledger import Ledger
from kame_voice.oracle.never_say import forbidden_in
from kame_voice.oracle.scheduler import Adopt, Ask, Cancel, Confirm, Move, Scheduler, Withdraw
from kame_voice.oracle.words import spoken_words

__all__ = ["BackEnd"]

log = structlog.get_logger()


class BackEnd:
    """Asks `source` while or after the caller talks, as `mode` says.

    `fallback` answers in its place when it fails, or when a finished turn has waited
    `first_token_s` for its first token; a late answer still replaces the fallback's. Where both
    fail the flow's `unknown` sentence is the answer: the caller never waits in vain.
    """

    def __init__(
        self,
        call: CallInfo,
        flow: Flow,
        mode: OracleMode,
        source: AnswerSource | None,
        fallback: AnswerSource | None = None,
        *,
        telemetry: Telemetry | None = None,
        first_token_s: float = 1.2,
        clock: Clock = monotonic,
        now: Callable[[], datetime] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        zone = flow.business.zone
        self._mode = mode
        self._telemetry = telemetry or Telemetry()
        self._parts = _Parts(
            call,
            flow,
            source or _Unknown(),
            fallback,
            first_token_s,
            clock,
            now or (lambda: datetime.now(zone)),
            sleep,
        )

    async def run(
        self,
        transcripts: AsyncIterator[Transcript],
        guide: Callable[[OracleWrite], None],
        record: Callable[[OracleRecord], None],
        history: Callable[[], tuple[Said, ...]],
        media_ms: Callable[[], int],
    ) -> None:
        """Serve the call until `transcripts` ends. `guide` and `record` must not block."""
        ledger = Ledger(record, media_ms, self._telemetry)
        try:
            async with asyncio.TaskGroup() as group:
                scheduler = Scheduler(self._mode, self._parts.call.id)
                running = _Running(self._parts, scheduler, group, guide, ledger, history)
                async for transcript in transcripts:
                    running.do(scheduler.heard(transcript, media_ms()))
                running.stop()
        finally:
            ledger.close()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What one call's generations are made with."""

    call: CallInfo
    flow: Flow
    source: AnswerSource
    fallback: AnswerSource | None
    first_token_s: float
    clock: Clock
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]


class _Unknown:
    """Answers everything with the flow's honest sentence: for when nobody else can answer."""

    source = OracleSource.KNOWLEDGE
    model: str | None = None

    async def answer(self, question: OracleRequest) -> AsyncIterator[AnswerDelta]:
        yield AnswerDelta(question.flow.unknown)


class _Running:
    """The generations of one `BackEnd.run`: each is a task of its group."""

    def __init__(
        self,
        parts: _Parts,
        scheduler: Scheduler,
        group: asyncio.TaskGroup,
        guide: Callable[[OracleWrite], None],
        ledger: Ledger,
        history: Callable[[], tuple[Said, ...]],
    ) -> None:
        self._parts = parts
        self._scheduler = scheduler
        self._group = group
        self._guide = guide
        self._ledger = ledger
        self._history = history
        self._sources: dict[str, AnswerSource] = {}
        self._answers: dict[str, asyncio.Task[None]] = {}
        self._waits: dict[str, asyncio.Task[None]] = {}

    def do(self, moves: list[Move]) -> None:
        """Carry out what the scheduler decided."""
        for move in moves:
            match move:
                case Ask():
                    self._ask(move, self._parts.source)
                case Adopt(id_, covers_ms, is_final):
                    self._guide(OracleOpen(id_, self._sources[id_].source, covers_ms, is_final))
                    self._ledger.adopted(id_)
                case Confirm(id_, covers_ms, is_final):
                    self._guide(OracleConfirm(id_, covers_ms, is_final))
                    self._ledger.confirmed(id_)
                case Cancel(id_, outcome):
                    self._ledger.settled(id_, outcome)
                    self._stop(id_)
                case Withdraw(id_):
                    self._guide(OracleWithdraw(id_))
                    self._ledger.settled(id_, OracleOutcome.CANCELLED)
                    self._stop(id_)
        self._watch()

    def stop(self) -> None:
        """The call is over: end every task."""
        for task in (*self._answers.values(), *self._waits.values()):
            task.cancel()

    def _ask(self, ask: Ask, source: AnswerSource) -> None:
        parts = self._parts
        earlier = _without_present_turn(self._history(), ask)
        request = OracleRequest(parts.call, parts.flow, earlier, ask.words, ask.is_final, parts.now())
        self._sources[ask.id] = source
        self._ledger.asked(ask, source.source, source.model)
        self._answers[ask.id] = self._group.create_task(
            self._answer(ask.id, source, request), name=f"answer {ask.id}"
        )

    def _stop(self, id_: str) -> None:
        for tasks in (self._answers, self._waits):
            task = tasks.pop(id_, None)
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    async def _answer(self, id_: str, source: AnswerSource, request: OracleRequest) -> None:
        """One generation, from the question to its last token."""
        asked_s = self._parts.clock()
        begun = False
        text = ""
        stream = source.answer(request)
        try:
            async for delta in stream:
                text += delta.text
                if forbidden_in(text, request.flow.never_say):
                    raise AnswerFailed("forbidden-words", "the answer holds words of never_say")
                if not begun and delta.text.strip():
                    begun = True
                    self._ledger.first_token(id_, self._parts.clock() - asked_s)
                    self.do(self._scheduler.first_token(id_))
                if not self._scheduler.is_wanted(id_):
                    return
                if begun:
                    self._guide(OracleAppend(id_, delta.text))
                self._ledger.grew(id_, delta)
        except AnswerFailed as failure:
            log.warning("no answer", call_id=request.call.id, source=source.source.value, code=failure.code)
            self._give_way(id_, source, request, failure.code)
            return
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        if begun:
            self._guide(OracleClose(id_))
            self._ledger.delivered(id_)
            self._answers.pop(id_, None)
        else:
            self._give_way(id_, source, request, None)

    def _give_way(self, id_: str, source: AnswerSource, request: OracleRequest, error: str | None) -> None:
        """Generation `id_` failed, or had nothing to say on a guess: who answers in its place?"""
        needed = self._scheduler.answers_a_final(id_)
        instead = self._scheduler.stand_in(id_) if needed else None
        self._ledger.settled(id_, OracleOutcome.FAILED if error else OracleOutcome.CANCELLED, error)
        if instead is not None:
            if error is None and not request.is_final:
                self._ask(instead, source)
            elif source is self._parts.source and self._parts.fallback is not None:
                self._ask(instead, self._parts.fallback)
            else:
                self._ask(instead, _Unknown())
        self.do(self._scheduler.failed(id_))
        self._stop(id_)

    def _watch(self) -> None:
        """See to it that a finished turn does not wait too long for its first token."""
        id_ = self._scheduler.waited_for()
        if (
            id_ is not None
            and self._parts.fallback is not None
            and id_ not in self._waits
            and self._sources[id_] is self._parts.source
        ):
            self._waits[id_] = self._group.create_task(self._wait_for(id_), name=f"wait for {id_}")

    async def _wait_for(self, id_: str) -> None:
        await self._parts.sleep(self._parts.first_token_s)
        if self._scheduler.waited_for() != id_ or self._parts.fallback is None:
            return
        instead = self._scheduler.stand_in(id_)
        if instead is not None:
            self._ask(instead, self._parts.fallback)


def _without_present_turn(history: tuple[Said, ...], ask: Ask) -> tuple[Said, ...]:
    """A finished turn may already stand in the history; what it says is not to be said twice."""
    for at in range(len(history) - 1, -1, -1):
        if history[at].speaker is Speaker.CALLER:
            present = ask.is_final and spoken_words(history[at].text) == spoken_words(ask.words)
            return history[:at] + history[at + 1 :] if present else history
    return history
