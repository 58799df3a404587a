"""The agent's voice to a browser: one packet every 20 ms, whatever there is to say."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from kame_voice.audio.opus import SILENCE
from kame_voice.core.nouns import Pcm
from kame_voice.legs.media_clock import MediaClock
from kame_voice.legs.webrtc_playout import RtpPlayout
from tests.legs.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.anyio

PACKET = 480


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualTimeLoop}


class Side:
    """A playout with a media clock that began with it, and what came of its marks."""

    def __init__(self) -> None:
        self.clock = asyncio.get_running_loop().time
        self.began = self.clock()
        self.heard: list[tuple[str, float]] = []
        self.playout = RtpPlayout(self.clock, lambda name: self.heard.append((name, self.at())))
        self.media = MediaClock(self.began)

    def at(self) -> float:
        return round(self.clock() - self.began, 3)

    def says(self, packets: int, *marks: str) -> int:
        return self.playout.queue(tone(packets), marks, self.media)

    async def send(self, packets: int) -> list[bytes]:
        return [await self.playout.next_payload() for _ in range(packets)]


def tone(packets: int) -> Pcm:
    return (0.2 * np.sin(np.arange(packets * PACKET) / 9)).astype(np.float32)


async def test_silence_is_sent_when_there_is_nothing_to_say() -> None:
    side = Side()
    assert await side.send(50) == [SILENCE] * 50
    assert side.at() == pytest.approx(0.98)


async def test_packets_keep_to_an_absolute_clock() -> None:
    side = Side()
    times = []
    for wait in (0.0, 0.015, 0.001, 0.019, 0.0):
        await side.send(1)
        times.append(side.at())
        await asyncio.sleep(wait)
    assert times == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08])


async def test_a_late_packet_is_counted_and_made_up_for() -> None:
    side = Side()
    await side.send(1)
    await asyncio.sleep(0.09)
    await side.send(4)
    assert side.playout.late == 3
    await side.send(1)
    assert side.at() == pytest.approx(0.1)


async def test_after_a_long_stall_nothing_is_sent_in_a_burst() -> None:
    side = Side()
    await side.send(1)
    await asyncio.sleep(3.0)
    await side.send(3)
    assert side.at() == pytest.approx(3.04)


async def test_speech_is_coded_and_its_tail_leaves_the_encoder() -> None:
    side = Side()
    side.says(3)
    sent = await side.send(12)
    assert SILENCE not in sent[:8]
    assert sent[8:] == [SILENCE] * 4


async def test_whoever_speaks_is_paced_by_what_was_sent() -> None:
    side = Side()
    side.says(3)
    room = asyncio.ensure_future(side.playout.room())
    await side.send(1)
    await asyncio.sleep(0)
    assert not room.done()
    await side.send(1)
    await asyncio.sleep(0)
    assert room.done()


async def test_a_mark_is_heard_when_sound_had_the_time_to_reach_the_ear() -> None:
    side = Side()
    side.playout.path_s, side.playout.far_buffer_s = 0.05, 0.1
    side.says(2, "a")
    await side.send(20)
    assert side.heard == [("a", 0.2)], "sent at 0.02, 20 ms long, 150 ms on its way"


async def test_clearing_takes_back_what_was_not_sent_and_only_that() -> None:
    side = Side()
    side.says(1, "out")
    side.says(5, "unsaid")
    await side.send(2)
    assert side.playout.clear(side.media) == {"unsaid"}
    sent = await side.send(20)
    assert sent[-1] == SILENCE
    assert [name for name, _ in side.heard] == ["out"]


async def test_positions_are_those_of_the_callers_clock() -> None:
    side = Side()
    await side.send(10)
    assert side.says(2) == pytest.approx(0.2 * 24_000, abs=1)
    assert side.says(2) == pytest.approx(0.24 * 24_000, abs=1)
    await side.send(50)
    assert side.says(1) == pytest.approx(1.2 * 24_000, abs=1)
