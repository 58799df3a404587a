"""Threads that take CPU yield to the event loop, and so to the audio."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Final

__all__ = ["lower_priority"]

_NICE: Final = 5
"""A third of the event loop's weight where both want the core; the whole core where it is free."""


def lower_priority() -> None:
    """Let this thread, and threads that it starts, yield to the others. Linux counts nice by thread."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux: a courtesy, not a need
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
