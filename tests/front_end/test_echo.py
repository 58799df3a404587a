"""The loopback front end."""

import asyncio

import numpy as np
import pytest

from kame_voice.core.nouns import CallInfo
from kame_voice.front_end.base import FrontEnd, NoFreeSlot, SpokenFrame
from kame_voice.front_end.echo import EchoFrontEnd
from kame_voice.hearing.base import HeardFrame
from tests.front_end.spoken.call import flow

pytestmark = pytest.mark.anyio

CALL = CallInfo("c1", "CA1", "harbor-dental", "harbor", "+15550101", "+15550100", "0")


def heard(value: float, number: int) -> HeardFrame:
    return HeardFrame(np.full(1920, value, np.float32), number * 80, voiced=False)


async def test_what_is_heard_is_said_again_in_order() -> None:
    slot = await EchoFrontEnd(1).take_slot(CALL, flow())
    frames = slot.frames()
    for number in range(4):
        slot.hear(heard(number / 10, number))
        frame = await anext(frames)
        assert frame.pcm[0] == pytest.approx(number / 10)


async def test_a_leg_that_falls_behind_loses_the_oldest() -> None:
    slot = await EchoFrontEnd(1).take_slot(CALL, flow())
    for number in range(5):
        slot.hear(heard(number / 10, number))
    frames = slot.frames()
    assert [float((await anext(frames)).pcm[0]) for _ in range(2)] == pytest.approx([0.3, 0.4])


async def test_frames_that_nobody_asked_for_in_time_say_so() -> None:
    slot = await EchoFrontEnd(1).take_slot(CALL, flow())
    frames = slot.frames()
    slot.hear(heard(0.1, 0))
    waiting = [(await anext(frames)).waiting]
    for number in range(1, 3):
        slot.hear(heard(0.1, number))
    waiting += [(await anext(frames)).waiting for _ in range(2)]
    assert waiting == [0, 2, 1]


async def test_release_ends_the_frames_and_frees_the_slot() -> None:
    front_end = EchoFrontEnd(1)
    seam: FrontEnd = front_end
    slot = await front_end.take_slot(CALL, flow())
    with pytest.raises(NoFreeSlot):
        await front_end.take_slot(CALL, flow())

    async def listen() -> list[SpokenFrame]:
        return [frame async for frame in slot.frames()]

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen(), name="listen")
        await asyncio.sleep(0)
        slot.hear(heard(0.5, 0))
        await slot.release()
        await slot.release()
    assert listening.result() == []
    assert seam.free == 1
