"""Waiting for what comes about beside the test, such as a row that is on disk within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

__all__ = ["eventually"]

_T = TypeVar("_T")


async def eventually(look: Callable[[], _T | None], within_s: float = 10) -> _T:
    """What `look` finds, once it is something. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while True:
            if found := look():
                return found
            await asyncio.sleep(0.02)
