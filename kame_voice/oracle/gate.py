"""The way to the language model: one a process, for all calls. Lets through what breaker and budget allow."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from kame_voice.core.clock import Clock, monotonic
from kame_voice.core.telemetry import Telemetry
from kame_voice.oracle.base import Usage
from kame_voice.oracle.breaker import Breaker, BreakerState
from kame_voice.oracle.budget import Budget, CallLimits

__all__ = ["BREAKER_OPEN", "Gate"]

BREAKER_OPEN = "breaker-open"

log = structlog.get_logger()


class Gate:
    """Belongs to the event loop's thread. Every request that it lets through must be told `done`."""

    def __init__(
        self,
        budget: Budget | None = None,
        breaker: Breaker | None = None,
        telemetry: Telemetry | None = None,
        clock: Clock = monotonic,
    ) -> None:
        self._budget = budget or Budget()
        self._breaker = breaker or Breaker()
        self._telemetry = telemetry or Telemetry()
        self._clock = clock
        self._on_shed: dict[str, Callable[[str], None]] = {}

    def ask(
        self, call_id: str, id_: str, limits: CallLimits, shed: Callable[[str], None], *, is_final: bool
    ) -> str | None:
        """None: request `id_` may go out, and counts as gone. Else the reason why not.

        `shed` is called with `id_` if its place is needed for a finished turn.
        """
        now_s = self._clock()
        if not self._breaker.would_admit(now_s):
            return BREAKER_OPEN
        verdict = self._budget.ask(call_id, id_, limits, now_s, is_final=is_final)
        if not verdict.granted:
            self._telemetry.oracle_shed.labels(verdict.reason).inc()
            return verdict.reason
        self._breaker.admit(now_s)
        self._on_shed[id_] = shed
        for one in verdict.shed:
            self._telemetry.oracle_shed.labels("for-a-final").inc()
            if (give_up := self._on_shed.pop(one, None)) is not None:
                give_up(one)
        self._count()
        return None

    def promoted(self, id_: str) -> None:
        """A guess turned out to answer a finished turn."""
        self._budget.promoted(id_)

    def used(self, id_: str, usage: Usage) -> None:
        """What request `id_` has taken so far."""
        self._budget.used(id_, usage, self._clock())

    def answered(self) -> bool:
        """The service answers. Returns whether that closed the breaker."""
        closed = self._breaker.succeeded()
        if closed:
            self._changed()
        return closed

    def failed(self, code: str) -> bool:
        """A request failed. Returns whether that opened the breaker."""
        opened = self._breaker.failed(code, self._clock())
        if opened:
            self._changed()
        return opened

    def done(self, id_: str, *, unanswered: bool = False) -> None:
        """Request `id_` is over. `unanswered`: before the service had answered or failed. Idempotent."""
        if self._on_shed.pop(id_, None) is not None and unanswered:
            self._breaker.undecided(self._clock())
        self._budget.done(id_)
        self._count()

    def call_over(self, call_id: str) -> None:
        """The call's own account is closed."""
        self._budget.call_over(call_id)

    def _count(self) -> None:
        self._telemetry.oracle_in_flight.set(self._budget.in_flight)

    def _changed(self) -> None:
        state = self._breaker.state
        self._telemetry.breaker_changes.labels(state.value).inc()
        self._telemetry.breaker_open.set(state is not BreakerState.CLOSED)
        log.warning("the language model is asked again" if state is BreakerState.CLOSED else "breaker open")
