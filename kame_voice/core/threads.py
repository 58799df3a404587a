"""Threads for work that may take its time, so that whatever keeps a call's clock comes first."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

__all__ = ["background_threads"]

_NICE: Final = 10


def background_threads(name: str, count: int) -> ThreadPoolExecutor:
    """A pool whose threads yield the processor to all others of the process. To be shut down by its owner."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_yield_to_others)


def _yield_to_others() -> None:
    # Linux counts niceness by thread; elsewhere it cannot be done, and nothing is lost but the courtesy.
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
