"""Time is passed in: rooms take a `Clock` and never read one of their own."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Clock", "monotonic"]

Clock = Callable[[], float]
"""Seconds that never go back; only differences mean anything."""

monotonic: Clock = time.monotonic
