"""What one call's generations are made with. Knows no task and no order of events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from kame_voice.core.clock import Clock
from kame_voice.core.nouns import CallInfo, OracleSource
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import AnswerDelta, AnswerSource, OracleRequest, Said, Usage
from kame_voice.oracle.budget import CallLimits
from kame_voice.oracle.gate import Gate

__all__ = ["Parts", "Summariser", "UnknownAnswer"]


@runtime_checkable
class Summariser(Protocol):
    """A source that can also sum up a long call."""

    async def summarise(self, flow: Flow, summary: str, turns: tuple[Said, ...]) -> tuple[str, Usage]:
        """`summary` brought up to date with `turns`, and what that took. Raises `AnswerFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What one call's generations are made with.

    `sure`: whether `fallback` plainly knows the answer, so that `source` need not be asked; None: always ask.
    """

    call: CallInfo
    flow: Flow
    source: AnswerSource
    fallback: AnswerSource | None
    gate: Gate | None
    limits: CallLimits
    first_token_s: float
    clock: Clock
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    sure: Callable[[OracleRequest], Awaitable[bool]] | None = None


class UnknownAnswer:
    """Answers everything with the flow's honest sentence: for when nobody else can answer."""

    source = OracleSource.KNOWLEDGE
    model: str | None = None

    async def answer(self, question: OracleRequest) -> AsyncIterator[AnswerDelta]:
        yield AnswerDelta(question.flow.unknown)
