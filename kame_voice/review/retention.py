"""Deletes what is older than the settings say, beside the calls: a little at a time, off everybody's path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Final

import structlog

from kame_voice.core.telemetry import Telemetry
from kame_voice.review.erasing import Age, Erasure, Gone
from kame_voice.store.errors import StoreError

__all__ = ["Retention"]

_BREATH_S: Final = 1.0
"""After each step of some calls: about a thousand calls a minute at most."""
_BETWEEN_S: Final = 3600.0

log = structlog.get_logger()


class Retention:
    """`note` is told once a run what it deleted, for the audit log."""

    def __init__(
        self,
        erasure: Erasure,
        age: Age,
        threads: Executor,
        telemetry: Telemetry,
        note: Callable[[Gone], None],
        *,
        breath_s: float = _BREATH_S,
    ) -> None:
        """`threads` do the work."""
        self._erasure = erasure
        self._age = age
        self._threads = threads
        self._telemetry = telemetry
        self._note = note
        self._breath_s = breath_s

    async def run(self) -> None:
        """Once an hour, for as long as the process runs. A failure is logged and tried again in an hour."""
        while self._age.is_limited:
            try:
                await self.once()
            except StoreError as error:
                log.error("what is too old is not deleted", code=error.code, error=str(error))
            await asyncio.sleep(_BETWEEN_S)

    async def once(self) -> Gone:
        """Delete all that is too old now. Raises StoreError."""
        gone, steps = Gone(), self._erasure.old(self._age)
        try:
            while (step := await self._next(steps)) is not None:
                gone += step
                if step:
                    self._telemetry.erased.labels("call").inc(step.calls)
                    self._telemetry.erased.labels("recording").inc(step.recordings)
                    await asyncio.sleep(self._breath_s)
        finally:
            if gone:
                log.info("too old, deleted", calls=gone.calls, recordings=gone.recordings)
                self._note(gone)
        return gone

    async def _next(self, steps: Iterator[Gone]) -> Gone | None:
        return await asyncio.get_running_loop().run_in_executor(self._threads, next, steps, None)
