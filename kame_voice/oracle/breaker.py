"""When to stop asking a service that fails, and when to try it again. Pure; time is passed in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["Breaker", "BreakerState"]

_AT_ONCE: Final = frozenset(("bad-key", "no-key"))
"""Nothing that passes: one is enough."""
_COUNTED: Final = _AT_ONCE | {
    "refused-request",
    "rate-limited",
    "overloaded",
    "server-error",
    "unreachable",
    "first-token-late",
    "stalled",
    "cut-off",
}
"""Failures of the service. A refusal or an empty answer is one question's, not the service's."""
_LONGEST_S: Final = 60.0


class BreakerState(StrEnum):
    """`closed`: questions go out. `open`: none does. `half-open`: one tries whether it works again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """One a service. Opens after `failures` in a row, for `cool_s`; each trial that fails doubles that,
    up to a minute. `now_s`: seconds of a clock that never goes back."""

    def __init__(self, failures: int = 3, cool_s: float = 5.0) -> None:
        self.state = BreakerState.CLOSED
        self._failures = failures
        self._cool_s = cool_s
        self._failed = 0
        self._wait_s = cool_s
        self._open_until_s = 0.0

    def would_admit(self, now_s: float) -> bool:
        """Whether a question may go out now."""
        if self.state is BreakerState.CLOSED:
            return True
        return self.state is BreakerState.OPEN and now_s >= self._open_until_s

    def admit(self, now_s: float) -> bool:
        """A question wants to go out: may it? After the time of rest the first one is the trial."""
        if not self.would_admit(now_s):
            return False
        if self.state is BreakerState.OPEN:
            self.state = BreakerState.HALF_OPEN
        return True

    def succeeded(self) -> bool:
        """The service answers. Returns whether that closed the breaker."""
        was = self.state
        self.state = BreakerState.CLOSED
        self._failed = 0
        self._wait_s = self._cool_s
        return was is not BreakerState.CLOSED

    def failed(self, code: str, now_s: float) -> bool:
        """A question failed for the reason `code`. Returns whether that opened the breaker."""
        if code not in _COUNTED:
            self.undecided(now_s)
            return False
        self._failed += 1
        if self.state is BreakerState.HALF_OPEN:
            self._wait_s = min(_LONGEST_S, self._wait_s * 2)
        elif self.state is BreakerState.OPEN or (self._failed < self._failures and code not in _AT_ONCE):
            return False
        self.state = BreakerState.OPEN
        self._open_until_s = now_s + self._wait_s
        return True

    def undecided(self, now_s: float) -> None:
        """A question was given up before the service had answered: a trial may be made again at once."""
        if self.state is BreakerState.HALF_OPEN:
            self.state = BreakerState.OPEN
            self._open_until_s = now_s
