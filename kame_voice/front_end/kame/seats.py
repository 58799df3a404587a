"""Which rows of the batch are taken, and which are to be wiped before they step. Pure."""

from __future__ import annotations

import heapq

__all__ = ["Seats"]


class Seats:
    """Rows 0 … capacity−1 of the batch.

    The lowest free row is given out, so that taken rows stay near the front and a smaller batch
    covers them. A row given back is marked: it must be wiped before the next call steps on it.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = list(range(capacity))
        self._taken: set[int] = set()
        self._dirty: set[int] = set()

    @property
    def free(self) -> int:
        """Rows that are not taken."""
        return len(self._free)

    @property
    def taken(self) -> frozenset[int]:
        """Rows that are taken."""
        return frozenset(self._taken)

    def take(self) -> int | None:
        """A free row, or None where all are taken."""
        if not self._free:
            return None
        row = heapq.heappop(self._free)
        self._taken.add(row)
        self._dirty.add(row)
        return row

    def give_back(self, row: int) -> None:
        """Free a row; one that is not taken raises ValueError."""
        if row not in self._taken:
            raise ValueError(f"row {row} is not taken, so it cannot be given back")
        self._taken.remove(row)
        heapq.heappush(self._free, row)

    def to_wipe(self) -> frozenset[int]:
        """Rows to wipe now, each named once."""
        dirty, self._dirty = frozenset(self._dirty), set()
        return dirty

    def batch_for(self, buckets: tuple[int, ...]) -> int:
        """The smallest of `buckets` (ascending, the last is the capacity) that covers all taken rows."""
        last = max(self._taken, default=-1)
        return next(size for size in buckets if size > last)
