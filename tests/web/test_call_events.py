"""Server-sent events of a call: live while it runs, from the record afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kame_voice.caller.scripts import conversation, stay
from tests.support.running_app import RunningApp, running_app

pytestmark = pytest.mark.anyio

AUTH = {"Authorization": "Bearer test-api-token"}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as line:
        yield line


async def events_of(line: RunningApp, call_id: str) -> list[dict[str, Any]]:
    """All events until the stream ends by itself."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
        http.stream("GET", f"{line.url}/api/calls/{call_id}/events", headers=AUTH) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [json.loads(text[6:]) async for text in answer.aiter_lines() if text.startswith("data: ")]


async def running_call(line: RunningApp) -> str:
    while not line.app.live_calls.running():  # noqa: ASYNC110 - a state, seen from outside
        await asyncio.sleep(0.01)
    return line.app.live_calls.running()[0].call.id


async def closed(line: RunningApp, call_id: str) -> None:
    while True:
        detail = line.app.archive.calls.get(call_id)
        if detail is not None and detail.duration_ms is not None:
            return
        await asyncio.sleep(0.05)


async def test_a_running_calls_events_come_as_they_happen_and_end_with_it(line: RunningApp) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(line.caller().call(line.identity(), conversation([], dtmf="42#")))
        events = await events_of(line, await running_call(line))
    assert [event["digit"] for event in events if event["type"] == "dtmf"] == ["4", "2", "#"]
    assert events[-1] == {"type": "ended", "status": "completed", "reason": "caller hung up"}


async def test_a_finished_calls_events_are_told_from_its_record(line: RunningApp) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(line.caller().call(line.identity(), conversation([], dtmf="7")))
        call_id = await running_call(line)
    await line.app.desk.idle()
    await closed(line, call_id)
    events = await events_of(line, call_id)
    assert [event["type"] for event in events] == ["dtmf", "ended"]


async def test_a_call_that_has_only_just_ended_is_told_of_while_its_record_is_still_on_its_way(
    line: RunningApp,
) -> None:
    async with asyncio.TaskGroup() as group:
        call = group.create_task(line.caller().call(line.identity(), conversation([], dtmf="7")))
        call_id = await running_call(line)
        while line.app.archive.calls.get(call_id) is None:  # noqa: ASYNC110 - a state, seen from outside
            await asyncio.sleep(0.01)
        with contextlib.closing(sqlite3.connect(line.app.settings.data_dir / "kame.db")) as database:
            database.execute("BEGIN IMMEDIATE")
            await call
            await line.app.desk.idle()
            events = await events_of(line, call_id)
            database.rollback()
    assert events[-1] == {"type": "ended", "status": "completed", "reason": "caller hung up"}
    await closed(line, call_id)
    assert (await events_of(line, call_id))[-1] == events[-1]


async def test_an_unknown_call_is_a_404_and_strangers_are_told_nothing(line: RunningApp) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{line.url}/api/calls/nope/events", headers=AUTH)).status_code == 404
        assert (await http.get(f"{line.url}/api/calls/nope/events")).status_code == 401


async def test_a_listener_that_goes_away_leaves_the_call_alone(line: RunningApp) -> None:
    async with asyncio.TaskGroup() as group:
        call = group.create_task(line.caller().call(line.identity(), stay(1500)))
        call_id = await running_call(line)
        async with (
            httpx.AsyncClient(trust_env=False) as http,
            http.stream("GET", f"{line.url}/api/calls/{call_id}/events", headers=AUTH) as answer,
        ):
            await anext(answer.aiter_lines())
    assert call.result().detail == ""
