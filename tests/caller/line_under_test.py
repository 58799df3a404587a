"""A small server that speaks the other side of the wire, as each test wants it to."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["LineUnderTest", "Stream", "greet_and_answer", "serving"]


class Stream:
    """The server's end of one media socket; keeps what came."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.messages: list[dict[str, Any]] = []
        self.sid = ""

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.receive_text())
        self.messages.append(message)
        return message

    async def until(self, event: str) -> dict[str, Any]:
        while (message := await self.receive())["event"] != event:
            pass
        return message

    async def opened(self) -> dict[str, Any]:
        start = await self.until("start")
        self.sid = start["streamSid"]
        return start

    async def play(self, audio: bytes) -> None:
        for at in range(0, len(audio), 160):
            payload = base64.b64encode(audio[at : at + 160]).decode()
            await self.send("media", media={"payload": payload})

    async def mark(self, name: str) -> None:
        await self.send("mark", mark={"name": name})

    async def send(self, event: str, **body: Any) -> None:
        await self.socket.send_text(json.dumps({"event": event, "streamSid": self.sid, **body}))


async def greet_and_answer(stream: Stream, voice: bytes = b"\x10" * 1600) -> None:
    """Plays `voice` as a greeting, and again whenever the caller has spoken."""
    await stream.opened()
    await stream.play(voice)
    spoken = False
    while (message := await stream.receive())["event"] != "stop":
        if message["event"] == "media":
            voiced = bool(base64.b64decode(message["media"]["payload"]).strip(b"\xff"))
            if spoken and not voiced:
                await stream.play(voice)
            spoken = voiced


Behaviour = Callable[[Stream], Awaitable[None]]


async def _listen(stream: Stream) -> None:
    await stream.until("stop")


@dataclass
class LineUnderTest:
    """What the server answers and does, and what it was asked."""

    twiml: str = '<Response><Connect><Stream url="{ws}/media/token"/></Connect></Response>'
    behaviour: Behaviour = _listen
    accepts: bool = True
    webhook_status: int = 200
    url: str = ""
    forms: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    upgrades: list[dict[str, str]] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    endings: list[int] = field(default_factory=list)

    async def webhook(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.forms.append((request.url.path, form, request.headers.get("x-twilio-signature", "")))
        twiml = self.twiml.replace("{ws}", self.url.replace("http", "ws", 1))
        if self.webhook_status != 200:
            return PlainTextResponse("X-Twilio-Signature does not fit.", self.webhook_status)
        return Response(twiml, media_type="application/xml")

    async def media(self, socket: WebSocket) -> None:
        self.upgrades.append(dict(socket.headers))
        if not self.accepts:
            await socket.close(1008)
            return
        await socket.accept()
        stream = Stream(socket)
        self.streams.append(stream)
        try:
            await self.behaviour(stream)
            while True:
                await stream.receive()
        except WebSocketDisconnect as gone:
            self.endings.append(gone.code)
        except RuntimeError:
            self.endings.append(0)  # closed by the behaviour itself


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def serving(line: LineUnderTest) -> AsyncIterator[LineUnderTest]:
    app = Starlette(
        routes=[
            Route("/twilio/{path:path}", line.webhook, methods=["POST"]),
            WebSocketRoute("/media/{token}", line.media),
        ]
    )
    started = asyncio.Event()

    class Server(_Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(), name="line under test")
        await started.wait()
        line.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield line
        server.should_exit = True
