"""Ctrl-C as a key that stops us, rather than a signal to all that the terminal runs. Knows no server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
from collections.abc import Callable, Iterator

__all__ = ["ctrl_c_as_key"]


@contextlib.contextmanager
def ctrl_c_as_key(stop: Callable[[], None]) -> Iterator[None]:
    """Within the body, Ctrl-C in our terminal calls `stop`, from the running event loop.

    As a signal it would reach `make` too, which then tells of an interrupted recipe and exits with 130,
    however well the recipe ended. Does nothing where we are not in the foreground of a terminal.
    """
    terminal = sys.stdin.fileno()
    if not os.isatty(terminal) or os.tcgetpgrp(terminal) != os.getpgrp():
        yield
        return
    before = termios.tcgetattr(terminal)
    as_keys = termios.tcgetattr(terminal)
    as_keys[3] &= ~(termios.ISIG | termios.ICANON | termios.ECHO)
    interrupts = (before[6][termios.VINTR], before[6][termios.VQUIT])
    loop = asyncio.get_running_loop()

    def pressed() -> None:
        keys = os.read(terminal, 64)
        if not keys or any(key in keys for key in interrupts):
            loop.remove_reader(terminal)
            stop()

    termios.tcsetattr(terminal, termios.TCSANOW, as_keys)
    loop.add_reader(terminal, pressed)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSANOW, before)
