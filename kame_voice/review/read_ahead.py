"""Reads the dashboard's days once the process has started, so that nobody who opens it waits for that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from kame_voice.store.statistics import StatisticsReader

__all__ = ["ReadAhead"]

_DAYS: Final = 92
"""The longest period that the dashboard offers, and the days of UTC that a local one reaches into."""
_BREATH_S: Final = 0.2
"""After each day: of a busy one, 3,300 calls, some 35 ms are read, so a sixth of one core at most."""

log = structlog.get_logger()


class ReadAhead:
    """`run` ends once all days are read. Where that fails, the dashboard reads them when it is asked."""

    def __init__(
        self,
        statistics: StatisticsReader,
        threads: Executor,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        days: int = _DAYS,
        breath_s: float = _BREATH_S,
    ) -> None:
        """`threads` do the reading."""
        self._statistics = statistics
        self._threads = threads
        self._now = now
        self._days = days
        self._breath_s = breath_s

    async def run(self) -> None:
        """Read day after day, the newest first, with a breath between them."""
        today = self._now().date()
        for back in range(self._days):
            day = today - timedelta(days=back)
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, self._statistics.keep, day)
            except Exception:  # a courtesy: no damaged record may end the process over it
                log.exception("the dashboard's days are not read ahead", day=day.isoformat())
                return
            await asyncio.sleep(self._breath_s)
        log.info("the dashboard's days are read", days=self._days)
