"""`kame-voice serve` as a process of its own, as an operator runs it: signals, crashes, real browsers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx

from kame_voice.caller.caller import PhoneCaller, Server
from kame_voice.caller.result import Outcome
from kame_voice.caller.scripts import stay
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.server import listen
from kame_voice.store.archive import Archive
from kame_voice.store.calls import CallDetail
from tests.support.running_app import ACCOUNT, TOKEN, flow_text

__all__ = ["ServerProcess"]


class ServerProcess:
    """A server over one folder of flows and data. `serving()` may be entered again: a restart.

    `settings` are environment variables over those of a server with the `echo` front end.
    """

    def __init__(self, folder: Path, *flows: str, **settings: str) -> None:
        self.data = folder / "data"
        self._flows_dir = folder / "flows"
        self._flows_dir.mkdir(exist_ok=True)
        for number, text in enumerate(flows or [flow_text()]):
            self.write_flow(text, number)
        with contextlib.closing(listen("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = (
            os.environ
            | {
                "KAME_PUBLIC_URL": self.url,
                "KAME_FLOWS_DIR": str(self._flows_dir),
                "KAME_DATA_DIR": str(self.data),
                "KAME_FRONT_END": "echo",
                "KAME_DRAIN_S": "20",
                "TWILIO_ACCOUNT_SID": ACCOUNT,
                "TWILIO_AUTH_TOKEN": TOKEN,
            }
            | settings
        )

    def write_flow(self, text: str, number: int = 0) -> None:
        """Write one of its flow files anew."""
        (self._flows_dir / f"line-{number}.yaml").write_text(text)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run it until the body is left; it can take calls when the body begins."""
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

    async def phone_call(self, ms: float) -> tuple[Outcome, str]:
        """A telephone call of this length in which nobody speaks."""
        identity = CallIdentity("+15550111", "+15550100", account_sid=ACCOUNT)
        result = await PhoneCaller(Server(self.url, self.url, TOKEN)).call(identity, stay(ms))
        return result.outcome, result.detail

    async def until_calls_run(self, count: int, within_s: float = 20) -> None:
        """Return once exactly `count` calls are in progress."""
        async with asyncio.timeout(within_s), httpx.AsyncClient(trust_env=False) as http:
            while True:
                metrics = (await http.get(f"{self.url}/metrics")).text
                if re.search(rf"^kame_calls_running {count}\.0$", metrics, re.M):
                    return
                await asyncio.sleep(0.05)

    @contextlib.contextmanager
    def archive(self, *, as_server: bool = False) -> Iterator[Archive]:
        """The record of calls. `as_server` closes what a dead server left open, as the next one does."""
        opened = Archive.open if as_server else Archive.open_existing
        archive = opened(f"sqlite:///{self.data / 'kame.db'}", self.data)
        try:
            yield archive
        finally:
            archive.close()

    async def closed_calls(self, count: int = 1, within_s: float = 10) -> list[CallDetail]:
        """The newest `count` calls once they are closed, newest first."""
        async with asyncio.timeout(within_s):
            while True:
                with self.archive() as archive:
                    calls = [call.id for call in archive.calls.list().calls if call.duration_ms is not None]
                    details = [archive.calls.get(call) for call in calls[:count]]
                found = [detail for detail in details if detail is not None]
                if len(found) == count:
                    return found
                await asyncio.sleep(0.1)
