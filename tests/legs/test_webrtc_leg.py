"""A browser's call as a leg: what the network does to its packets, and what the session hears of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, cast

import numpy as np
import pytest

from kame_voice.audio.opus import OpusEncoder
from kame_voice.core.nouns import Pcm
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs.base import CallerAudio, Dtmf, LegClosed, LegEvent, LegNote
from kame_voice.legs.webrtc import WebRtcLeg
from kame_voice.legs.webrtc_peer import PacketReceived, Peer
from tests.legs.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.anyio

PACKET = 480


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualTimeLoop}


class FakePeer:
    """The network side of a leg, without a network."""

    has_channel = False

    def __init__(self) -> None:
        self.source: Callable[[], Awaitable[bytes]] | None = None
        self.closed = False

    def listen(self, listener: Any) -> None: ...

    def play(self, source: Callable[[], Awaitable[bytes]]) -> None:
        self.source = source

    async def round_trip_s(self) -> float | None:
        return 0.06

    async def close(self) -> None:
        self.closed = True


class Call:
    """A leg and a browser that speaks a tone, one packet every 20 ms."""

    def __init__(self) -> None:
        self.peer = FakePeer()
        self.telemetry = Telemetry()
        loop = asyncio.get_running_loop()
        self.leg = WebRtcLeg(cast(Peer, self.peer), telemetry=self.telemetry, clock=loop.time)
        self.events: list[LegEvent] = []
        encoder = OpusEncoder()
        pcm = (0.2 * np.sin(np.arange(100 * PACKET) * 0.1)).astype(np.float32)
        self._coded = [encoder.encode(frame) for frame in pcm.reshape(-1, PACKET)]

    def arrives(self, number: int, payload: bytes | None = None, *, is_event: bool = False) -> None:
        coded = self._coded[number % 100] if payload is None else payload
        self.leg.packet(PacketReceived(100 + number, 7000 + 960 * number, coded, is_event))

    async def speaks(self, numbers: range, lost: frozenset[int] = frozenset()) -> None:
        for number in numbers:
            await asyncio.sleep(0.02)
            if number not in lost:
                self.arrives(number)

    async def arrives_late(self, number: int, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self.arrives(number)

    async def over(self) -> list[LegEvent]:
        self.leg.caller_hung_up()
        return [event async for event in self.leg.events()]


def audio(events: list[LegEvent]) -> list[CallerAudio]:
    return [event for event in events if isinstance(event, CallerAudio)]


def figures(events: list[LegEvent]) -> dict[str, Any]:
    note = next(event for event in events if isinstance(event, LegNote))
    return dict(note.data)


def loudness(pcm: Pcm) -> float:
    return float(np.sqrt((pcm**2).mean()))


async def test_sound_is_handed_on_as_it_comes_with_its_place() -> None:
    call = Call()
    async with call.leg:
        await call.speaks(range(10))
        events = await call.over()
    assert [event.at_sample for event in audio(events)] == [PACKET * n for n in range(10)]
    assert isinstance(events[-1], LegClosed)
    assert events[-1].reason == "hung_up"


async def test_a_lost_packet_sounds_like_what_came_before_it_and_is_counted() -> None:
    call = Call()
    async with call.leg:
        await call.speaks(range(20), lost=frozenset({10}))
        events = await call.over()
    heard = audio(events)
    assert [event.at_sample for event in heard] == [PACKET * n for n in range(20)]
    assert loudness(heard[10].pcm) > 0.5 * loudness(heard[9].pcm)
    assert (figures(events)["lost"], figures(events)["concealed_ms"]) == (1, 20)


async def test_a_long_hole_is_left_to_be_silence() -> None:
    call = Call()
    async with call.leg:
        await call.speaks(range(30), lost=frozenset(range(10, 20)))
        events = await call.over()
    positions = [event.at_sample // PACKET for event in audio(events)]
    assert positions == [*range(10), *range(20, 30)]
    assert figures(events)["concealed_ms"] == 0


async def test_an_overtaken_packet_is_waited_for_and_heard_in_order() -> None:
    call = Call()
    async with call.leg:
        await call.speaks(range(5))
        await asyncio.sleep(0.04)
        call.arrives(6)
        await asyncio.sleep(0.01)
        call.arrives(5)
        await call.speaks(range(7, 12))
        events = await call.over()
    assert [event.at_sample // PACKET for event in audio(events)] == list(range(12))
    assert figures(events)["lost"] == 0


async def test_a_missing_packet_holds_nothing_up_for_longer_than_its_time() -> None:
    call = Call()
    clock = asyncio.get_running_loop().time
    came: list[float] = []
    async with call.leg:

        async def listen() -> None:
            async for event in call.leg.events():
                if isinstance(event, CallerAudio) and event.at_sample == 11 * PACKET:
                    came.append(clock())

        async with asyncio.TaskGroup() as group:
            group.create_task(listen())
            began = clock()
            await call.speaks(range(20), lost=frozenset({10}))
            await asyncio.sleep(0.2)
            call.leg.caller_hung_up()
    assert came[0] - (began + 12 * 0.02) == pytest.approx(0.03, abs=0.002), "50 ms after the lost one's time"


async def test_a_connection_that_took_long_still_has_its_late_packets_waited_for() -> None:
    call = Call()
    await asyncio.sleep(3.0)
    async with call.leg:
        await asyncio.sleep(0.5)
        await call.speaks(range(5))
        await asyncio.sleep(0.04)
        call.arrives(6)
        await asyncio.sleep(0.02)
        call.arrives(5)
        events = await call.over()
    assert [event.at_sample // PACKET for event in audio(events)] == list(range(7))
    assert figures(events)["lost"] == 0


@pytest.mark.parametrize("jitter_s", [0.06, 0.1])
async def test_on_a_path_with_jitter_hardly_more_is_lost_than_the_network_loses(jitter_s: float) -> None:
    """5 % lost and each up to `jitter_s` late, by which packets overtake each other."""
    chance = random.Random(3)
    call = Call()
    lost = 0
    async with call.leg, asyncio.TaskGroup() as group:
        for number in range(600):
            await asyncio.sleep(0.02)
            if chance.random() < 0.05:
                lost += 1
            else:
                group.create_task(call.arrives_late(number, chance.uniform(0, jitter_s)))
        await asyncio.sleep(0.5)
        events = await call.over()
    counted = figures(events)
    assert lost <= counted["lost"] <= lost + 0.03 * 600
    assert counted["concealed_ms"] > 20 * lost * 0.8
    assert counted["late_window_ms"] == pytest.approx(jitter_s * 1000, abs=20)


async def test_of_two_packets_missing_in_a_row_the_second_has_its_own_time() -> None:
    call = Call()
    async with call.leg:
        await call.speaks(range(13), lost=frozenset({10, 11}))
        await asyncio.sleep(0.025)
        call.arrives(11)
        await call.speaks(range(13, 20))
        events = await call.over()
    assert [event.at_sample // PACKET for event in audio(events)] == list(range(20))
    assert (figures(events)["lost"], figures(events)["concealed_ms"]) == (1, 20)


async def test_bytes_that_are_no_opus_are_counted_and_passed_over() -> None:
    call = Call()
    async with call.leg:
        await call.speaks(range(3))
        call.arrives(3, b"")
        call.arrives(4, b"\xff\xff\xff\xff")
        await call.speaks(range(5, 8))
        events = await call.over()
    assert audio(events)[-1].at_sample == 7 * PACKET


async def test_a_key_pressed_as_a_telephone_event_is_taken_once_and_loses_nothing() -> None:
    call = Call()
    async with call.leg:
        await call.speaks(range(3))
        for number, end in ((3, 0), (4, 0), (5, 0x80), (6, 0x80)):
            event = PacketReceived(100 + number, 7000 + 960 * 3, bytes([11, end | 10, 0, 160]), True)
            call.leg.packet(event)
        await call.speaks(range(7, 9))
        events = await call.over()
    assert [event.digit for event in events if isinstance(event, Dtmf)] == ["#"]
    assert figures(events)["lost"] == 0
    assert [event.at_sample // PACKET for event in audio(events)] == [0, 1, 2, 7, 8]


async def test_a_browser_of_which_nothing_comes_any_more_is_given_up() -> None:
    call = Call()
    clock = asyncio.get_running_loop().time
    async with call.leg:
        await call.speaks(range(5))
        last = clock()
        events = [event async for event in call.leg.events()]
    assert clock() - last < 10
    assert isinstance(events[-1], LegClosed)
    assert events[-1].reason == "dropped"


async def test_leaving_the_call_closes_the_peer() -> None:
    call = Call()
    async with call.leg:
        pass
    assert call.peer.closed
    assert await call.leg.play(np.zeros(PACKET, np.float32)) == 0, "a closed leg does not pace"
