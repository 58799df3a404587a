import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest

from kame_voice.core.errors import KameError
from kame_voice.core.nouns import CallInfo
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import NoFreeSlot, Slot, SpokenFrame
from kame_voice.front_end.kame.errors import CheckpointError, EngineFaulted
from kame_voice.front_end.kame.front_end import KameFrontEnd
from kame_voice.hearing.base import BargedIn, HeardFrame
from tests.front_end.kame.fakes import FRAME, FakeBuilt, FakeEngine, beep

pytestmark = pytest.mark.anyio

FLOW = Flow.model_validate(
    {
        "version": 1,
        "customer": "acme",
        "line": "main",
        "greeting": "hello there",
        "business": {"name": "Acme", "time_zone": "Europe/Berlin"},
    }
)
CALL = CallInfo("c1", "CA1", "main", "acme", "+15550001", "+15550002", "v1")
HEARD = HeardFrame(np.zeros(FRAME, np.float32), 0, False)


def make(
    engines: list[FakeEngine], failures: list[KameError] | None = None
) -> tuple[KameFrontEnd, Telemetry]:
    telemetry = Telemetry()
    failing = list(failures or [])

    def build() -> FakeBuilt:
        if failing:
            raise failing.pop()
        return FakeBuilt(engines.pop(0))

    front_end = KameFrontEnd(
        build,
        2,
        beep,
        telemetry,
        clock=_Fast(),
        wait=lambda stop, seconds: stop.wait(0.001),
        retry_s=(0.0,),
    )
    return front_end, telemetry


class _Fast:
    """A clock that moves one frame each time it is read, so that the thread never waits long."""

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            self._now += 0.001
            return self._now


@asynccontextmanager
async def running(front_end: KameFrontEnd) -> AsyncIterator[None]:
    task = asyncio.create_task(front_end.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 — the other side is a thread
            await asyncio.sleep(0.002)


async def listen(slot: Slot, into: list[SpokenFrame]) -> None:
    async for frame in slot.frames():
        into.append(frame)


async def test_it_takes_calls_once_the_engine_is_warm_and_no_more_than_it_has_rows() -> None:
    front_end, _ = make([FakeEngine(2)])
    with pytest.raises(NoFreeSlot):
        await front_end.take_slot(CALL, FLOW)
    async with running(front_end):
        await until(lambda: front_end.ready)
        one, _two = [await front_end.take_slot(CALL, FLOW) for _ in range(2)]
        assert front_end.free == 0
        with pytest.raises(NoFreeSlot):
            await front_end.take_slot(CALL, FLOW)
        await one.release()
        await one.release()
        assert front_end.free == 1


async def test_exact_words_come_out_and_say_returns_when_they_have() -> None:
    front_end, _ = make([FakeEngine(2)])
    async with running(front_end), asyncio.TaskGroup() as group:
        await until(lambda: front_end.ready)
        slot = await front_end.take_slot(CALL, FLOW)
        frames: list[SpokenFrame] = []
        listening = group.create_task(listen(slot, frames))
        saying = group.create_task(slot.say("hello there"))
        while not saying.done():
            slot.hear(HEARD)
            await asyncio.sleep(0.002)
        assert saying.result() is True
        await until(lambda: [word.text for f in frames for word in f.words] == ["hello", "there"])
        await slot.release()
        await listening


async def test_the_callers_barge_in_makes_say_return_false() -> None:
    front_end, _ = make([FakeEngine(2)])
    async with running(front_end), asyncio.TaskGroup() as group:
        await until(lambda: front_end.ready)
        slot = await front_end.take_slot(CALL, FLOW)
        saying = group.create_task(slot.say("hello there"))
        await asyncio.sleep(0.01)
        slot.hear(HeardFrame(HEARD.pcm, 0, True, (BargedIn(0),)))
        while not saying.done():
            slot.hear(HeardFrame(HEARD.pcm, 0, True, (BargedIn(0),)))
            await asyncio.sleep(0.002)
        assert saying.result() is False
        await slot.release()


async def test_after_a_fault_the_caller_hears_an_apology_and_the_engine_restarts() -> None:
    broken, sound = FakeEngine(2), FakeEngine(2)
    broken.fault_at = 2
    front_end, telemetry = make([broken, sound])
    async with running(front_end):
        await until(lambda: front_end.ready)
        slot = await front_end.take_slot(CALL, FLOW)
        frames: list[SpokenFrame] = []
        listening = asyncio.create_task(listen(slot, frames))
        saying = asyncio.create_task(slot.say("hello there you"))
        for _ in range(5):
            slot.hear(HEARD)
            await asyncio.sleep(0.002)
        with pytest.raises(EngineFaulted):
            await listening
        with pytest.raises(EngineFaulted):
            await saying
        words = [word.text for frame in frames for word in frame.words]
        assert "I'm sorry, we have a technical problem. All our lines" in " ".join(words)
        assert any(frame.cut for frame in frames)
        await slot.release()
        await until(lambda: front_end.ready and front_end.free == 2)
        faults = telemetry.registry.get_sample_value("kame_engine_faults_total", {"code": "engine-faulted"})
        assert faults == 1
        assert await front_end.take_slot(CALL, FLOW) is not slot


async def test_weights_that_cannot_be_loaded_leave_it_unready_and_are_tried_again() -> None:
    front_end, telemetry = make([FakeEngine(2)], [CheckpointError("is cut", where="model.safetensors")])
    async with running(front_end):
        await until(lambda: front_end.ready)
        faults = telemetry.registry.get_sample_value("kame_engine_faults_total", {"code": "bad-checkpoint"})
        assert faults == 1


async def test_a_frame_of_the_wrong_length_is_refused_before_it_reaches_the_batch() -> None:
    front_end, _ = make([FakeEngine(2)])
    async with running(front_end):
        await until(lambda: front_end.ready)
        slot = await front_end.take_slot(CALL, FLOW)
        with pytest.raises(EngineFaulted, match="960"):
            slot.hear(HeardFrame(np.zeros(960, np.float32), 0, False))
        await slot.release()
