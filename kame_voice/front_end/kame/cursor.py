"""What one slot reads from its oracle stream, one token a step. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["OracleCursor", "OracleReading"]


@dataclass(frozen=True, slots=True)
class OracleReading:
    """The token a step reads. `oracle_id`: whose it is; None for padding."""

    token: int
    oracle_id: str | None


@dataclass(slots=True)
class _Candidate:
    id: str
    tokens: deque[int] = field(default_factory=deque)


class OracleCursor:
    """Feeds the newest oracle, token by token, and padding where there is nothing to feed.

    An oracle takes effect at its first token: until that has come, the older one goes on. It opens
    with `opening` (the model's text start token). At the end of what has arrived the cursor pauses
    on padding and goes on when more comes, so that no token is lost however late it is; the
    reference implementation runs past late tokens and never feeds them.
    """

    def __init__(self, *, padding: int, opening: int) -> None:
        self._padding = padding
        self._opening = opening
        self._running: _Candidate | None = None
        self._next: _Candidate | None = None
        self._void: set[str] = set()

    @property
    def in_force(self) -> str | None:
        """The oracle whose tokens were fed last; it stays in force when they are used up."""
        return self._running.id if self._running else None

    @property
    def waiting(self) -> int:
        """Tokens that have arrived and are not yet fed."""
        return sum(len(candidate.tokens) for candidate in (self._running, self._next) if candidate)

    def open(self, oracle_id: str) -> None:
        """A new oracle, which replaces the running one at its first token. Reopening is ignored."""
        known = {candidate.id for candidate in (self._running, self._next) if candidate}
        if oracle_id not in self._void and oracle_id not in known:
            if self._next is not None:
                self._void.add(self._next.id)
            self._next = _Candidate(oracle_id)

    def append(self, oracle_id: str, tokens: Sequence[int]) -> None:
        """More tokens of an open oracle; ignored for one that is unknown, replaced or withdrawn."""
        for candidate in (self._running, self._next):
            if candidate is not None and candidate.id == oracle_id:
                candidate.tokens.extend(tokens)

    def withdraw(self, oracle_id: str) -> None:
        """Feed nothing more of this oracle, from the next step on."""
        self._void.add(oracle_id)
        if self._next is not None and self._next.id == oracle_id:
            self._next = None
        if self._running is not None and self._running.id == oracle_id:
            self._running = None

    def drop_running(self) -> None:
        """The answer under way is ended: what is unfed of it is void. A newer one stays."""
        if self._running is not None:
            self.withdraw(self._running.id)

    def read(self) -> OracleReading:
        """The token of this step; moves on."""
        if self._next is not None and self._next.tokens:
            if self._running is not None:
                self._void.add(self._running.id)
            self._running, self._next = self._next, None
            return OracleReading(self._opening, self._running.id)
        if self._running is not None and self._running.tokens:
            return OracleReading(self._running.tokens.popleft(), self._running.id)
        return OracleReading(self._padding, None)
