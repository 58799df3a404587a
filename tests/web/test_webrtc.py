"""The browser's routes: a place is taken before an offer is answered, and given back whatever happens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kame_voice.caller.browser import BrowserCaller, BrowserResult
from kame_voice.caller.live import LiveCall
from kame_voice.caller.scripts import stay
from kame_voice.store.calls import CallDetail
from tests.support.offers import offer_text
from tests.support.running_app import OPEN_TO_BROWSERS, RunningApp, flow_text, running_app

pytestmark = pytest.mark.anyio

LINE = "acme-main"


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, flow_text(more=OPEN_TO_BROWSERS), capacity=1) as line:
        yield line


async def offer(server: RunningApp, **body: Any) -> httpx.Response:
    whole = {"line": LINE, "type": "offer", "sdp": await offer_text()} | body
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(f"{server.url}/webrtc/offer", json=whole)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - a state, seen from outside
            await asyncio.sleep(0.02)


async def record(line: RunningApp, call_id: str) -> CallDetail:
    def closed() -> bool:
        call = line.app.archive.calls.get(call_id)
        return call is not None and call.ended_at is not None

    await until(closed)
    call = line.app.archive.calls.get(call_id)
    assert call is not None
    return call


async def test_a_full_house_is_told_with_the_lines_own_words(line: RunningApp) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(BrowserCaller(line.url).call(LINE, stay(1500)))
        await until(lambda: line.app.desk.running == 1)
        refused = await BrowserCaller(line.url).call(LINE, stay(100))
    assert (refused.status, refused.refused and refused.refused["code"]) == (503, "full")
    flow = line.app.flows.line(LINE)
    assert flow is not None
    assert refused.call.detail == flow.overflow.say


async def test_an_unknown_line_is_a_404_that_says_so(line: RunningApp) -> None:
    answer = await offer(line, line="nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-line")


async def test_a_server_that_drains_takes_no_browser_either(line: RunningApp) -> None:
    line.app.admission.drain()
    answer = await offer(line)
    assert (answer.status_code, answer.json()["code"]) == (503, "draining")


@pytest.mark.parametrize("sdp", ["", "v=0\r\n", "no sdp at all", "m=audio 9 X 0\r\na=\0"])
async def test_a_malformed_offer_takes_no_place_and_leaves_no_record(line: RunningApp, sdp: str) -> None:
    answer = await offer(line, sdp=sdp)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-offer")
    assert answer.json()["detail"]
    assert line.app.front_end.free == 1
    assert line.app.archive.calls.list().calls == []


@pytest.mark.parametrize("body", [{"sdp": None}, {"sdp": "x" * 70_000}, {"type": "answer"}, {"line": 7}])
async def test_a_body_of_another_form_is_a_422(line: RunningApp, body: dict[str, Any]) -> None:
    assert (await offer(line, **body)).status_code == 422


async def test_a_browser_that_never_connects_gives_its_place_back(line: RunningApp) -> None:
    line.app.browser_calls.connect_within_s = 0.3
    answer = (await offer(line)).json()
    assert line.app.front_end.free == 0, "the place is taken before the offer is answered"
    await until(lambda: line.app.front_end.free == 1)
    call = await record(line, answer["call_id"])
    assert call.status == "abandoned"
    assert "no connection" in (call.end_reason or "")


async def test_a_page_that_is_being_closed_hangs_up_by_http(line: RunningApp) -> None:
    async def close_the_page(live: LiveCall) -> None:
        await live.until(lambda: bool(line.app.browser_calls.running))
        (token,) = line.app.browser_calls.running
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.delete(f"{line.url}/webrtc/calls/{token}")).status_code == 204
            await live.until(lambda: live.over, within_ms=5000)
            assert (await http.delete(f"{line.url}/webrtc/calls/{token}")).status_code == 404

    result = await BrowserCaller(line.url).call(LINE, close_the_page)
    call = await record(line, result.call_id)
    assert (call.status, call.end_reason) == ("completed", "caller hung up")


async def test_a_browser_that_vanishes_ends_its_call_within_ten_seconds(line: RunningApp) -> None:
    clock = asyncio.get_running_loop().time

    async def vanish(live: LiveCall) -> None:
        await live.pause(400)
        await live.press("1")
        await live.pause(100)
        live.drop()

    result = await BrowserCaller(line.url).call(LINE, vanish)
    vanished = clock()
    call = await record(line, result.call_id)
    await until(lambda: line.app.front_end.free == 1)
    assert clock() - vanished < 10
    assert call.status == "dropped"
    kinds = {event.kind: event.data for event in call.events}
    assert kinds["dtmf"] == {"digit": "1"}
    assert "nothing came from the browser" in kinds["leg-closed"]["detail"]


async def test_a_caller_who_hangs_up_while_it_rings_gives_the_place_back(line: RunningApp) -> None:
    answer = (await offer(line)).json()
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.delete(f"{line.url}/webrtc/calls/{answer['token']}")).status_code == 204
    await until(lambda: line.app.front_end.free == 1)
    assert (await record(line, answer["call_id"])).status == "abandoned"


async def test_a_place_is_free_as_soon_as_the_hang_up_is_confirmed(line: RunningApp) -> None:
    """The peer of a browser that is not there takes its time to be closed; nobody waits for that."""
    line.app.browser_calls.connect_within_s = 60
    for _ in range(3):
        token = (await offer(line)).json()["token"]
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.delete(f"{line.url}/webrtc/calls/{token}")
        assert line.app.front_end.free == 1


async def test_a_page_that_is_gone_before_its_offer_was_answered_holds_no_place(tmp_path: Path) -> None:
    """The STUN server is silent, so that the answer takes 5 s; the browser does not wait for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        stun = f"stun:127.0.0.1:{silent.getsockname()[1]}"
        flow = flow_text(more=OPEN_TO_BROWSERS)
        async with running_app(tmp_path, flow, capacity=1, ice_servers=stun) as line:
            line.app.browser_calls.connect_within_s = 60
            async with asyncio.TaskGroup() as group:
                page = group.create_task(offer(line))
                await until(lambda: line.app.front_end.free == 0)
                page.cancel()  # its connection is closed
            await until(lambda: line.app.front_end.free == 1)
            await until(lambda: bool(line.app.archive.calls.list().calls))
            (call,) = line.app.archive.calls.list().calls
            assert (call.status, call.end_reason) == ("abandoned", "the browser was gone")


