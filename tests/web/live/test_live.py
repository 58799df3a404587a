"""Running calls over HTTP: who may watch, listen in and hang up, and what is written down of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kame_voice.caller.rest import RestStandIn, serving_rest
from kame_voice.caller.result import CallResult, EndedBy
from kame_voice.caller.scripts import stay
from kame_voice.calls.live import LiveCall
from kame_voice.core.nouns import Role
from kame_voice.web.auth.gate import Gate
from tests.support.eventually import eventually
from tests.support.running_app import TOKEN, RunningApp, running_app
from tests.support.signed_in import cookie_of, signed_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    rest = RestStandIn(TOKEN)
    with serving_rest(rest):
        async with running_app(tmp_path, twilio_api_url=rest.url) as line:
            yield line


@asynccontextmanager
async def a_call(line: RunningApp, ms: float = 15_000) -> AsyncIterator[LiveCall]:
    """A call that runs while the body does."""
    async with asyncio.TaskGroup() as group:
        placed = group.create_task(line.caller().call(line.identity(), stay(ms)))
        await eventually(line.app.live_calls.running)
        live = line.app.live_calls.get(line.app.live_calls.running()[0].call.id)
        assert live is not None
        yield live
        if not placed.done():
            placed.cancel()


async def audited(line: RunningApp, action: str) -> list[str]:
    """Who did it, once it is on disk."""

    def who() -> list[str]:
        with line.app.archive.database.engine.connect() as connection:
            rows = connection.execute(text("select who from audit where action = :a"), {"a": action})
            return [row[0] for row in rows]

    return await eventually(who)


def cookie(line: RunningApp, secret: str) -> dict[str, str]:
    gate: Gate = line.app.asgi.state.gate
    return {"Cookie": f"{gate.cookies.session_name}={secret}"}


def socket_url(line: RunningApp, call_id: str) -> str:
    return f"{line.url.replace('http', 'ws')}/api/calls/{call_id}/listen"


async def test_a_running_call_is_told_to_who_may_see_it(line: RunningApp) -> None:
    async with a_call(line) as live, signed_in(line) as mine, signed_in(line, customers=("other",)) as other:
        [told] = (await mine.get("/api/live")).json()
        assert (told["id"], told["line"], told["from"]) == (live.call.id, "acme-main", "+15550111")
        assert (await other.get("/api/live")).json() == []
        assert (await mine.get(f"/live/{live.call.id}")).status_code == 200
        assert (await other.get(f"/live/{live.call.id}")).status_code == 404


async def test_a_call_that_is_over_is_found_on_its_record(line: RunningApp) -> None:
    await line.caller().call(line.identity(), stay(300))
    await line.app.desk.idle()
    async with signed_in(line) as mine, signed_in(line, customers=("other",)) as other:
        calls = await eventually(lambda: line.app.archive.calls.list().calls)
        answer = await mine.get(f"/live/{calls[0].id}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/calls/{calls[0].id}")
        assert (await other.get(f"/live/{calls[0].id}")).status_code == 404


async def messages(client: httpx.AsyncClient, until: str) -> list[dict[str, Any]]:
    """The feed's messages, up to the first of type `until`."""
    got: list[dict[str, Any]] = []
    async with asyncio.timeout(10), client.stream("GET", "/api/live/events") as answer:
        assert answer.status_code == 200, await answer.aread()
        async for row in answer.aiter_lines():
            if row.startswith("data:"):
                got.append(json.loads(row[5:]))
                if got[-1]["type"] == until:
                    return got
    return got


async def test_the_feed_tells_of_calls_that_run_begin_and_end(line: RunningApp) -> None:
    async with signed_in(line) as mine:
        watching = asyncio.create_task(messages(mine, "ended"))
        await asyncio.sleep(0.2)
        await line.caller().call(line.identity(), stay(1500))
        got = await watching
    assert [message["type"] for message in got[:2]] == ["calls", "call"]
    assert got[0]["calls"] == []
    assert got[-1]["reason"] == "caller hung up"
    assert {message["call_id"] for message in got[2:]} == {got[1]["call"]["id"]}
    assert await audited(line, "live.watch")


async def test_the_feed_tells_nothing_of_another_customer_s_calls(line: RunningApp) -> None:
    async with a_call(line), signed_in(line, customers=("other",)) as other:
        first = await messages(other, "calls")
        assert first == [{"type": "calls", "calls": []}]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.2):
                await messages(other, "call")


