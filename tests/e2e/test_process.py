"""The server as a process: signals, crashes, restarts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kame_voice.caller.caller import PhoneCaller, Server
from kame_voice.caller.result import Outcome
from kame_voice.caller.scripts import stay
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.server import listen
from kame_voice.store.archive import Archive
from tests.support.running_app import TOKEN, flow_text

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]


class Process:
    """`kame-voice serve` on a free port, over one data folder."""

    def __init__(self, folder: Path, front_end: str = "echo") -> None:
        self.data = folder / "data"
        flows = folder / "flows"
        flows.mkdir(exist_ok=True)
        (flows / "line.yaml").write_text(flow_text())
        with contextlib.closing(listen("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = os.environ | {
            "KAME_PUBLIC_URL": self.url,
            "KAME_FLOWS_DIR": str(flows),
            "KAME_DATA_DIR": str(self.data),
            "KAME_FRONT_END": front_end,
            "KAME_DRAIN_S": "20",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": TOKEN,
        }

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[asyncio.subprocess.Process]:
        command = [sys.executable, "-m", "kame_voice", "serve", "--port", str(self.port)]
        process = await asyncio.create_subprocess_exec(
            *command, env=self._environment, stderr=asyncio.subprocess.PIPE, cwd=self.data.parent
        )
        try:
            await self._ready(process)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(40), httpx.AsyncClient(trust_env=False) as http:
            while True:
                assert process.returncode is None, await process.communicate()
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"{self.url}/health/ready")).is_success:
                        return
                await asyncio.sleep(0.1)

    async def call(self, ms: float) -> tuple[Outcome, str]:
        identity = CallIdentity("+15550111", "+15550100", account_sid="AC" + "0" * 32)
        result = await PhoneCaller(Server(self.url, self.url, TOKEN)).call(identity, stay(ms))
        return result.outcome, result.detail

    def archive(self) -> Archive:
        return Archive.open(f"sqlite:///{self.data / 'kame.db'}", self.data)


async def until_a_call_runs(process: Process) -> None:
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as http:
        while True:
            metrics = (await http.get(f"{process.url}/metrics")).text
            if re.search(r"^kame_calls_running 1\.0$", metrics, re.M):
                return
            await asyncio.sleep(0.05)


async def test_sigterm_lets_the_running_call_finish_and_takes_no_other(tmp_path: Path) -> None:
    server = Process(tmp_path)
    async with server.serving() as process, asyncio.TaskGroup() as group:
        running = group.create_task(server.call(4000))
        await until_a_call_runs(server)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        refused, detail = await server.call(100)
        assert (refused, "busy" in detail) == (Outcome.REFUSED, True)
        assert (await running)[0] is Outcome.ANSWERED
        assert await asyncio.wait_for(process.wait(), 15) == 0
    archive = server.archive()
    assert [call.status for call in archive.calls.list().calls] == ["completed"]
    archive.close()


async def test_a_killed_server_leaves_a_readable_call_that_the_next_one_closes(tmp_path: Path) -> None:
    server = Process(tmp_path)
    async with server.serving() as process:
        call = asyncio.create_task(server.call(60_000), name="call that is cut")
        await until_a_call_runs(server)
        await asyncio.sleep(3.0)
        process.kill()
        await call
    archive = server.archive()
    closed = archive.calls.list().calls[0]
    path = archive.recordings.path_of(closed.id)
    archive.close()
    assert closed.status == "interrupted"
    assert closed.duration_ms is not None
    assert closed.duration_ms >= 1500
    assert path is not None
    with wave.open(str(path)) as recording:
        assert recording.getnframes() / recording.getframerate() >= 1.5


async def test_a_server_without_its_settings_says_which_and_exits(tmp_path: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("KAME_", "TWILIO_"))
    }
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "kame_voice", "serve", "--port", "0"],
        env=environment,
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"KAME_PUBLIC_URL" in errors
    assert b"Traceback" not in errors
