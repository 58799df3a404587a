"""Why an event loop stood still: samples taken from a thread of its own while it does. Linux only.

For every stall it tells what the loop's thread was doing, how long this process's threads ran and waited for
a core meanwhile (the kernel's schedstat: a held interpreter and a busy machine look alike without it), and
how long the cycle collector took.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["Stall", "StallWatch"]

_LOOK_S: Final = 0.002
_TASKS: Final = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Stall:
    """One stall of `late_ms`. `ran` and `queued`: ms by thread, on a core and waiting for one."""

    late_ms: float
    ran: dict[str, float]
    queued: dict[str, float]
    collected_ms: float
    stacks: tuple[str, ...]


@dataclass
class StallWatch:
    """Call `beat` on the loop as often as it should run; stalls longer than `over_ms` are kept."""

    over_ms: float = 10.0
    stalls: list[Stall] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._loop_thread = threading.get_ident()
        self._beat = time.perf_counter()
        self._before = _times()
        self._collected = 0.0
        self._stacks: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="stall watch", daemon=True)
        gc.callbacks.append(self._on_collection)
        self._thread.start()

    def beat(self) -> None:
        """The loop runs."""
        now = time.perf_counter()
        late_ms = (now - self._beat) * 1000
        if late_ms > self.over_ms:
            after = _times()
            ran = {name: (run - self._before.get(name, (run, 0.0))[0]) for name, (run, _) in after.items()}
            queued = {
                name: (wait - self._before.get(name, (0.0, wait))[1]) for name, (_, wait) in after.items()
            }
            self.stalls.append(
                Stall(late_ms, _shown(ran), _shown(queued), self._collected, tuple(self._stacks))
            )
        if late_ms > self.over_ms or now - self._refreshed > 0.05:
            self._refresh()
        self._beat = time.perf_counter()
        self._collected, self._stacks = 0.0, []

    _refreshed: float = 0.0

    def _refresh(self) -> None:
        self._before = _times()
        self._refreshed = time.perf_counter()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        gc.callbacks.remove(self._on_collection)
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_S):
            if (time.perf_counter() - self._beat) * 1000 > self.over_ms / 2 and len(self._stacks) < 5:
                frame = sys._current_frames().get(self._loop_thread)
                if frame is not None:
                    self._stacks.append(_where(frame))

    def _on_collection(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._collected += (time.perf_counter() - self._began) * 1000


def _where(frame: Any) -> str:
    """The innermost frames, the newest first."""
    entries = traceback.extract_stack(frame)[-4:]
    return " < ".join(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(entries))


def _times() -> dict[str, tuple[float, float]]:
    """Milliseconds that each thread has run, and has waited for a core."""
    found = {}
    for task in _TASKS.iterdir():
        try:
            run, queued, _ = (task / "schedstat").read_text().split()
            found[f"{(task / 'comm').read_text().strip()}-{task.name}"] = (int(run) / 1e6, int(queued) / 1e6)
        except OSError:  # the thread has ended
            continue
    return found


def _shown(times: dict[str, float]) -> dict[str, float]:
    return {name: round(ms, 1) for name, ms in sorted(times.items(), key=lambda one: -one[1]) if ms >= 1}
