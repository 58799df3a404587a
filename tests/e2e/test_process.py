"""The server as a process: signals, crashes, restarts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import wave
from pathlib import Path

import pytest

from kame_voice.caller.result import Outcome
from tests.support.server_process import ServerProcess

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]


async def test_sigterm_lets_the_running_call_finish_and_takes_no_other(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    async with server.serving() as process, asyncio.TaskGroup() as group:
        running = group.create_task(server.phone_call(4000))
        await server.until_calls_run(1)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        refused, detail = await server.phone_call(100)
        assert (refused, "busy" in detail) == (Outcome.REFUSED, True)
        assert (await running)[0] is Outcome.ANSWERED
        assert await asyncio.wait_for(process.wait(), 15) == 0
    with server.archive() as archive:
        assert sorted(call.status for call in archive.calls.list().calls) == ["completed", "refused"]


async def test_a_killed_server_leaves_a_readable_call_that_the_next_one_closes(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    async with server.serving() as process:
        call = asyncio.create_task(server.phone_call(60_000), name="call that is cut")
        await server.until_calls_run(1)
        await asyncio.sleep(3.0)
        process.kill()
        await call
    with server.archive(as_server=True) as archive:
        closed = archive.calls.list().calls[0]
        path = archive.recordings.path_of(closed.id)
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
