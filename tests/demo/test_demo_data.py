"""The calls of `kame-voice demo-data`: enough of them, of every kind, and really placed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kame_voice.caller.rest import RestStandIn
from kame_voice.core.telemetry import Telemetry
from kame_voice.demo.cast import Leave, Part, load_cast
from kame_voice.demo.stage import outcome_of, place
from kame_voice.flows.directory import FlowDirectory
from tests.support.running_app import running_app

ROOT = Path(__file__).parents[2]


def test_the_cast_is_large_and_has_every_kind_of_caller() -> None:
    cast = load_cast()
    assert len(cast) >= 30
    assert {part.leave for part in cast} == set(Leave)
    assert any(part.barge_in_ms for part in cast)
    assert any(part.keys for part in cast)
    assert len([part for part in cast if part.at_once]) > 6, "more than there are slots"


def test_every_caller_reaches_a_sample_line_and_every_sample_line_is_called() -> None:
    flows = FlowDirectory(ROOT / "flows", Telemetry()).generation
    reached = {flows.by_number[part.to_number].line for part in load_cast()}
    assert reached == set(flows.by_line)
    assert len({flow.customer for flow in flows.by_line.values()}) > 2


def test_every_recording_is_there() -> None:
    named = {part.recording for part in load_cast() if part.recording}
    assert named
    assert all((ROOT / "tests/data/speech" / name).exists() for name in named)


@pytest.mark.anyio
async def test_what_is_placed_is_on_the_record(tmp_path: Path) -> None:
    early = Part("+15550111", "+15550100", leave=Leave.BEFORE_ANSWER)
    silent = Part("+15550112", "+15550100", leave=Leave.SILENT, silent_ms=400, at_once=True)
    late = Part("+15550113", "+15550100", leave=Leave.SILENT, silent_ms=400, at_once=True)
    async with running_app(tmp_path, capacity=1) as line:
        placed = await place([early, silent, late], line.server, RestStandIn(), tmp_path, at_a_time=2)
        await line.app.desk.idle()
        await asyncio.to_thread(line.app.writer.stop)
        calls = line.app.archive.calls.list().calls
    assert sorted(call.status for call in calls) == ["abandoned", "completed", "refused"]
    assert {call.provider_id for call in calls} == {one.call_sid for one in placed}
    assert [outcome_of(one).partition(":")[0] for one in placed if one.part is early] == [
        "gave up before the answer"
    ]
