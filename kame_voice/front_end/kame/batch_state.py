"""The streaming state of stock moshi modules, seen through fewer rows or through one mask (torch, moshi)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from moshi.modules.streaming import StreamingModule

from kame_voice.front_end.kame.ring import ValidRing

__all__ = ["BatchState"]


class BatchState:
    """The states of every streaming module under `roots`, all `batch` rows wide.

    `share(mask)` makes all of them look at one activity mask, so that setting it is one copy instead
    of one a module. `use(rows)` lets the modules see the first rows only, in the same memory: a
    smaller batch with the same calls in it.
    """

    def __init__(self, roots: list[Any], batch: int) -> None:
        self.batch = batch
        self._modules: list[Any] = []
        for root in roots:
            for module in root.modules():
                if isinstance(module, StreamingModule) and module._streaming_state is not None:
                    self._modules.append(module)
        self._views: dict[int, list[Any]] = {batch: [module._streaming_state for module in self._modules]}
        self.rows = batch

    def share(self, mask: Any) -> None:
        """Use `mask` [batch] bool as the activity mask of every module."""
        for state in self._views[self.batch]:
            state.exec_mask = mask
        self._views = {self.batch: self._views[self.batch]}

    def use(self, rows: int) -> None:
        """Let the modules see the first `rows` rows."""
        if rows == self.rows:
            return
        if rows not in self._views:
            self._views[rows] = [_narrow(state, rows, self.batch) for state in self._views[self.batch]]
        for module, state in zip(self._modules, self._views[rows], strict=True):
            module._streaming_state = state
        self.rows = rows

    def reach(self, places: int) -> None:
        """How many places of its ring attention reads, in every view."""
        for states in self._views.values():
            for state in states:
                ring = getattr(state, "kv_cache", None)
                if isinstance(ring, ValidRing):
                    ring.reach = min(places, ring.capacity)

    def rewind(self) -> None:
        """Start every row over at position 0, as the depth transformer does in each step."""
        self.set_position(0)

    def set_position(self, steps: int) -> None:
        """Put every row at position `steps` without touching what it remembers."""
        for state in self._views[self.rows]:
            for name in ("offset", "offsets"):
                if (offset := getattr(state, name, None)) is not None:
                    offset.fill_(steps)
            if hasattr(state, "offset_cpu"):
                state.offset_cpu = steps
            if (ring := getattr(state, "kv_cache", None)) is not None:
                ring.end_offset.fill_(steps)

    def wipe(self, mask: Any) -> None:
        """Reset the rows of `mask` [batch] bool in every module; activity masks are left in disorder."""
        for state in self._views[self.batch]:
            state.reset(mask)


def _narrow(state: Any, rows: int, batch: int) -> Any:
    view = copy.copy(state)
    for name, value in vars(state).items():
        if isinstance(value, torch.Tensor) and value.ndim and value.shape[0] == batch:
            setattr(view, name, value[:rows])
        elif hasattr(value, "end_offset"):
            setattr(view, name, _narrow_ring(value, rows, batch))
    view.batch_size = rows
    return view


def _narrow_ring(ring: Any, rows: int, batch: int) -> Any:
    if isinstance(ring, ValidRing):
        return ring.narrow(rows)
    view = copy.copy(ring)
    view.cache = ring.cache[:, :rows]
    if ring.end_offset.shape[0] == batch:
        view.end_offset = ring.end_offset[:rows]
    return view
