"""One call's questions under way: each a task that streams its answer where the scheduler wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from kame_voice.core.nouns import OracleOutcome
from kame_voice.core.oracle_stream import (
    OracleAppend,
    OracleClose,
    OracleConfirm,
    OracleOpen,
    OracleWithdraw,
    OracleWrite,
)
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import (
    AnswerDelta,
    AnswerFailed,
    AnswerSource,
    Note,
    OracleRequest,
    Said,
)
from kame_voice.oracle.gate import BREAKER_OPEN
from kame_voice.oracle.history import without_present_turn
from kame_voice.oracle.ledger import Ledger
from kame_voice.oracle.memory import CallMemory
from kame_voice.oracle.never_say import forbidden_in
from kame_voice.oracle.parts import Parts, Summariser, UnknownAnswer
from kame_voice.oracle.scheduler import Adopt, Ask, Cancel, Confirm, Move, Scheduler, Withdraw
from kame_voice.oracle.waiting import CLAUSE_S, STALL_S, is_speakable, wait_s

__all__ = ["Generations"]

log = structlog.get_logger()


@dataclass(slots=True)
class _Answer:
    """An answer as far as it has come. `gated`: it went through the gate. `decided`: the service has
    answered or failed. `speakable`: it can be begun aloud. `on_final`: asked on a finished turn."""

    source: AnswerSource
    on_final: bool
    gated: bool
    text: str = ""
    begun: bool = False
    grew_s: float = 0.0
    closed: bool = False
    decided: bool = False

    @property
    def speakable(self) -> bool:
        return self.closed or is_speakable(self.text)


@dataclass(slots=True)
class _Tasks:
    answers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    waits: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    summary: asyncio.Task[None] | None = None


class Generations:
    """The shell around one call's `Scheduler`: carries out its moves, within a task group."""

    def __init__(
        self,
        parts: Parts,
        scheduler: Scheduler,
        group: asyncio.TaskGroup,
        guide: Callable[[OracleWrite], None],
        ledger: Ledger,
        history: Callable[[], tuple[Said, ...]],
        media_ms: Callable[[], int],
        note: Note,
    ) -> None:
        self._parts = parts
        self._scheduler = scheduler
        self._group = group
        self._guide = guide
        self._ledger = ledger
        self._history = history
        self._media_ms = media_ms
        self._note = note
        self._memory = CallMemory()
        self._found: dict[str, _Answer] = {}
        # Of whom it is not decided yet who answers: whether a finished turn has confirmed them meanwhile.
        self._undecided: dict[str, bool] = {}
        self._tasks = _Tasks()
        self._summaries = 0

    def do(self, moves: list[Move]) -> None:
        """Carry out what the scheduler decided."""
        for move in moves:
            match move:
                case Ask(id_) if self._parts.sure is not None:
                    self._undecided[id_] = False
                    self._tasks.answers[id_] = self._group.create_task(
                        self._ask_who_is_sure(move, self._parts.sure), name=f"who answers {id_}"
                    )
                case Ask():
                    self._ask(move, self._parts.source)
                case Adopt():
                    self._adopt(move)
                case Confirm(id_, covers_ms, is_final, in_force):
                    if in_force:
                        self._guide(OracleConfirm(id_, covers_ms, is_final))
                    if is_final:
                        self._confirm(id_)
                case Cancel(id_, outcome):
                    self._ledger.settled(id_, outcome)
                    self._stop(id_)
                case Withdraw(id_, outcome):
                    self._guide(OracleWithdraw(id_))
                    self._ledger.settled(id_, outcome)
                    self._stop(id_)
        self._watch()

    def _confirm(self, id_: str) -> None:
        if id_ in self._undecided:
            self._undecided[id_] = True
            return
        self._ledger.confirmed(id_)
        if self._parts.gate is not None:
            self._parts.gate.promoted(id_)

    def stop(self) -> None:
        """The call is over: end every task."""
        tasks = self._tasks
        for task in (*tasks.answers.values(), *tasks.waits.values(), tasks.summary):
            if task is not None:
                task.cancel()

    # Asking.

    async def _ask_who_is_sure(self, ask: Ask, sure: Callable[[OracleRequest], Awaitable[bool]]) -> None:
        """Ask the flow's facts where they plainly have the answer, else the source."""
        fallback = self._parts.fallback
        facts = fallback is not None and await sure(self._request(ask, self._earlier(ask)))
        confirmed = self._undecided.pop(ask.id)
        if self._scheduler.is_wanted(ask.id):
            self._ask(ask, fallback if facts and fallback else self._parts.source)
            if confirmed and ask.id in self._found:
                self._confirm(ask.id)
            self._watch()

    def _earlier(self, ask: Ask) -> tuple[Said, ...]:
        return without_present_turn(self._history(), ask)

    def _request(self, ask: Ask, earlier: tuple[Said, ...]) -> OracleRequest:
        parts, told = self._parts, self._memory.view(earlier)
        return OracleRequest(
            parts.call, parts.flow, told.recent, ask.words, ask.is_final, parts.now(), told.summary
        )

    def _ask(self, ask: Ask, source: AnswerSource) -> None:
        parts = self._parts
        allowed = self._allowed(ask, source)
        if allowed is None:
            self._scheduler.failed(ask.id)
            return
        earlier = self._earlier(ask)
        request = self._request(ask, earlier)
        gated = allowed is parts.source and parts.gate is not None
        self._found[ask.id] = _Answer(allowed, ask.is_final, gated)
        self._ledger.asked(ask, allowed.source, allowed.model)
        self._tasks.answers[ask.id] = self._group.create_task(
            self._answer(ask.id, request), name=f"answer {ask.id}"
        )
        if ask.is_final:
            self._sum_up(earlier)

    def _allowed(self, ask: Ask, source: AnswerSource) -> AnswerSource | None:
        """`source`, or who may be asked in its place; None: nobody, and a guess is not worth more."""
        parts = self._parts
        if source is not parts.source or parts.gate is None:
            return source
        reason = parts.gate.ask(parts.call.id, ask.id, parts.limits, self._shed, is_final=ask.is_final)
        if reason is None:
            return source
        if ask.is_final:
            code = BREAKER_OPEN if reason == BREAKER_OPEN else "over-budget"
            self._note("answer-failed", code=code, limit=reason, oracle=ask.id, final=True)
            self._ledger.not_asked(code)
        return parts.fallback or (UnknownAnswer() if ask.is_final else None)

    def _shed(self, id_: str) -> None:
        """The guess has to give its place to a finished turn."""
        self._ledger.settled(id_, OracleOutcome.CANCELLED, "over-budget")
        self.do(self._scheduler.failed(id_))
        self._stop(id_)

    # Answering.

    async def _answer(self, id_: str, request: OracleRequest) -> None:
        """One generation, from the question to its last token."""
        answer = self._found[id_]
        stream = answer.source.answer(request)
        try:
            await self._stream(id_, answer, stream, request.flow)
        except AnswerFailed as failure:
            self._failed(id_, failure.code)
            return
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
            if answer.gated and self._parts.gate is not None:
                self._parts.gate.done(id_, unanswered=not answer.decided)
        if not self._scheduler.is_wanted(id_):
            return
        if answer.begun:
            answer.closed = True
            if self._scheduler.in_force(id_):
                self._guide(OracleClose(id_))
            self._ledger.delivered(id_)
            self._tasks.answers.pop(id_, None)
        else:
            self._give_way(id_, None)

    async def _stream(
        self, id_: str, answer: _Answer, stream: AsyncIterator[AnswerDelta], flow: Flow
    ) -> None:
        asked_s = self._parts.clock()
        async for delta in stream:
            self._ledger.grew(id_, delta)
            if answer.gated and self._parts.gate is not None and delta.usage is not None:
                self._parts.gate.used(id_, delta.usage)
            if not delta.text:
                continue
            if forbidden_in(answer.text + delta.text, flow.never_say):
                raise AnswerFailed("forbidden-words", "the answer holds words of never_say")
            if not answer.begun and delta.text.strip():
                answer.begun = True
                self._service_answers(answer)
                self._ledger.first_token(id_, self._parts.clock() - asked_s)
                self.do(self._scheduler.first_token(id_))
            if not self._scheduler.is_wanted(id_):
                return
            if answer.begun:
                answer.text += delta.text
                answer.grew_s = self._parts.clock()
                if self._scheduler.in_force(id_):
                    self._guide(OracleAppend(id_, delta.text))

    def _adopt(self, adopt: Adopt) -> None:
        answer = self._found[adopt.id]
        self._guide(OracleOpen(adopt.id, answer.source.source, adopt.covers_ms, adopt.is_final))
        if answer.text:
            self._guide(OracleAppend(adopt.id, answer.text))
        if answer.closed:
            self._guide(OracleClose(adopt.id))
        self._ledger.adopted(adopt.id)

    def _service_answers(self, answer: _Answer) -> None:
        answer.decided = True
        if answer.gated and self._parts.gate is not None and self._parts.gate.answered():
            self._note("breaker-closed")

    # When there is no answer.

    def _failed(self, id_: str, code: str) -> None:
        answer = self._found[id_]
        source, final = answer.source.source.value, self._scheduler.answers_a_final(id_)
        log.warning("no answer", call_id=self._parts.call.id, source=source, code=code, oracle=id_)
        self._note("answer-failed", code=code, source=source, oracle=id_, final=final)
        answer.decided = True
        if answer.gated and self._parts.gate is not None and self._parts.gate.failed(code):
            self._note("breaker-open", code=code)
        self._give_way(id_, code)

    def _give_way(self, id_: str, error: str | None) -> None:
        """Generation `id_` failed, or had nothing to say on a guess: who answers in its place?"""
        answer = self._found[id_]
        instead = self._scheduler.stand_in(id_) if self._scheduler.answers_a_final(id_) else None
        self._ledger.settled(id_, OracleOutcome.FAILED if error else OracleOutcome.CANCELLED, error)
        if instead is not None:
            if error is None and not answer.on_final:
                self._ask(instead, answer.source)
            elif answer.source is self._parts.source and self._parts.fallback is not None:
                self._ask(instead, self._parts.fallback)
            else:
                self._ask(instead, UnknownAnswer())
        self.do(self._scheduler.failed(id_))
        self._stop(id_)

    def _stop(self, id_: str) -> None:
        for tasks in (self._tasks.answers, self._tasks.waits):
            task = tasks.pop(id_, None)
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    def _watch(self) -> None:
        """See to it that a finished turn does not wait too long for words that can be said."""
        id_ = self._scheduler.waited_for()
        if (
            id_ is not None
            and self._parts.fallback is not None
            and id_ not in self._tasks.waits
            and id_ in self._found
            and self._found[id_].source is self._parts.source
            and not self._found[id_].speakable
        ):
            self._tasks.waits[id_] = self._group.create_task(self._wait_for(id_), name=f"wait for {id_}")

    async def _wait_for(self, id_: str) -> None:
        silent_s = (self._media_ms() - self._scheduler.covers_ms(id_)) / 1000
        await self._parts.sleep(wait_s(self._parts.first_token_s, silent_s))
        answer = self._found[id_]
        await self._wait_for_clause(answer)
        if not self._scheduler.answers_a_final(id_) or answer.speakable or self._parts.fallback is None:
            return
        if answer.begun:
            # It is in force and says nothing that could be spoken: its place is wanted.
            self._failed(id_, "stalled")
            return
        instead = self._scheduler.stand_in(id_)
        if instead is not None:
            self._note("answer-late", oracle=id_, instead=instead.id)
            self._ask(instead, self._parts.fallback)

    async def _wait_for_clause(self, answer: _Answer) -> None:
        """Let an answer that has begun come to words that can be said, as long as it grows."""
        clock, sleep = self._parts.clock, self._parts.sleep
        until_s = clock() + CLAUSE_S
        while answer.begun and not answer.speakable and clock() < until_s:
            letters = len(answer.text)
            await sleep(max(0.0, answer.grew_s + STALL_S - clock()))
            if len(answer.text) == letters:
                return

    # Long calls.

    def _sum_up(self, history: tuple[Said, ...]) -> None:
        """Have the older part of a long call summed up, beside everything else."""
        parts, turns = self._parts, self._memory.due(history)
        running = self._tasks.summary is not None and not self._tasks.summary.done()
        if not turns or running or not isinstance(parts.source, Summariser):
            return
        self._summaries += 1
        id_ = f"{parts.call.id}-s{self._summaries}"
        if parts.gate is not None:
            reason = parts.gate.ask(parts.call.id, id_, parts.limits, self._drop_summary, is_final=False)
            if reason is not None:
                return
        self._tasks.summary = self._group.create_task(
            self._summarise(id_, parts.source, turns), name=f"summary {id_}"
        )

    async def _summarise(self, id_: str, source: Summariser, turns: tuple[Said, ...]) -> None:
        gate = self._parts.gate
        decided = False
        try:
            text, usage = await source.summarise(self._parts.flow, self._memory.summary, turns)
            decided = True
            self._memory.learned(text, len(turns))
            if gate is not None:
                gate.used(id_, usage)
            self._note(
                "summed-up",
                turns=len(turns),
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost_usd=usage.cost_usd,
            )
        except AnswerFailed as failure:
            decided = True
            if gate is not None:
                gate.failed(failure.code)
            self._note("summary-failed", code=failure.code)
        finally:
            if gate is not None:
                gate.done(id_, unanswered=not decided)

    def _drop_summary(self, _id: str) -> None:
        if self._tasks.summary is not None:
            self._tasks.summary.cancel()
