"""Half-open requests are given up; slow answers and further requests are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from kame_voice.web.prompt_http import PromptHttp

pytestmark = pytest.mark.anyio

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
GIVEN_S = 0.2
PATIENCE_S = 20.0
"""What a busy machine is given; nothing is waited for when all is well."""


class Hasty(PromptHttp):
    within_s = GIVEN_S


class Echo(asyncio.Protocol):
    """What an upgraded connection becomes: says back what it hears."""

    def __init__(self, **_: Any) -> None:
        pass

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def slow_app(scope: Any, receive: Any, send: Any) -> None:
    """Answers what it was sent, after longer than a request may take."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await asyncio.sleep(2 * GIVEN_S)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(slow_app, log_config=None, access_log=False, lifespan="off", ws=Echo)
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: Hasty(config, ServerState(), {}), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize(
    "begun", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\n", HEAD, HEAD + b"ab"], ids=repr
)
async def test_a_request_that_is_never_whole_is_given_up(port: int, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    writer.close()


async def test_whole_requests_are_answered_however_long_that_takes(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_S):
        for body in (b"ping", b"pong"):
            writer.write(HEAD + body[:2])
            writer.write(body[2:])
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(4) == body
    writer.close()


async def test_an_upgraded_connection_lasts(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    async with asyncio.timeout(PATIENCE_S):
        writer.write(head)
        assert await reader.readexactly(len(head))
        for _ in range(4):
            await asyncio.sleep(GIVEN_S)
            writer.write(b"still here")
            assert await reader.readexactly(10) == b"still here"
    writer.close()
