from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from kame_voice.bench.load import place_load
from kame_voice.bench.report import Goal, Report
from kame_voice.caller.caller import Server
from kame_voice.caller.errors import StreamRefused
from tests.caller.line_under_test import LineUnderTest, Stream, serving

pytestmark = pytest.mark.anyio


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the line under test has no event for it
        await asyncio.sleep(0.01)


async def test_cheap_callers_speak_the_same_wire_and_hear_their_echo() -> None:
    async def echo(stream: Stream) -> None:
        await stream.opened()
        await stream.mark("m")
        for _ in range(15):  # all of it is out before the caller goes: an echo sent after that would fail
            await stream.send("media", media={"payload": (await stream.until("media"))["media"]["payload"]})
        await stream.until("stop")

    said = np.random.default_rng(3).normal(0, 0.1, 8000).astype(np.float32)
    async with serving(LineUnderTest(behaviour=echo)) as line:
        calls = await place_load(Server(line.url), "+15550100", 2, said, ramp_s=0.02)
        await _until(lambda: min(len(call.playback.arrivals) for call in calls) >= 15)
        for call in calls:
            call.hang_up()
        # a stop message and a proper close ended each of them
        await _until(lambda: len(line.endings) == 2)
    reports = [call.report(0.0, said) for call in calls]
    assert [report.failure for report in reports] == ["", ""]
    assert all(report.wire.messages >= 15 for report in reports)
    events = [message["event"] for message in line.streams[0].messages]
    assert events[:2] == ["connected", "start"]
    assert "mark" in events
    assert events[-1] == "stop"
    assert line.endings == [1000, 1000]


async def test_a_call_that_is_refused_ends_the_load_with_its_reason() -> None:
    said = np.zeros(8000, np.float32)
    async with serving(LineUnderTest(twiml="<Response><Say>Full.</Say></Response>")) as line:
        with pytest.raises(StreamRefused, match=r"says: Full\."):
            await place_load(Server(line.url), "+15550100", 1, said, ramp_s=0)
    async with serving(LineUnderTest(accepts=False)) as line:
        with pytest.raises(StreamRefused, match="403"):
            await place_load(Server(line.url), "+15550100", 1, said, ramp_s=0)


def test_a_report_says_which_goals_were_missed() -> None:
    report = Report("T", "cmd", rows=[{"calls": 1, "ms": None}], goals=[Goal("g", "≤ 1", "2", False)])
    assert not report.reached
    assert "| 1 | – |" in report.markdown()
    assert "**missed**" in report.markdown()
