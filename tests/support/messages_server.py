"""A server that speaks the Messages API's streaming form, and misbehaves on demand. No model inside.

By hand: `python -m tests.support.messages_server --port 8099 --mode normal --first-token-ms 600`, then
`ANTHROPIC_BASE_URL=http://127.0.0.1:8099 ANTHROPIC_API_KEY=any kame-voice serve`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Behaviour", "MessagesServer", "Mode", "running_server"]


class Mode(StrEnum):
    """How one request is answered."""

    NORMAL = "normal"
    BAD_KEY = "401"
    RATE_LIMITED = "429"
    SERVER_ERROR = "500"
    OVERLOADED = "529"
    HANG = "hang"
    """The request is taken and nothing ever comes."""
    SILENT_STREAM = "silent-stream"
    """The stream opens and no token ever comes."""
    STALL = "stall"
    """Half the tokens come, then nothing, with the connection left open."""
    CUT = "cut"
    """The connection is closed in the middle of an event's JSON."""
    OVERLOADED_LATE = "overloaded-late"
    """Half the tokens, then an `overloaded_error` event."""
    REFUSAL = "refusal"
    EMPTY = "empty"
    """A well-formed stream without a word."""


_ERRORS = {
    Mode.BAD_KEY: (401, "Unauthorized", "authentication_error"),
    Mode.RATE_LIMITED: (429, "Too Many Requests", "rate_limit_error"),
    Mode.SERVER_ERROR: (500, "Internal Server Error", "api_error"),
    Mode.OVERLOADED: (529, "Overloaded", "overloaded_error"),
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One answer. Delays in milliseconds; `first_token_ms` is drawn evenly from the two ends."""

    mode: Mode = Mode.NORMAL
    text: str = "We are open until five."
    first_token_ms: tuple[float, float] = (0.0, 0.0)
    tokens_per_s: float = 1e6


@dataclass
class MessagesServer:
    """Answers `POST /v1/messages`. `script` is used up first, a behaviour a request, then `usual`.

    `requests`: the JSON bodies that came, in order. `compose` may write the text from a body.
    """

    usual: Behaviour = field(default_factory=Behaviour)
    script: deque[Behaviour] = field(default_factory=deque)
    compose: Callable[[dict[str, Any]], str] | None = None
    seed: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._given_up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            self.requests.append(body)
            await self._answer(writer, body, self.script.popleft() if self.script else self.usual)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away: its right
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, body: dict[str, Any], how: Behaviour) -> None:
        if how.mode in _ERRORS:
            _write_error(writer, *_ERRORS[how.mode])
            return
        if how.mode is Mode.HANG:
            await self._given_up.wait()
            return
        await asyncio.sleep(self._random.uniform(*how.first_token_ms) / 1000)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        text = self.compose(body) if self.compose else how.text
        for number, (event, pause) in enumerate(_events(body, text, how)):
            if event is None:
                await writer.drain()
                await self._given_up.wait()
                return
            if pause and number:
                await asyncio.sleep(1 / how.tokens_per_s)
            writer.write(event)
            await writer.drain()

    def close(self) -> None:
        """Let hanging requests go."""
        self._given_up.set()


def _write_error(writer: asyncio.StreamWriter, status: int, reason: str, kind: str) -> None:
    payload = json.dumps({"type": "error", "error": {"type": kind, "message": reason}}).encode()
    writer.write(
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(payload)}\r\nconnection: close\r\n\r\n".encode()
        + payload
    )


def _events(body: dict[str, Any], text: str, how: Behaviour) -> list[tuple[bytes | None, bool]]:
    """The stream's events with whether the token pace holds before them; None: silence from here on."""
    usage = {"input_tokens": 100, "output_tokens": 1}
    message = {
        "id": "msg_test", "type": "message", "role": "assistant", "model": body.get("model", ""),
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    block = {"type": "text", "text": ""}
    events: list[tuple[bytes | None, bool]] = [
        (_event("message_start", message=message), False),
        (_event("content_block_start", index=0, content_block=block), False),
        (_event("ping"), False),
    ]
    if how.mode is Mode.SILENT_STREAM:
        return [*events, (None, False)]
    pieces = [piece for word in text.split(" ") for piece in (word, " ")][:-1]
    tokens: list[tuple[bytes | None, bool]] = [
        (_event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}), piece != " ")
        for piece in pieces
    ]
    half = tokens[: len(tokens) // 2]
    match how.mode:
        case Mode.STALL:
            return [*events, *half, (None, False)]
        case Mode.CUT:
            last = tokens[-1][0] or b""
            return [*events, *half, (last[: len(last) // 2], False)]
        case Mode.OVERLOADED_LATE:
            error = {"type": "overloaded_error", "message": "Overloaded"}
            return [*events, *half, (_event("error", error=error), False)]
        case Mode.EMPTY | Mode.REFUSAL:
            tokens = []
    reason = "refusal" if how.mode is Mode.REFUSAL else "end_turn"
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        *events,
        *tokens,
        (_event("content_block_stop", index=0), False),
        (_event("message_delta", delta=delta, usage={"output_tokens": len(pieces)}), False),
        (_event("message_stop"), False),
    ]


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


@asynccontextmanager
async def running_server(
    usual: Behaviour | None = None, *script: Behaviour, port: int = 0
) -> AsyncIterator[MessagesServer]:
    """A server on loopback; `url` is its base URL."""
    messages = MessagesServer(usual or Behaviour(), deque(script))
    server = await asyncio.start_server(messages.serve, "127.0.0.1", port)
    messages.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        try:
            yield messages
        finally:
            messages.close()


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--mode", type=Mode, default=Mode.NORMAL, choices=list(Mode))
    parser.add_argument("--text", default="We are open until five in the afternoon.")
    parser.add_argument("--first-token-ms", type=float, nargs=2, default=(400.0, 800.0))
    parser.add_argument("--tokens-per-s", type=float, default=50.0)
    asked = parser.parse_args()
    low, high = asked.first_token_ms
    behaviour = Behaviour(asked.mode, asked.text, (low, high), asked.tokens_per_s)
    async with running_server(behaviour, port=asked.port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
