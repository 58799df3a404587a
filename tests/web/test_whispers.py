"""A supervisor's words on a running call: said by the agent, audited, and only by those who may."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from kame_voice.caller.scripts import stay
from tests.e2e.test_spoken_calls import record
from tests.support.running_app import running_app
from tests.web.test_call_events import AUTH, running_call

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

WORDS = "Our shop closes early today."


async def test_a_whisper_is_said_and_stands_on_the_record(tmp_path: Path) -> None:
    async with (
        running_app(tmp_path, front_end="spoken") as line,
        httpx.AsyncClient(base_url=line.url, headers=AUTH, trust_env=False) as http,
        asyncio.TaskGroup() as group,
    ):
        identity = line.identity()
        call = group.create_task(line.caller().call(identity, stay(7000)))
        path = f"/api/calls/{await running_call(line)}/whisper"
        refused = await http.post(path, json={"text": "…"})
        assert refused.status_code == 422
        first = await http.post(path, json={"text": "Never mind."})
        assert first.status_code == 201
        assert (await http.delete(f"{path}/{first.json()['oracle']}")).status_code == 204
        taken = (await http.post(path, json={"text": WORDS})).json()
        await call
        assert (await http.delete(f"{path}/{taken['oracle']}")).status_code == 404
        kept = await record(line, identity.call_sid)
    said = [turn.heard_text for turn in kept.turns if taken["oracle"] in turn.oracle_ids]
    assert said == [WORDS]
    oracle = next(one for one in kept.oracles if one.id == taken["oracle"])
    assert (oracle.source, oracle.outcome) == ("supervisor", "adopted")
    assert oracle.spoken_ms is not None
    assert [event.kind for event in kept.events if "whisper" in event.kind] == [
        "whisper",
        "whisper-withdrawn",
        "whisper",
    ]


async def test_a_call_that_does_not_run_cannot_be_whispered_to(tmp_path: Path) -> None:
    async with (
        running_app(tmp_path) as line,
        httpx.AsyncClient(base_url=line.url, trust_env=False) as http,
    ):
        path = "/api/calls/nobody/whisper"
        assert (await http.post(path, json={"text": WORDS})).status_code == 401
        assert (await http.post(path, json={"text": WORDS}, headers=AUTH)).status_code == 404