async def listened(line: RunningApp, call_id: str, headers: dict[str, str]) -> str:
    """How the server takes a listener: `sound`, or the status or code it refuses with."""
    try:
        async with connect(socket_url(line, call_id), additional_headers=headers, proxy=None) as socket:
            first = json.loads(await socket.recv())
            assert (first["rate"], first["channels"], first["sample"]) == (24_000, 2, "s16le")
            return "sound"
    except InvalidStatus as refused:
        return str(refused.response.status_code)
    except ConnectionClosed as closed:
        return str(closed.code)


async def test_supervisors_may_listen_in_and_reviewers_and_strangers_may_not(line: RunningApp) -> None:
    async with a_call(line) as live:
        call_id = live.call.id
        supervisor = cookie(line, cookie_of(line, "sue", Role.SUPERVISOR))
        reviewer = cookie(line, cookie_of(line, "rob", Role.REVIEWER))
        elsewhere = cookie(line, cookie_of(line, "eve", Role.SUPERVISOR, ("other",)))
        assert await listened(line, call_id, supervisor) == "sound"
        for who in (reviewer, elsewhere, {}, cookie(line, "made-up")):
            assert await listened(line, call_id, who) == "403"
        assert await listened(line, call_id, supervisor | {"Origin": "https://evil.example"}) == "403"
        assert await audited(line, "live.listen") == ["sue"]
        await eventually(lambda: not live.sound.listeners)


async def test_a_listener_hears_the_call_until_it_is_over(line: RunningApp) -> None:
    headers = cookie(line, cookie_of(line, "sue", Role.SUPERVISOR))
    async with a_call(line, ms=1_500) as live:
        blocks, told = [], []
        async with connect(socket_url(line, live.call.id), additional_headers=headers, proxy=None) as socket:
            async for message in socket:
                if isinstance(message, bytes):
                    blocks.append(np.frombuffer(message, "<i2").reshape(-1, 2))
                else:
                    told.append(json.loads(message)["type"])
    assert told == ["format", "ended"]
    assert sum(map(len, blocks)) > 24_000 * 0.5


async def test_a_listener_who_does_not_read_holds_up_nothing(line: RunningApp) -> None:
    headers = cookie(line, cookie_of(line, "sue", Role.SUPERVISOR))
    async with asyncio.TaskGroup() as group:
        call: asyncio.Task[CallResult] = group.create_task(line.caller().call(line.identity(), stay(3_000)))
        await eventually(line.app.live_calls.running)
        url = socket_url(line, line.app.live_calls.running()[0].call.id)
        async with connect(url, additional_headers=headers, proxy=None, max_queue=1) as socket:
            result = await call
            await line.app.desk.idle()
            socket.transport.abort()
    assert result.duration_ms > 2_800


async def test_a_supervisor_hangs_up_and_the_agent_says_goodbye(tmp_path: Path) -> None:
    rest = RestStandIn(TOKEN)
    with serving_rest(rest):
        async with running_app(tmp_path, twilio_api_url=rest.url) as line, asyncio.TaskGroup() as group:
            call = group.create_task(line.caller(rest=rest).call(line.identity(), stay(30_000)))
            await eventually(line.app.live_calls.running)
            call_id = line.app.live_calls.running()[0].call.id
            async with signed_in(line, Role.SUPERVISOR, name="sue") as sue:
                assert (await sue.post(f"/api/calls/{call_id}/hang-up")).status_code == 202
                result = await call
                assert await audited(line, "live.hang-up") == ["sue"]
                assert (await sue.post(f"/api/calls/{call_id}/hang-up")).status_code == 404
    assert result.ended_by is EndedBy.AGENT


async def test_nobody_else_hangs_up(line: RunningApp) -> None:
    async with (
        a_call(line) as live,
        signed_in(line, Role.REVIEWER) as reviewer,
        signed_in(line, Role.SUPERVISOR, ("other",)) as elsewhere,
        signed_in(line, Role.SUPERVISOR) as forged,
    ):
        path = f"/api/calls/{live.call.id}/hang-up"
        del forged.headers["x-csrf-token"]
        assert (await reviewer.post(path)).status_code == 403
        assert (await elsewhere.post(path)).status_code == 404
        assert (await forged.post(path)).status_code == 403
        assert line.app.live_calls.get(live.call.id) is not None
