"""uvicorn inside our own task group, so that SIGTERM drains calls instead of cutting them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import structlog
import uvicorn

from kame_voice.app import App
from kame_voice.core.errors import KameError

__all__ = ["AddressTaken", "loop_factory", "run_until_signal", "serve", "serving"]

_FAREWELL_S: Final = 15.0
"""Time for the spoken goodbye of calls that outlast the drain."""

log = structlog.get_logger()


class AddressTaken(KameError):
    """The address to serve on cannot be bound."""

    code = "address-taken"


class _Server(uvicorn.Server):
    """uvicorn closes WebSockets the moment it sees SIGTERM; here signals are ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), reuse_port=False, backlog=512)
    except OSError as error:
        raise AddressTaken(
            f"cannot listen: {error.strerror or error}", where=f"{host}:{port}", do="choose another --port"
        ) from error


@contextlib.asynccontextmanager
async def serving(app: App, host: str, port: int) -> AsyncIterator[int]:
    """Serve `app` while the body runs; yields the port. Leaving ends every call and all parts."""
    listener = _listen(host, port)
    config = uvicorn.Config(
        app.asgi,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = _Server(config)
    async with app.running(), asyncio.TaskGroup() as group:
        web = group.create_task(server.serve(sockets=[listener]), name="web server")
        try:
            while not server.started and not web.done():
                await asyncio.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True


async def serve(app: App, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then drain: no new calls, running ones finish, exit.

    A second signal cuts the drain short. Calls that outlast `drain_s` hear the line's goodbye.
    """
    loop = asyncio.get_running_loop()
    first, second = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (second if first.is_set() else first).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    async with serving(app, host, port) as bound:
        log.info("serving", host=host, port=bound, lines=app.line_names, **app.describe())
        await first.wait()
        app.admission.drain()
        log.info("draining", calls=app.desk.running, deadline_s=app.settings.drain_s)
        async with asyncio.TaskGroup() as group:
            hurry = group.create_task(second.wait(), name="second signal")
            idle = group.create_task(app.desk.idle(), name="last call ends")
            await asyncio.wait(
                {hurry, idle}, timeout=app.settings.drain_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not idle.done():
                app.desk.say_goodbye_to_all("drain")
                await asyncio.wait({idle}, timeout=_FAREWELL_S)
            hurry.cancel()
            idle.cancel()
    log.info("stopped", calls_cut=app.desk.running)


def run_until_signal(app: App, host: str, port: int) -> None:
    """`serve` on an event loop of its own: uvloop where it exists."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(app, host, port))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop, or None for the standard one (Windows)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
