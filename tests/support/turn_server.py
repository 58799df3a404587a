"""coturn as deploy/turnserver.conf runs it, on this machine, and relaying to this machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from aioice.ice import get_host_addresses

__all__ = ["SECRET", "TurnServer", "needs_turnserver", "turn_server"]

SECRET: Final = "north"
_CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "turnserver.conf"

needs_turnserver = pytest.mark.skipif(
    shutil.which("turnserver") is None,
    reason="coturn is missing: install it (Debian: apt-get install coturn)",
)


@dataclass(frozen=True)
class TurnServer:
    """Where it listens; what it said lies in `log`."""

    address: str
    port: int
    log: Path

    @property
    def url(self) -> str:
        """For KAME_TURN_SERVERS."""
        return f"turn:{self.address}:{self.port}"

    def users(self) -> set[str]:
        """Who has had something relayed."""
        said = self.log.read_text()
        return set(re.findall(r"user <(.+?)>: incoming packet ALLOCATE processed, success", said))


@contextlib.asynccontextmanager
async def turn_server(folder: Path) -> AsyncIterator[TurnServer]:
    """Run it until the body is left; it answers when the body begins."""
    (address, *_) = get_host_addresses(use_ipv4=True, use_ipv6=False)
    port = _free_udp_port(address)
    text = _CONFIGURATION.read_text().replace("static-auth-secret=CHANGE-ME", f"static-auth-secret={SECRET}")
    mine = {
        "listening-ip": address,
        "relay-ip": address,
        "listening-port": port,
        "allowed-peer-ip": address,
        "pidfile": folder / "turnserver.pid",
        "userdb": folder / "turndb",
    }
    configuration = folder / "turnserver.conf"
    settings = "".join(f"{name}={value}\n" for name, value in mine.items())
    configuration.write_text(text.replace("listening-port=3478\n", "") + settings)
    log = folder / "turnserver.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            "turnserver", "-c", str(configuration), "--no-tls", "--no-dtls", "-v", stdout=out, stderr=out
        )
        try:
            await _answers(process, address, port, log)
            yield TurnServer(address, port, log)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _free_udp_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind((address, 0))
        return int(found.getsockname()[1])


async def _answers(process: asyncio.subprocess.Process, address: str, port: int, log: Path) -> None:
    """Ask by TCP, which it serves on the same port, until it takes a connection."""
    async with asyncio.timeout(20):
        while True:
            assert process.returncode is None, log.read_text()
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(address, port)
                writer.close()
                return
            await asyncio.sleep(0.05)
