"""The one stepping thread: an absolute 80 ms clock, at most one caller frame a call a tick (no torch).

Knows the engine and the calls' states; everything it hands to the event loop goes through `deliver`,
once a tick. Requests from other threads are queued and obeyed between ticks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kame_voice.core.clock import Clock
from kame_voice.core.nouns import Pcm
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Sampling
from kame_voice.front_end.base import SpokenFrame
from kame_voice.front_end.kame.call_state import CallState

__all__ = ["FRAME_S", "Delivery", "Runner", "SteppingEngine"]

FRAME_S: Final = 0.08
_FRAME: Final = 1920


class SteppingEngine(Protocol):
    """What the runner asks of an engine; see `engine.Engine`."""

    input: Any
    capacity: int

    @property
    def batches(self) -> tuple[int, ...]: ...
    def wipe(self, rows: NDArray[np.bool_], *, codec: bool = True) -> None: ...
    def tick(self, batch: int | None = None) -> Any: ...


Delivery = list[tuple[CallState, SpokenFrame]]


@dataclass(slots=True)
class Seated:
    """A call on a row."""

    state: CallState
    sampling: Sampling
    seed: int


@dataclass(slots=True)
class Runner:
    """Steps `engine` for the calls seated on it. All methods but `ask` belong to the stepping thread."""

    engine: SteppingEngine
    telemetry: Telemetry
    deliver: Callable[[Delivery], None]
    clock: Clock
    wait: Callable[[float], object] = time.sleep
    _requests: deque[Callable[[], None]] = field(default_factory=deque)
    _seated: dict[int, Seated] = field(default_factory=dict)
    _last_s: float = 0.0
    _silence: Pcm = field(default_factory=lambda: np.zeros(_FRAME, dtype=np.float32))

    def ask(self, request: Callable[[], None]) -> None:
        """Run `request` on the stepping thread before its next step. From any thread; never blocks."""
        self._requests.append(request)

    def seat(self, state: CallState, sampling: Sampling, seed: int) -> None:
        """A call takes its row, wiped."""
        self._wipe([state.row])
        self._seated[state.row] = Seated(state, sampling, seed)
        given = self.engine.input
        row = state.row
        given.temperature[row], given.text_temperature[row] = sampling.temperature, sampling.text_temperature
        given.top_k[row], given.text_top_k[row] = sampling.top_k, sampling.text_top_k
        given.seed[row] = seed

    def unseat(self, state: CallState) -> None:
        """The call is over: its row is wiped at once."""
        seated = self._seated.get(state.row)
        if seated is not None and seated.state is state:
            state.abandon()
            del self._seated[state.row]
            self._wipe([state.row])

    def run(self, stopped: Event) -> None:
        """Tick every 80 ms until `stopped`. Raises what the engine raises."""
        start, tick = self.clock(), 0
        while not stopped.is_set():
            tick += 1
            self.tick()
            due = start + tick * FRAME_S
            spare = due - self.clock()
            if spare > 0:
                self._catch_up(due)
                spare = due - self.clock()
            if spare > 0:
                self.wait(spare)
            else:
                self.telemetry.engine_late.inc()
                behind = int(-spare / FRAME_S)
                tick += behind

    def tick(self) -> None:
        """One step of every call that has a frame."""
        self._obey()
        stepping = [seated.state for seated in self._seated.values() if seated.state.wants_step()]
        waiting = sum(seated.state.begun for seated in self._seated.values()) - len(stepping)
        self.telemetry.engine_frozen.inc(waiting)
        self._step(stepping)

    def _catch_up(self, due: float) -> None:
        """Step calls that have fallen two frames behind once more, where the time allows it twice over.

        One frame in hand is left: the first late frame buys a call its jitter buffer.
        """
        behind = [seated.state for seated in self._seated.values() if len(seated.state.frames) >= 2]
        if behind and due - self.clock() > 2 * self._last_s:
            self._step(behind)

    def _step(self, states: list[CallState]) -> None:
        if not states:
            return
        self._prime([state for state in states if state.wants_priming()])
        given = self.engine.input
        given.active[:] = False
        for state in states:
            row = state.row
            given.active[row] = True
            given.pcm[row] = state.next_frame(self._silence)
            given.oracle[row] = state.next_oracle()
            given.forced[row] = state.next_forced()
        started = self.clock()
        last = max(state.row for state in states)
        result = self.engine.tick(next(size for size in self.engine.batches if size > last))
        self._last_s = self.clock() - started
        self.telemetry.engine_step.observe(self._last_s)
        self.telemetry.engine_frames.inc(len(states))
        self.deliver(
            [(state, state.take(result.tokens[state.row], result.pcm[state.row])) for state in states]
        )

    def _prime(self, states: list[CallState]) -> None:
        """Give calls whose memory is nearly full an empty one, in place, between two steps."""
        if not states:
            return
        self._wipe([state.row for state in states], codec=False)
        self.telemetry.engine_primed.inc(len(states))
        for state in states:
            state.primed()

    def _wipe(self, rows: list[int], *, codec: bool = True) -> None:
        mask = np.zeros(self.engine.capacity, dtype=np.bool_)
        mask[rows] = True
        self.engine.wipe(mask, codec=codec)

    def _obey(self) -> None:
        while self._requests:
            self._requests.popleft()()
