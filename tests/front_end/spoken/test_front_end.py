"""The spoken front end as a whole, with its real voice."""

import numpy as np
import pytest

from kame_voice.core.nouns import CallInfo, OracleSource
from kame_voice.core.oracle_stream import OracleAppend, OracleClose, OracleOpen
from kame_voice.front_end.base import FrontEnd, NoFreeSlot, Slot
from kame_voice.front_end.spoken.front_end import SpokenFrontEnd
from kame_voice.front_end.spoken.slot import SpokenSlot
from kame_voice.front_end.spoken.voice import Need, Voice
from kame_voice.hearing.base import HeardFrame, TurnEnded
from tests.front_end.spoken.call import flow

pytestmark = pytest.mark.anyio

CALL = CallInfo("c1", "CA1", "harbor-dental", "harbor", "+15550101", "+15550100", "0")


def guide(slot: Slot, text: str) -> None:
    slot.guide(OracleOpen("a", OracleSource.LLM, 3000, is_final=True))
    slot.guide(OracleAppend("a", text))
    slot.guide(OracleClose("a"))


async def test_slots_are_counted_and_one_too_many_is_refused(voice: Voice) -> None:
    front_end = SpokenFrontEnd(voice, capacity=1)
    seam: FrontEnd = front_end
    assert (seam.free, seam.ready, seam.frame_samples) == (1, True, 480)
    slot = await front_end.take_slot(CALL, flow())
    with pytest.raises(NoFreeSlot):
        await front_end.take_slot(CALL, flow())
    await slot.release()
    await slot.release()
    assert front_end.free == 1


async def test_no_caller_hears_another(voice: Voice) -> None:
    front_end = SpokenFrontEnd(voice, capacity=1)
    first: SpokenSlot = await front_end.take_slot(CALL, flow())
    guide(first, "The password is swordfish.")
    voice.prepare("Something later.", Need.MAYBE).result(30)
    await first.release()
    second = await front_end.take_slot(CALL, flow())
    second.hear(HeardFrame(np.zeros(480, np.float32), 3340, False, (TurnEnded(1000, 3000),)))
    frames = []
    async for frame in second.frames():
        frames.append(frame)
        if len(frames) == 15:
            await second.release()
    assert not any(frame.pcm.any() or frame.words for frame in frames)


async def test_an_oracle_written_while_the_caller_talks_sounds_in_the_first_frame(voice: Voice) -> None:
    front_end = SpokenFrontEnd(voice, capacity=1)
    slot = await front_end.take_slot(CALL, flow())
    guide(slot, "We are open on Saturday from nine to one.")
    voice.prepare("Whatever comes after it.", Need.MAYBE).result(30)
    slot.hear(HeardFrame(np.zeros(480, np.float32), 3340, False, (TurnEnded(1000, 3000),)))
    frame = await anext(slot.frames())
    assert frame.speaking
    assert frame.pcm.any()
    await slot.release()
