"""A call over Twilio's media stream: what the caller says, hears and does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from kame_voice.calls.metronome import GRACE_S
from kame_voice.core.nouns import Pcm
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs.base import CallerAudio, Dtmf, LegClosed, LegEvent, MarkHeard
from kame_voice.legs.timer_wheel import TimerWheel
from kame_voice.legs.twilio import SocketClosed, TwilioLeg, open_stream
from kame_voice.legs.twilio_rest import HangUpFailed
from kame_voice.legs.twilio_wire import WireError
from tests.legs.far_side import FarSide, packet, start_message

pytestmark = pytest.mark.anyio

START_S = 0.03
"""Speech after a pause starts at most this late: a cushion of 20 ms, then the next tick of 10 ms."""
STOP = '{"event":"stop","stop":{"callSid":"CA1"}}'


def voice(seconds: float) -> Pcm:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(24_000 * seconds)) / 24_000)).astype(np.float32)


def returned(name: str) -> str:
    return f'{{"event":"mark","mark":{{"name":"{name}"}}}}'


@dataclass
class Call:
    leg: TwilioLeg
    far: FarSide
    telemetry: Telemetry
    hung_up: list[str] = field(default_factory=list)
    unreachable: bool = False

    async def hang_up(self, call_sid: str) -> None:
        if self.unreachable:
            raise HangUpFailed("Twilio cannot be reached")
        self.hung_up.append(call_sid)

    async def all_events(self) -> list[LegEvent]:
        return [event async for event in self.leg.events()]

    def count(self, metric: str) -> float:
        return self.telemetry.registry.get_sample_value(f"kame_{metric}_total") or 0.0


@asynccontextmanager
async def a_call(lead_s: float = 0.04, frame_samples: int = 480) -> AsyncIterator[Call]:
    far, telemetry = FarSide(), Telemetry()
    far.says('{"event":"connected","protocol":"Call","version":"1.0.0"}', start_message())
    start = await open_stream(far)
    call: Call

    async def hang_up(call_sid: str) -> None:
        await call.hang_up(call_sid)

    clock = asyncio.get_running_loop().time
    leg = TwilioLeg(
        far,
        start,
        hang_up=hang_up,
        telemetry=telemetry,
        clock=clock,
        wheel=TimerWheel(clock),
        frame_samples=frame_samples,
        lead_s=lead_s,
    )
    async with leg:
        call = Call(leg, far, telemetry)
        yield call


# The beginning.


async def test_a_stream_opens_with_its_identity() -> None:
    async with a_call() as call:
        assert (call.leg.start.call_sid, call.leg.start.stream_sid) == ("CA1", "MZ1")
        assert call.leg.start.custom_parameters == {"token": "t"}


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([packet(0)], "event"),
        ([STOP], "event"),
        (["nonsense"], "message"),
        ([start_message(mediaFormat={"encoding": "audio/l16", "sampleRate": "16000", "channels": 1})],
         "start.mediaFormat"),
    ],
)  # fmt: skip
async def test_a_stream_that_opens_otherwise_is_refused(messages: list[str], field: str) -> None:
    far = FarSide()
    far.says(*messages)
    with pytest.raises(WireError) as refused:
        await open_stream(far)
    assert refused.value.where == field


async def test_a_socket_that_closes_before_the_start_says_so() -> None:
    far = FarSide()
    far.drops()
    with pytest.raises(SocketClosed):
        await open_stream(far)


# What the caller says.


async def test_packets_come_as_24_khz_audio_one_after_the_other() -> None:
    async with a_call() as call:
        call.far.says(packet(0), packet(1), packet(2), STOP)
        events = await call.all_events()
    audio = [event for event in events if isinstance(event, CallerAudio)]
    assert [(event.at_sample, len(event.pcm)) for event in audio] == [(0, 480), (480, 480), (960, 480)]
    assert events[-1] == LegClosed("hung_up")


async def test_a_lost_packet_is_a_jump_in_position() -> None:
    async with a_call() as call:
        call.far.says(packet(0), packet(3), STOP)
        events = await call.all_events()
        assert call.leg.track.gaps == 1
    assert [event.at_sample for event in events if isinstance(event, CallerAudio)] == [0, 1440]


async def test_a_timestamp_that_wobbles_by_milliseconds_is_no_hole() -> None:
    async with a_call() as call:
        call.far.says(packet(0), packet(1, at_ms=27), packet(2, at_ms=38), packet(3), STOP)
        events = await call.all_events()
    assert [event.at_sample for event in events if isinstance(event, CallerAudio)] == [0, 480, 960, 1440]


async def test_duplicates_and_packets_out_of_order_never_turn_the_clock_back() -> None:
    async with a_call() as call:
        call.far.says(packet(0), packet(2), packet(1), packet(2), packet(3), STOP)
        events = await call.all_events()
        assert call.count("caller_late_samples") == 960
    assert [event.at_sample for event in events if isinstance(event, CallerAudio)] == [0, 960, 1440]


async def test_our_own_voice_on_the_outbound_track_is_not_the_callers() -> None:
    async with a_call() as call:
        call.far.says(packet(0, track="outbound"), STOP)
        assert await call.all_events() == [LegClosed("hung_up")]


async def test_a_key_is_heard_and_an_unknown_event_is_counted_and_ignored() -> None:
    async with a_call() as call:
        call.far.says('{"event":"dtmf","dtmf":{"digit":"5"}}', '{"event":"weather"}', STOP)
        assert await call.all_events() == [Dtmf("5"), LegClosed("hung_up")]
        assert call.count("wire_unknown") == 1


async def test_packets_are_gathered_to_the_front_ends_frames() -> None:
    async with a_call(frame_samples=1920) as call:
        call.far.says(*(packet(number) for number in range(3, 12)), STOP)
        events = await call.all_events()
    audio = [event for event in events if isinstance(event, CallerAudio)]
    assert [(event.at_sample, len(event.pcm)) for event in audio] == [(1440, 480), (1920, 1920), (3840, 1920)]


async def test_gathering_stops_at_a_hole() -> None:
    async with a_call(frame_samples=1920) as call:
        call.far.says(packet(0), packet(2), packet(3), STOP)
        events = await call.all_events()
    audio = [event for event in events if isinstance(event, CallerAudio)]
    assert [(event.at_sample, len(event.pcm)) for event in audio] == [(0, 480), (960, 960)]


async def test_what_came_before_a_key_is_heard_before_it() -> None:
    async with a_call(frame_samples=1920) as call:
        call.far.says(packet(0), '{"event":"dtmf","dtmf":{"digit":"5"}}', packet(1), STOP)
        events = await call.all_events()
    kinds = [type(event) for event in events]
    assert kinds == [CallerAudio, Dtmf, CallerAudio, LegClosed]


async def test_gathered_audio_goes_ahead_when_the_rest_of_its_frame_is_late() -> None:
    async with a_call(frame_samples=1920) as call:
        events = call.leg.events()
        since = asyncio.get_running_loop().time()
        call.far.says(packet(0), packet(1))
        audio = await anext(events)
        assert isinstance(audio, CallerAudio)
        assert len(audio.pcm) == 960
        assert 0.08 <= asyncio.get_running_loop().time() - since <= 0.08 + GRACE_S


async def test_gathered_or_not_the_audio_is_the_same() -> None:
    heard = []
    for frame_samples in (480, 1920):
        async with a_call(frame_samples=frame_samples) as call:
            call.far.says(*(packet(number, code=0x80 + 5 * number) for number in range(8)), STOP)
            events = await call.all_events()
        heard.append(np.concatenate([event.pcm for event in events if isinstance(event, CallerAudio)]))
    np.testing.assert_allclose(heard[0], heard[1], atol=1e-6)


# How it ends.


async def test_a_dropped_socket_is_told_from_a_hang_up() -> None:
    async with a_call() as call:
        call.far.drops()
        (closed,) = await call.all_events()
    assert isinstance(closed, LegClosed)
    assert closed.reason == "dropped"


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        '{"event":"media"}',
        start_message(),
        packet(0, at_ms=10**9),
        packet(0, at_ms=-1),
        packet(0, size=161),
        packet(0, size=8160),
    ],
)
async def test_a_malformed_message_closes_the_call_and_is_counted(message: str) -> None:
    async with a_call() as call:
        call.far.says(message, packet(0))
        (closed,) = await call.all_events()
        assert call.count("wire_malformed") == 1
    assert isinstance(closed, LegClosed)
    assert closed.reason == "protocol_error"
    assert closed.detail


async def test_hanging_up_tells_the_carrier_once_and_the_leg_closes_as_ended_by_us() -> None:
    async with a_call() as call:
        await call.leg.hang_up()
        await call.leg.hang_up()
        call.far.says(STOP)
        assert await call.all_events() == [LegClosed("ended_by_us")]
        assert call.hung_up == ["CA1"]


async def test_after_a_hang_up_the_leg_ends_even_when_the_carrier_keeps_the_socket_open() -> None:
    async with a_call() as call, asyncio.TaskGroup() as group:
        reading = group.create_task(call.all_events())
        await asyncio.sleep(1)
        await call.leg.hang_up()
        assert await reading == [LegClosed("ended_by_us")]


async def test_an_unreachable_carrier_is_an_error_but_the_leg_still_ends() -> None:
    async with a_call() as call, asyncio.TaskGroup() as group:
        call.unreachable = True
        reading = group.create_task(call.all_events())
        await asyncio.sleep(1)
        with pytest.raises(HangUpFailed):
            await call.leg.hang_up()
        assert await reading == [LegClosed("ended_by_us")]


async def test_a_closed_leg_plays_nothing_and_does_not_block() -> None:
    async with a_call() as call:
        call.far.says(STOP)
        await call.all_events()
        await call.leg.play(voice(1.0), ["never"])
        await call.leg.hang_up()
        assert call.far.got("media") == []
        assert call.hung_up == []


# What the caller hears.


async def test_speech_goes_out_in_20_ms_packets_on_an_absolute_clock() -> None:
    async with a_call() as call:
        since = asyncio.get_running_loop().time()
        for start in range(0, 24_000, 1920):
            await call.leg.play(voice(1.04)[start : start + 1920])
        await asyncio.sleep(1)
        times = [when - since for when in call.far.times("media")]
        assert len(times) == 52
        assert 0.019 <= times[0] <= START_S
        assert times[1] == times[0]
        assert times[2:] == pytest.approx([times[0] + 0.02 * k for k in range(1, 51)], abs=0.002)
        assert {len(m["media"]["payload"]) for m in call.far.got("media")} == {216}
        assert call.far.got("media")[0]["streamSid"] == "MZ1"


async def test_what_goes_out_is_what_was_played() -> None:
    async with a_call() as call:
        await call.leg.play(voice(0.4))
        await asyncio.sleep(1)
        heard = call.far.heard()
    expected = voice(0.4)[::3]
    delay = 16
    np.testing.assert_allclose(heard[delay + 100 :], expected[100:-delay], atol=0.02)


async def test_play_returns_when_less_than_the_lead_is_queued() -> None:
    async with a_call() as call:
        since = asyncio.get_running_loop().time()
        await call.leg.play(voice(0.08))
        first = asyncio.get_running_loop().time() - since
        await call.leg.play(voice(0.08))
        second = asyncio.get_running_loop().time() - since
        assert 0.039 <= first <= 0.02 + START_S
        assert second - first == pytest.approx(0.08, abs=0.003)


async def test_play_tells_where_on_the_callers_clock_its_audio_sounds() -> None:
    async with a_call() as call, asyncio.TaskGroup() as group:
        reading = group.create_task(call.all_events())
        for number in range(50):
            await asyncio.sleep(0.02)
            call.far.says(packet(number))
        await asyncio.sleep(0)
        first = await call.leg.play(voice(0.08))
        second = await call.leg.play(voice(0.08))
        assert 24_000 + 480 <= first <= 24_000 + START_S * 24_000
        assert second == first + 1920
        await asyncio.sleep(2)
        after_a_pause = await call.leg.play(voice(0.02))
        assert after_a_pause == pytest.approx(first + (0.1 + 2) * 24_000, abs=1000)
        call.far.says(STOP)
        await reading


async def test_long_silence_is_not_sent_and_the_voice_after_it_comes_at_its_time() -> None:
    async with a_call() as call:
        since = asyncio.get_running_loop().time()
        for _ in range(25):
            await call.leg.play(np.zeros(1920, np.float32))
        await call.leg.play(voice(0.08))
        await asyncio.sleep(1)
        times = [when - since for when in call.far.times("media")]
        assert len(times) == 4
        assert 2.019 <= times[0] <= 2.0 + START_S


async def test_marks_follow_their_audio_and_are_heard_when_they_return() -> None:
    async with a_call() as call:
        await call.leg.play(voice(0.02), ["one"])
        await call.leg.play(voice(0.02), ["two", "three"])
        await asyncio.sleep(1)
        assert call.far.order() == ["media", "mark", "media", "mark", "mark"]
        call.far.says(returned("one"), returned("one"), returned("foreign"), STOP)
        assert await call.all_events() == [MarkHeard("one"), LegClosed("hung_up")]


async def test_clearing_empties_both_queues_and_marks_that_return_after_it_are_not_heard() -> None:
    async with a_call() as call, asyncio.TaskGroup() as group:
        await call.leg.play(voice(0.02), ["heard"])
        await asyncio.sleep(0.1)
        call.far.says(returned("heard"))
        speaking = group.create_task(call.leg.play(voice(2.0), ["cut"]))
        events = call.leg.events()
        assert await anext(events) == MarkHeard("heard")
        await asyncio.sleep(0.1)
        sent = len(call.far.got("media"))
        assert await call.leg.clear() == {"cut"}
        await speaking
        await asyncio.sleep(1)
        assert call.far.order()[-1] == "clear"
        assert len(call.far.got("media")) <= sent + 1
        call.far.says(returned("cut"), STOP)
        assert [event async for event in events] == [LegClosed("hung_up")]


async def test_after_a_clear_new_speech_goes_out_at_once_behind_the_clear() -> None:
    async with a_call() as call, asyncio.TaskGroup() as group:
        group.create_task(call.leg.play(voice(2.0)))
        await asyncio.sleep(0.5)
        await call.leg.clear()
        now = asyncio.get_running_loop().time()
        await call.leg.play(voice(0.04), ["new"])
        await asyncio.sleep(0.5)
        assert call.far.order()[-4:] == ["clear", "media", "media", "mark"]
        assert call.far.sent[-4][0] == pytest.approx(now, abs=0.001)
        assert call.far.sent[-3][0] <= now + START_S


async def test_audio_that_is_not_whole_packets_is_a_mistake_of_ours() -> None:
    async with a_call() as call:
        with pytest.raises(ValueError, match="480"):
            await call.leg.play(voice(0.03))


# A peer that misbehaves.


async def test_a_peer_that_stops_reading_holds_play_back_and_then_ends_the_leg() -> None:
    async with a_call() as call, asyncio.TaskGroup() as group:
        reading = group.create_task(call.all_events())
        call.far.writable = False
        await call.leg.play(voice(0.08))
        (closed,) = await reading
    assert isinstance(closed, LegClosed)
    assert closed.reason == "dropped"
    assert "reading" in closed.detail


async def test_a_peer_that_pauses_reading_gets_no_burst_afterwards() -> None:
    async with a_call() as call, asyncio.TaskGroup() as group:
        group.create_task(call.leg.play(voice(1.0)))
        await asyncio.sleep(0.1)
        call.far.writable = False
        await asyncio.sleep(0.5)
        call.far.writable = True
        await asyncio.sleep(2)
        times = call.far.times("media")
        assert len(times) == 50
        after = [when for when in times if when > times[0] + 0.5]
        assert sum(later - sooner < 0.015 for sooner, later in pairwise(after)) <= 2


async def test_a_fault_in_the_call_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError, match="a mistake"):
        async with a_call():
            raise KeyError("a mistake")


async def test_a_fault_in_the_pacing_ends_the_call_that_has_it() -> None:
    async with a_call() as call:

        def fail(*_: object) -> None:
            raise KeyError("a mistake")

        call.far.send = fail  # type: ignore[method-assign]
        await call.leg.play(voice(0.02))
        with pytest.raises(KeyError, match="a mistake"):
            await call.all_events()


async def test_a_cancelled_call_is_cancelled_and_nothing_else() -> None:
    async def talk() -> None:
        async with a_call() as call:
            await call.leg.play(voice(60))

    task = asyncio.create_task(talk(), name="call")
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_leg_that_is_left_ends_its_pacing_and_frees_who_waits_for_it() -> None:
    async with asyncio.TaskGroup() as group:
        async with a_call() as call:
            waiting = group.create_task(call.leg.play(voice(5.0)))
            await asyncio.sleep(0.1)
        await waiting
    assert call.count("outbound_frames") > 0