async def test_of_offers_that_come_together_no_more_are_taken_than_the_flow_allows(tmp_path: Path) -> None:
    flow = flow_text(more="browser: {talk: true, max_calls_per_hour: 2, max_calls_per_day: 100}\n")
    async with running_app(tmp_path, flow, capacity=8) as line:
        await offer_text()
        answers = await asyncio.gather(*(offer(line) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429, 429]
        assert line.app.front_end.free == 6


async def test_turn_passwords_are_for_those_who_may_call(tmp_path: Path) -> None:
    servers = {"turn_servers": "turn:turn.example.com", "turn_secret": "north"}
    closed = flow_text("acme-shop", "+15550101")
    async with (
        running_app(tmp_path, flow_text(more=OPEN_TO_BROWSERS), closed, **servers) as line,
        httpx.AsyncClient(trust_env=False, base_url=line.url) as http,
    ):
        told = await http.post("/webrtc/ice", json={"line": LINE})
        refused = await http.post("/webrtc/ice", json={"line": "acme-shop"})
    (turn,) = told.json()["iceServers"]
    assert turn["urls"] == ["turn:turn.example.com"]
    assert turn["credential"]
    assert (refused.status_code, refused.json()["code"]) == (403, "closed-to-browsers")


async def test_the_record_has_the_figures_of_the_transport(line: RunningApp) -> None:
    result = await BrowserCaller(line.url).call(LINE, stay(1000))
    call = await record(line, result.call_id)
    figures = next(event.data for event in call.events if event.kind == "rtp")
    assert figures["received"] > 40
    assert figures["sent"] > 40
    assert figures["lost"] == 0


async def test_a_server_that_stops_closes_the_calls_of_browsers(tmp_path: Path) -> None:
    results: list[BrowserResult] = []

    async def caller(url: str) -> None:
        results.append(await BrowserCaller(url).call(LINE, stay(20_000)))

    async with asyncio.TaskGroup() as group, running_app(tmp_path, flow_text(more=OPEN_TO_BROWSERS)) as line:
        group.create_task(caller(line.url))
        await until(lambda: line.app.desk.running == 1)
        call_id = line.app.live_calls.running()[0].call.id
    async with running_app(tmp_path, flow_text(more=OPEN_TO_BROWSERS)) as again:
        assert (await record(again, call_id)).status == "interrupted"
    assert results[0].call.ended_by == "server-closed"
