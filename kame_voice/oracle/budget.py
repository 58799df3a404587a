"""What answers may cost: requests, tokens and money, of one call and of the process. Pure; time is passed in.

Guesses stop before finals do: a guess is only granted while there is room to spare, and a final takes a
guess's place, of another call's first, where there is none left.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from kame_voice.oracle.base import Usage

__all__ = ["Budget", "CallLimits", "ProcessLimits", "Verdict"]

_SPARE: Final = 0.75
"""Guesses may use this share of every limit; the rest is for finished turns."""
_SECOND: Final = 1.0
_MINUTE: Final = 60.0
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Of all calls together; 0: no limit. Money in US dollars over the last 24 hours."""

    in_flight: int = 16
    requests_a_second: float = 20.0
    tokens_a_minute: int = 400_000
    usd_a_day: float = 20.0


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Of one call; 0: no limit."""

    in_flight: int = 3
    tokens: int = 300_000
    usd: float = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may go out. `reason`: the limit in the way. `shed`: guesses to be given up for it."""

    granted: bool
    reason: str = ""
    shed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Spent:
    tokens: int = 0
    usd: float = 0.0


@dataclass(slots=True)
class _Request:
    call_id: str
    is_final: bool
    tokens: int = 0
    usd: float = 0.0


class Budget:
    """The accounts of the process. `now_s`: seconds of a clock that never goes back."""

    def __init__(self, limits: ProcessLimits | None = None) -> None:
        self.limits = limits or ProcessLimits()
        self._running: dict[str, _Request] = {}
        self._calls: dict[str, _Spent] = {}
        self._asked: deque[float] = deque()
        self._tokens: deque[tuple[float, int]] = deque()
        self._usd: deque[tuple[float, float]] = deque()

    def ask(self, call_id: str, id_: str, limits: CallLimits, now_s: float, *, is_final: bool) -> Verdict:
        """May request `id_` of this call go out? Where it may it is taken to have gone."""
        self._forget_the_past(now_s)
        share = 1.0 if is_final else _SPARE
        spent = self._calls.setdefault(call_id, _Spent())
        reason = self._over(share) or _over_call(spent, limits, share)
        if reason:
            return Verdict(False, reason)
        shed: tuple[str, ...] = ()
        mine = [one for one, request in self._running.items() if request.call_id == call_id]
        if limits.in_flight and len(mine) >= limits.in_flight:
            # Its own oldest guess answers the fewest of the words known by now.
            stale = [one for one in mine if not self._running[one].is_final]
            if not stale:
                return Verdict(False, "call-in-flight")
            shed = (stale[0],)
        elif self.limits.in_flight and len(self._running) >= self.limits.in_flight * share:
            victim = self._victim(call_id) if is_final else None
            if victim is None:
                return Verdict(False, "in-flight")
            shed = (victim,)
        for one in shed:
            self.done(one)
        self._running[id_] = _Request(call_id, is_final)
        self._asked.append(now_s)
        return Verdict(True, shed=shed)

    def promoted(self, id_: str) -> None:
        """A guess turned out to answer a finished turn: nobody may take its place any more."""
        if id_ in self._running:
            self._running[id_].is_final = True

    def used(self, id_: str, usage: Usage, now_s: float) -> None:
        """What request `id_` has taken so far, in place of what was told of it before."""
        request = self._running.get(id_)
        if request is None:
            return
        tokens = sum(
            (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
        )
        more, usd = tokens - request.tokens, (usage.cost_usd or 0.0) - request.usd
        request.tokens, request.usd = tokens, usage.cost_usd or 0.0
        spent = self._calls.setdefault(request.call_id, _Spent())
        spent.tokens += more
        spent.usd += usd
        if more:
            self._tokens.append((now_s, more))
        if usd:
            self._usd.append((now_s, usd))

    def done(self, id_: str) -> None:
        """Request `id_` is over, whichever way. Idempotent."""
        self._running.pop(id_, None)

    def call_over(self, call_id: str) -> None:
        """Forget a call's own account; what it spent of the process's stays."""
        self._calls.pop(call_id, None)

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._running)

    def _over(self, share: float) -> str:
        limits = self.limits
        if limits.requests_a_second and len(self._asked) + 1 > max(1.0, limits.requests_a_second * share):
            return "requests-a-second"
        if limits.tokens_a_minute and sum(n for _, n in self._tokens) >= limits.tokens_a_minute * share:
            return "tokens-a-minute"
        if limits.usd_a_day and sum(usd for _, usd in self._usd) >= limits.usd_a_day * share:
            return "usd-a-day"
        return ""

    def _victim(self, call_id: str) -> str | None:
        """The guess to be given up for a finished turn: another call's oldest, else its own oldest."""
        guesses = [one for one, request in self._running.items() if not request.is_final]
        others = [one for one in guesses if self._running[one].call_id != call_id]
        return next(iter(others or guesses), None)

    def _forget_the_past(self, now_s: float) -> None:
        while self._asked and self._asked[0] <= now_s - _SECOND:
            self._asked.popleft()
        while self._tokens and self._tokens[0][0] <= now_s - _MINUTE:
            self._tokens.popleft()
        while self._usd and self._usd[0][0] <= now_s - _DAY:
            self._usd.popleft()


def _over_call(spent: _Spent, limits: CallLimits, share: float) -> str:
    if limits.tokens and spent.tokens >= limits.tokens * share:
        return "call-tokens"
    if limits.usd and spent.usd >= limits.usd * share:
        return "call-usd"
    return ""
