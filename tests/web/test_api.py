"""The API: closed without a token, and the whole record of a call with it."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kame_voice.caller.scripts import stay
from tests.support.running_app import RunningApp, running_app

pytestmark = pytest.mark.anyio

AUTH = {"Authorization": "Bearer test-api-token"}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as line:
        await line.caller().call(line.identity(), stay(600))
        await line.app.desk.idle()
        yield line


async def get(line: RunningApp, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(line.url + path, headers=headers)


async def placed_call(line: RunningApp) -> str:
    while True:
        calls = (await get(line, "/api/calls", **AUTH)).json()["calls"]
        if calls and calls[0]["status"] == "completed":
            return str(calls[0]["id"])


async def test_without_the_token_nothing_is_told(line: RunningApp) -> None:
    for path in ("/api/calls", "/api/calls/x", "/api/calls/x/recording"):
        assert (await get(line, path)).status_code == 401
        assert (await get(line, path, Authorization="Bearer wrong")).status_code == 401


async def test_without_a_configured_token_the_api_is_closed(tmp_path: Path) -> None:
    async with running_app(tmp_path, api_token="") as line:
        answer = await get(line, "/api/calls", Authorization="Bearer x")
    assert answer.status_code == 403
    assert "KAME_API_TOKEN" in answer.text


async def test_a_call_is_told_with_all_its_parts(line: RunningApp) -> None:
    call = (await get(line, f"/api/calls/{await placed_call(line)}", **AUTH)).json()
    wanted = "id provider_id line customer from to status started_at duration_ms turns oracles latency events"
    assert set(wanted.split()) <= set(call)
    assert (call["line"], call["customer"], call["to"]) == ("acme-main", "acme", "+15550100")
    assert call["latency"]["response_gap_ms"] == []


async def test_the_recording_is_a_two_channel_wav(line: RunningApp) -> None:
    answer = await get(line, f"/api/calls/{await placed_call(line)}/recording", **AUTH)
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as recording:
        assert recording.getnchannels() == 2


@pytest.mark.parametrize("call_id", ["nope", "..%2f..%2fkame.db", "%00", "a" * 500])
async def test_an_unknown_call_is_a_404(line: RunningApp, call_id: str) -> None:
    for path in (f"/api/calls/{call_id}", f"/api/calls/{call_id}/recording"):
        assert (await get(line, path, **AUTH)).status_code == 404


async def test_a_made_up_cursor_is_a_400_that_says_so(line: RunningApp) -> None:
    answer = await get(line, "/api/calls?before=nonsense", **AUTH)
    assert answer.status_code == 400
    assert "nonsense" in answer.json()["detail"] or "cursor" in answer.json()["detail"]


async def test_metrics_and_openapi_are_there(line: RunningApp) -> None:
    metrics = await get(line, "/metrics")
    assert "kame_calls_total" in metrics.text
    assert "/api/calls/{call_id}" in (await get(line, "/openapi.json")).json()["paths"]
