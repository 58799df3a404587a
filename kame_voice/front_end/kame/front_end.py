"""The `kame` front end: owns the engine's thread, gives out its rows, restarts it when it fails."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final, Protocol

import numpy as np
import structlog

from kame_voice.core.clock import Clock
from kame_voice.core.errors import KameError
from kame_voice.core.nouns import CallInfo
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import NoFreeSlot, Slot, SpokenFrame, SpokenWord
from kame_voice.front_end.kame.call_state import CallState, Rules, Vocabulary
from kame_voice.front_end.kame.errors import EngineFaulted
from kame_voice.front_end.kame.runner import FRAME_S, Delivery, Runner, SteppingEngine
from kame_voice.front_end.kame.scribe_seam import Scribes, Synthesizer
from kame_voice.front_end.kame.script import ForcedScript
from kame_voice.front_end.kame.seats import Seats
from kame_voice.front_end.kame.slot import KameSlot

__all__ = ["Build", "Built", "KameFrontEnd"]

_FRAME: Final = 1920
_RETRY_S: Final = (1.0, 5.0, 15.0, 60.0)
"""Waits before the engine is built again; a fault that stays does not burn the machine."""
_APOLOGY: Final = "I'm sorry, we have a technical problem."

log = structlog.get_logger()


class Built(Protocol):
    """An engine with what goes with it."""

    @property
    def engine(self) -> SteppingEngine: ...
    @property
    def scribe(self) -> Scribes: ...
    @property
    def vocabulary(self) -> Vocabulary: ...
    @property
    def rules(self) -> Rules: ...

    def warm_up(self) -> None: ...
    def close(self) -> None: ...


Build = Callable[[], Built]
"""Loads the weights and makes an engine; slow, called on the stepping thread."""


class KameFrontEnd:
    """See `front_end.base.FrontEnd`. Not ready until `run` has loaded and warmed the engine."""

    frame_samples = _FRAME

    def __init__(
        self,
        build: Build,
        capacity: int,
        synthesize: Synthesizer,
        telemetry: Telemetry,
        *,
        clock: Clock,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
        retry_s: tuple[float, ...] = _RETRY_S,
    ) -> None:
        self.capacity = capacity
        self._build = build
        self._synthesize = synthesize
        self._telemetry = telemetry
        self._clock = clock
        self._wait = wait
        self._retry_s = retry_s
        self._seats = Seats(capacity)
        self._slots: dict[int, KameSlot] = {}
        self._built: Built | None = None
        self._runner: Runner | None = None
        self._stop = threading.Event()
        self._fixed_words: dict[str, None] = {}

    @property
    def free(self) -> int:
        """Slots that are not taken."""
        return self._seats.free

    @property
    def ready(self) -> bool:
        """Whether the engine is warm."""
        return self._built is not None

    async def take_slot(self, call: CallInfo, flow: Flow) -> Slot:
        """See `FrontEnd.take_slot`."""
        built, runner = self._built, self._runner
        if built is None or runner is None:
            raise NoFreeSlot("the speech engine is not ready")
        row = self._seats.take()
        if row is None:
            raise NoFreeSlot(f"all {self.capacity} slots are taken")
        loop = asyncio.get_running_loop()

        def said(script: ForcedScript, whole: bool) -> None:
            loop.call_soon_threadsafe(slot.said, script, whole)

        state = CallState(row, built.vocabulary, built.rules, said)

        async def give_back(released: KameSlot) -> None:
            await self._give_back(released, runner)

        slot = KameSlot(
            state,
            runner,
            lambda text, interruptible: built.scribe.write(text, interruptible=interruptible),
            lambda: self._apology(flow),
            give_back,
        )
        self._slots[row] = slot
        seed = flow.sampling.seed
        if seed is None:
            seed = int.from_bytes(hashlib.sha256(call.id.encode()).digest()[:7])
        runner.ask(lambda: runner.seat(state, flow.sampling, seed))
        return slot

    async def warm(self, flows: Iterable[Flow]) -> None:
        """Write the scripts of these lines' fixed words ahead, now or once the engine is up."""
        for flow in flows:
            for text in (flow.disclosure, flow.greeting, flow.still_there, flow.goodbye):
                if text is not None:
                    self._fixed_words[text] = None
        self._write_fixed_words()

    async def run(self) -> None:
        """Load, step and, after a fault, start over; until cancelled."""
        loop = asyncio.get_running_loop()
        self._stop.clear()
        attempt = 0
        try:
            while True:
                fault = await self._live(loop)
                if fault is None:
                    return
                self._telemetry.engine_faults.labels(fault.code).inc()
                log.error("speech engine failed", error=str(fault), code=fault.code)
                self._down(fault)
                await asyncio.sleep(self._retry_s[min(attempt, len(self._retry_s) - 1)])
                attempt += 1
        finally:
            self._stop.set()

    async def _live(self, loop: asyncio.AbstractEventLoop) -> KameError | None:
        """One life of the engine, on a thread of its own; how it ended."""
        ended: asyncio.Future[KameError | None] = loop.create_future()

        def end(fault: KameError | None) -> None:
            if not ended.done():
                ended.set_result(fault)

        thread = threading.Thread(target=self._step, args=(loop, end), name="kame engine", daemon=True)
        thread.start()
        try:
            return await ended
        except asyncio.CancelledError:
            self._stop.set()
            raise
        finally:
            await asyncio.shield(asyncio.to_thread(thread.join))

    def _step(self, loop: asyncio.AbstractEventLoop, end: Callable[[KameError | None], None]) -> None:
        fault: KameError | None = None
        built: Built | None = None
        try:
            built = self._build()
            built.warm_up()
            runner = Runner(
                built.engine,
                self._telemetry,
                lambda delivery: _post(loop, self._deliver, delivery),
                self._clock,
                wait=lambda seconds: self._wait(self._stop, seconds),
            )
            _post(loop, self._up, built, runner)
            runner.run(self._stop)
        except KameError as error:
            fault = error
        except Exception as error:  # a device's driver may raise anything; the process must go on
            log.exception("speech engine crashed")
            fault = EngineFaulted(f"{type(error).__name__}: {error}")
        finally:
            if built is not None:
                built.close()
        _post(loop, end, fault)

    # On the event loop.

    def _up(self, built: Built, runner: Runner) -> None:
        self._built, self._runner = built, runner
        log.info("speech engine ready", capacity=self.capacity)
        self._write_fixed_words()

    def _write_fixed_words(self) -> None:
        if self._built is not None:
            for text in self._fixed_words:
                self._built.scribe.write(text, interruptible=True)

    def _down(self, fault: KameError) -> None:
        self._built = self._runner = None
        error = fault if isinstance(fault, EngineFaulted) else EngineFaulted(str(fault))
        for slot in list(self._slots.values()):
            slot.fail(error)

    def _deliver(self, delivery: Delivery) -> None:
        for state, frame in delivery:
            slot = self._slots.get(state.row)
            if slot is not None and slot.state is state:
                slot.delivered(frame)

    async def _give_back(self, slot: KameSlot, runner: Runner) -> None:
        """The row is free once it is wiped; at once where its engine is gone."""
        row = slot.state.row
        if self._runner is runner:
            wiped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            loop = asyncio.get_running_loop()

            def unseat() -> None:
                runner.unseat(slot.state)
                self._telemetry.engine_dropped.inc(slot.state.dropped)
                _post(loop, _settle, wiped)

            runner.ask(unseat)
            await asyncio.wait({wiped}, timeout=1.0)
        if self._slots.get(row) is slot:
            del self._slots[row]
            self._seats.give_back(row)

    async def _apology(self, flow: Flow) -> AsyncIterator[SpokenFrame]:
        """Spoken without the engine, at the pace of speech."""
        text = f"{_APOLOGY} {flow.overflow.say}"
        speech = await asyncio.to_thread(self._synthesize(text).result, 10.0)
        pcm = np.concatenate((speech.pcm, np.zeros(_FRAME - len(speech.pcm) % _FRAME, np.float32)))
        for at in range(0, len(pcm), _FRAME):
            words = tuple(
                SpokenWord(word, _APOLOGY_UTTERANCE, verbatim=True)
                for word, end in speech.words
                if at < end <= at + _FRAME
            )
            yield SpokenFrame(pcm[at : at + _FRAME], words, True, cut=at == 0)
            await asyncio.sleep(FRAME_S)


_APOLOGY_UTTERANCE: Final = 1_000_000
"""After all utterances of the call, whatever it had said."""


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _post(loop: asyncio.AbstractEventLoop, call: Callable[..., Any], *arguments: Any) -> None:
    """Hand something to the event loop; one that is closing wants nothing more."""
    try:
        loop.call_soon_threadsafe(call, *arguments)
    except RuntimeError:
        log.debug("event loop is closed")
