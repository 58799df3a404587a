"""The back end of one call: from what the caller said to what the slot is told to say.

Runs on the thinking clock. Knows neither the model that speaks nor how transcripts come about.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from kame_voice.core.clock import Clock, monotonic
from kame_voice.core.nouns import CallInfo, OracleMode
from kame_voice.core.oracle_stream import OracleWrite
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import (
    AnswerSource,
    Note,
    OracleRecord,
    OracleRequest,
    Said,
    Transcript,
    WhisperRefused,
)
from kame_voice.oracle.budget import CallLimits
from kame_voice.oracle.gate import Gate
from kame_voice.oracle.generations import Generations
from kame_voice.oracle.ledger import Ledger
from kame_voice.oracle.meaning import Meaning
from kame_voice.oracle.parts import Parts, UnknownAnswer
from kame_voice.oracle.scheduler import GuessRule, Scheduler
from kame_voice.oracle.whisper import Whispers

__all__ = ["BackEnd", "Judge"]

Judge = Callable[[Flow, Sequence[str], str], Awaitable[list[Meaning]]]
"""What the last words make of answers to each of the earlier ones."""


class BackEnd:
    """Asks `source` while or after the caller talks, as `mode` says.

    `fallback` answers in its place when it fails, when the `gate` does not let it be asked, or when the
    caller has waited `first_token_s` since their last sound for its first token; a late answer still
    replaces the fallback's. Where both fail the flow's `unknown` sentence is the answer: the caller never
    waits in vain. `judge` compares meanings; without it only the same words ask the same.
    """

    def __init__(
        self,
        call: CallInfo,
        flow: Flow,
        mode: OracleMode,
        source: AnswerSource | None,
        fallback: AnswerSource | None = None,
        *,
        gate: Gate | None = None,
        judge: Judge | None = None,
        sure: Callable[[OracleRequest], Awaitable[bool]] | None = None,
        rule: GuessRule | None = None,
        limits: CallLimits | None = None,
        telemetry: Telemetry | None = None,
        first_token_s: float = 1.05,
        clock: Clock = monotonic,
        now: Callable[[], datetime] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        zone = flow.business.zone
        self._telemetry = telemetry or Telemetry()
        self._judge = judge
        self._scheduler = Scheduler(mode, call.id, rule)
        self._whispers: Whispers | None = None
        self._parts = Parts(
            call,
            flow,
            source or UnknownAnswer(),
            fallback,
            gate,
            limits or CallLimits(),
            first_token_s,
            clock,
            now or (lambda: datetime.now(zone)),
            sleep,
            sure,
        )

    async def run(
        self,
        transcripts: AsyncIterator[Transcript],
        guide: Callable[[OracleWrite], None],
        record: Callable[[OracleRecord], None],
        history: Callable[[], tuple[Said, ...]],
        media_ms: Callable[[], int],
        note: Note,
    ) -> None:
        """Serve the call until `transcripts` ends. `guide`, `record` and `note` must not block."""
        parts, scheduler = self._parts, self._scheduler
        ledger = Ledger(record, media_ms, self._telemetry)
        try:
            async with asyncio.TaskGroup() as group:
                running = Generations(parts, scheduler, group, guide, ledger, history, media_ms, note)
                self._whispers = Whispers(parts.call, parts.flow, scheduler, running, guide, ledger, note)
                async for transcript in transcripts:
                    meanings = await self._meanings(transcript)
                    running.do(scheduler.heard(transcript, media_ms(), meanings))
                running.stop()
        finally:
            self._whispers = None
            ledger.close()
            if parts.gate is not None:
                parts.gate.call_over(parts.call.id)

    async def _meanings(self, transcript: Transcript) -> Mapping[str, Meaning]:
        rivals = self._scheduler.rivals(transcript)
        if self._judge is None or not rivals:
            return {}
        ids, words = zip(*rivals, strict=True)
        found = await self._judge(self._parts.flow, words, transcript.text)
        return dict(zip(ids, found, strict=True))

    # From outside the conversation; on the event loop's thread.

    def spoken(self, oracle_id: str) -> None:
        """See `Adviser.spoken`."""
        if self._whispers is not None:
            self._whispers.spoken(oracle_id)

    def whisper(self, text: str, by: str) -> str:
        """See `Adviser.whisper`."""
        if self._whispers is None:
            raise WhisperRefused("nobody is thinking on this call", where=f"call {self._parts.call.id}")
        return self._whispers.whisper(text, by)

    def withdraw_whisper(self, oracle_id: str, by: str) -> bool:
        """See `Adviser.withdraw_whisper`."""
        return self._whispers is not None and self._whispers.withdraw(oracle_id, by)
