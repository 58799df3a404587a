"""A server that speaks the Messages API's streaming form, and misbehaves on demand. No model inside.

By hand: `python -m kame_voice.bench.messages_server --port 8099`, then
`ANTHROPIC_BASE_URL=http://127.0.0.1:8099 ANTHROPIC_API_KEY=any kame-voice serve`. It answers from the
facts in the prompt it is sent, after 400–800 ms and at 50 tokens a second; `--mode 529` and the like
make it misbehave, for every request or for `--share` of them; `POST /mode/529` changes that while it runs,
`GET /stats` tells what it was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kame_voice.bench.messages_author import FactsAuthor
from kame_voice.bench.messages_stream import Behaviour, Mode, stream_events, usage_of

__all__ = ["Behaviour", "MessagesServer", "Mode", "messages_process", "running_server"]


_ERRORS: Final = {
    Mode.BAD_REQUEST: (400, "Bad Request", "invalid_request_error"),
    Mode.BAD_KEY: (401, "Unauthorized", "authentication_error"),
    Mode.NOT_FOUND: (404, "Not Found", "not_found_error"),
    Mode.RATE_LIMITED: (429, "Too Many Requests", "rate_limit_error"),
    Mode.SERVER_ERROR: (500, "Internal Server Error", "api_error"),
    Mode.OVERLOADED: (529, "Overloaded", "overloaded_error"),
}
_READY: Final = "listening on "
_STOP_WITHIN_S: Final = 10.0


_STATS: Final = ("requests", "finished", "left", "input_tokens", "output_tokens")
_OPENING: Final = 3
"""Events before a stream's first token."""


@dataclass
class MessagesServer:
    """Answers `POST /v1/messages`. `script` is used up first, a behaviour a request, then `usual`.

    `requests`: the JSON bodies that came, in order. `compose` writes the text from a body, in a
    thread, where a behaviour has none; its time counts towards the delay of the first token.
    `share`: how many of the requests get the usual mode; the others are answered well.
    """

    usual: Behaviour = field(default_factory=Behaviour)
    script: deque[Behaviour] = field(default_factory=deque)
    compose: Callable[[dict[str, Any]], str] | None = None
    seed: int = 0
    share: float = 1.0
    requests: list[dict[str, Any]] = field(default_factory=list)
    stats: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_STATS, 0))
    url: str = ""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._given_up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            if head.startswith("get /stats"):
                _write_json(writer, 200, "OK", self.stats)
                return
            if head.startswith("post /mode/"):
                self.usual = replace(self.usual, mode=Mode(head.split()[1].removeprefix("/mode/")))
                _write_json(writer, 200, "OK", {"mode": self.usual.mode})
                return
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            self.requests.append(body)
            self.stats["requests"] += 1
            await self._answer(writer, body, self._behaviour())
        except (ConnectionError, asyncio.IncompleteReadError):
            self.stats["left"] += 1  # the client went away: its right
        finally:
            writer.close()

    def _behaviour(self) -> Behaviour:
        if self.script:
            return self.script.popleft()
        usual = self.usual
        if self.share < 1 and self._random.random() >= self.share:
            return Behaviour(Mode.NORMAL, usual.text, usual.first_token_ms, usual.tokens_per_s)
        return usual

    async def _answer(self, writer: asyncio.StreamWriter, body: dict[str, Any], how: Behaviour) -> None:
        if how.mode in _ERRORS:
            status, reason, kind = _ERRORS[how.mode]
            error = {"type": "error", "error": {"type": kind, "message": reason}}
            _write_json(writer, status, reason, error)
            return
        if how.mode is Mode.RESET:
            writer.transport.abort()
            return
        if how.mode is Mode.HANG:
            await self._given_up.wait()
            return
        due = time.monotonic() + self._random.uniform(*how.first_token_ms) / 1000
        text = how.text or ""
        if how.text is None and self.compose is not None:
            text = await asyncio.to_thread(self.compose, body)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        usage = usage_of(body)
        self.stats["input_tokens"] += sum(usage.values())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for number, (event, token) in enumerate(stream_events(body, text, how, usage)):
            if event is None:
                await writer.drain()
                await self._given_up.wait()
                return
            if token:
                self.stats["output_tokens"] += 1
                due += 1 / how.tokens_per_s if number > _OPENING else 0.0
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            writer.write(event)
            await writer.drain()
        self.stats["finished"] += 1

    def close(self) -> None:
        """Let hanging requests go."""
        self._given_up.set()


def _write_json(writer: asyncio.StreamWriter, status: int, reason: str, content: object) -> None:
    payload = json.dumps(content).encode()
    writer.write(
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(payload)}\r\nconnection: close\r\n\r\n".encode()
        + payload
    )


@asynccontextmanager
async def running_server(
    usual: Behaviour | None = None,
    *script: Behaviour,
    port: int = 0,
    compose: Callable[[dict[str, Any]], str] | None = None,
    seed: int = 0,
    share: float = 1.0,
) -> AsyncIterator[MessagesServer]:
    """A server on loopback, on this event loop; `url` is its base URL."""
    messages = MessagesServer(usual or Behaviour(), deque(script), compose, seed, share)
    server = await asyncio.start_server(messages.serve, "127.0.0.1", port)
    messages.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        try:
            yield messages
        finally:
            messages.close()


@contextlib.contextmanager
def messages_process(*options: str, seed: int = 0) -> Iterator[str]:
    """The server as a process of its own, answering from the prompt's facts; gives its base URL.

    `options` as on the command line. Raises RuntimeError when it does not start.
    """
    command = [
        sys.executable,
        "-m",
        "kame_voice.bench.messages_server",
        "--port",
        "0",
        "--seed",
        str(seed),
        *options,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        if not told.startswith(_READY):
            raise RuntimeError(f"the stand-in for a language model did not start: {' '.join(command)}")
        yield told.removeprefix(_READY).strip()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog=f"python -m {__name__}",
    )
    parser.add_argument("--port", type=int, default=8099, help="0: any free one")
    parser.add_argument("--mode", type=Mode, default=Mode.NORMAL, choices=list(Mode))
    parser.add_argument("--share", type=float, default=1.0, help="share of requests that get --mode")
    parser.add_argument("--text", help="always this answer; left out: from the facts of the prompt")
    parser.add_argument("--first-token-ms", type=float, nargs=2, default=(400.0, 800.0))
    parser.add_argument("--tokens-per-s", type=float, default=50.0)
    parser.add_argument("--seed", type=int, default=0, help="of the delays and of --share")
    asked = parser.parse_args()
    low, high = asked.first_token_ms
    behaviour = Behaviour(asked.mode, asked.text, (low, high), asked.tokens_per_s)
    compose = FactsAuthor().write if asked.text is None else None
    async with running_server(
        behaviour, port=asked.port, compose=compose, seed=asked.seed, share=asked.share
    ) as server:
        print(f"{_READY}{server.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
