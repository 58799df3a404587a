"""A recording as the caller."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from kame_voice.audio.wav import write_wav
from kame_voice.core.nouns import Pcm
from kame_voice.legs.base import CallerAudio, LegClosed, MarkHeard
from kame_voice.legs.wav import WavLeg

pytestmark = pytest.mark.anyio


def tone(packets: int, level: float = 0.5) -> Pcm:
    return np.full(packets * 480, level, np.float32)


async def test_a_recording_comes_in_20_ms_packets_in_real_time_and_then_hangs_up() -> None:
    loop = asyncio.get_running_loop()
    since = loop.time()
    leg = WavLeg(tone(3)[:-100], linger_s=0.04, clock=loop.time)
    events = [event async for event in leg.events()]
    audio = [event for event in events if isinstance(event, CallerAudio)]
    assert [event.at_sample for event in audio] == [0, 480, 960, 1440, 1920]
    assert events[-1] == LegClosed("hung_up")
    assert loop.time() - since == pytest.approx(0.1)


async def test_what_is_played_to_it_is_kept_where_it_sounded() -> None:
    leg = WavLeg(tone(10), clock=asyncio.get_running_loop().time)
    events = leg.events()
    await anext(events)
    await anext(events)
    at_sample = await leg.play(tone(1, 0.25), ["said"])
    rest = [event async for event in events]
    assert MarkHeard("said") in rest
    assert len(leg.heard) == 10 * 480
    np.testing.assert_array_equal(np.flatnonzero(leg.heard), np.arange(at_sample, at_sample + 480))


async def test_play_is_paced_and_clear_gives_back_the_unheard_marks() -> None:
    leg = WavLeg(tone(20), clock=asyncio.get_running_loop().time)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(collect(leg))
        await leg.play(tone(4), ["first"])
        speaking = group.create_task(leg.play(tone(100), ["second"]))
        await asyncio.sleep(0.1)
        assert await leg.clear() == {"second"}
        await speaking
    assert MarkHeard("first") in reading.result()
    assert MarkHeard("second") not in reading.result()


async def test_hanging_up_ends_it() -> None:
    leg = WavLeg(tone(1000), clock=asyncio.get_running_loop().time)
    events = leg.events()
    await anext(events)
    await leg.hang_up()
    assert [event async for event in events] == [LegClosed("ended_by_us")]
    assert await leg.play(tone(4)) >= 0


async def test_a_file_is_a_caller(tmp_path: Path) -> None:
    write_wav(tmp_path / "caller.wav", tone(2))
    leg = WavLeg.of_file(tmp_path / "caller.wav")
    assert len([event async for event in leg.events()]) == 3


async def collect(leg: WavLeg) -> list[object]:
    return [event async for event in leg.events()]
