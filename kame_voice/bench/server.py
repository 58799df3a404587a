"""A server of our own in a process of its own, to be measured from outside."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from kame_voice.caller.caller import Server
from kame_voice.core.errors import KameError

__all__ = ["MeasuredServer", "NoRecord", "NoServer", "serving_process"]

_READY_WITHIN_S: Final = 90.0
_STOP_WITHIN_S: Final = 30.0
_RECORD_WITHIN_S: Final = 15.0
_TICK: Final = os.sysconf("SC_CLK_TCK")


class NoServer(KameError):
    """The server to be measured does not come up."""

    code = "no-server"


class NoRecord(KameError):
    """A call that was placed is not to be found in the server's record."""

    code = "no-record"


@dataclass(slots=True)
class MeasuredServer:
    """A running server. `data_dir` holds its database and recordings while it runs."""

    server: Server
    api_token: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    log: Path
    env: dict[str, str] = field(default_factory=dict)

    def cpu_s(self) -> float:
        """CPU seconds used so far, user and system, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def resident_mib(self) -> float:
        """Memory in use."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def metric(self, name: str) -> float:
        """The sum of one metric's samples, as /metrics has it; 0 when it is not there."""
        text = httpx.get(f"{self.server.url}/metrics", trust_env=False, timeout=10).text
        return sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.split("{")[0].split(" ")[0] == name
        )

    def api(self, path: str) -> Any:
        """JSON of one of the API's routes."""
        answer = httpx.get(
            f"{self.server.url}{path}",
            headers={"Authorization": f"Bearer {self.api_token}"},
            trust_env=False,
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()

    def record_of(self, call_sid: str) -> dict[str, Any]:
        """The API's record of a call, by the carrier's id, once it is closed. Raises NoRecord."""
        deadline = time.monotonic() + _RECORD_WITHIN_S
        while time.monotonic() < deadline:
            calls = self.api("/api/calls?limit=50")["calls"]
            found = next((call for call in calls if call["provider_id"] == call_sid), None)
            if found is not None and found["status"] not in {"ringing", "in_progress"}:
                record: dict[str, Any] = self.api(f"/api/calls/{found['id']}")
                return record
            time.sleep(0.1)
        raise NoRecord(f"is not closed on record after {_RECORD_WITHIN_S:g} s", where=f"call {call_sid}")


@contextlib.contextmanager
def serving_process(
    flows_dir: Path, *, core: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[MeasuredServer]:
    """Start `kame-voice serve` on loopback, signed as in earnest, on `core` alone if given.

    `settings` are further environment variables. Raises NoServer with the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="kame-bench-") as folder:
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        auth_token, api_token = secrets.token_hex(16), secrets.token_hex(16)
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KAME_")},
            "KAME_PUBLIC_URL": url,
            "KAME_FLOWS_DIR": str(flows_dir),
            "KAME_DATA_DIR": f"{folder}/data",
            "KAME_API_TOKEN": api_token,
            "KAME_LOG_LEVEL": "warning",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": auth_token,
            **(settings or {}),
        }
        log = Path(folder) / "server.log"
        pin = f"import os; os.sched_setaffinity(0, {{{core}}}); " if core is not None else ""
        command = f"{pin}from kame_voice.cli import main; main()"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-c", command, "serve", "--host", "127.0.0.1", "--port", str(port)],
                env=env,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        measured = MeasuredServer(
            Server(url, auth_token=auth_token, status_path="/twilio/status"),
            api_token,
            Path(folder) / "data",
            process,
            log,
            env,
        )
        try:
            _wait_until_ready(measured)
            yield measured
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(measured: MeasuredServer) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    reason = "no answer"
    while time.monotonic() < deadline and measured.process.poll() is None:
        try:
            answer = httpx.get(f"{measured.server.url}/health/ready", trust_env=False, timeout=2)
        except httpx.HTTPError as error:
            reason = repr(error)
        else:
            if answer.is_success:
                return
            reason = answer.text
        time.sleep(0.2)
    log = measured.log.read_text(errors="replace")[-1500:]
    raise NoServer(f"not ready ({reason}); its log ends:\n{log}", where=measured.server.url)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
