"""uvicorn inside our own task group, so that SIGTERM drains calls instead of cutting them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final, cast

import structlog
import uvicorn

from kame_voice.app import App, build
from kame_voice.core.errors import KameError
from kame_voice.core.garbage import spare_what_stays
from kame_voice.core.settings import Settings
from kame_voice.web.prompt_http import PromptHttp
from kame_voice.web.upgrades import upgrades

__all__ = ["AddressTaken", "listen", "loop_factory", "run_until_signal", "serve", "serving"]

_FAREWELL_S: Final = 15.0
"""Time for the spoken goodbye of calls that outlast the drain."""

log = structlog.get_logger()


def _silent(_: str) -> None:
    pass


class AddressTaken(KameError):
    """The address to serve on cannot be bound."""

    code = "address-taken"


class _Server(uvicorn.Server):
    """uvicorn closes WebSockets the moment it sees SIGTERM; here signals are ours."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises AddressTaken."""
    try:
        return socket.create_server((host, port), reuse_port=False, backlog=512)
    except OSError as error:
        raise AddressTaken(
            f"cannot listen: {error.strerror or error}",
            where=f"{host}:{port}",
            do="choose another --host or --port",
        ) from error


@contextlib.asynccontextmanager
async def serving(app: App, listener: socket.socket) -> AsyncIterator[None]:
    """Serve `app` while the body runs. Leaving ends every call and all parts."""
    config = uvicorn.Config(
        app.asgi,
        log_config=None,
        access_log=False,
        lifespan="off",
        http=PromptHttp,
        ws=cast(type[asyncio.Protocol], upgrades(app.media_calls.knock)),
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        timeout_graceful_shutdown=2,
        server_header=False,
        forwarded_allow_ips=app.settings.trusted_proxies,
    )
    server = _Server(config)
    async with app.running(), asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]), name="web server")
        try:
            await server.up.wait()
            yield
        finally:
            server.should_exit = True


async def serve(app: App, listener: socket.socket, announce: Callable[[str], None] = _silent) -> None:
    """Serve until SIGTERM or SIGINT, then drain: no new calls, running ones finish, exit.

    A second signal cuts the drain short. Calls that outlast `drain_s` hear the line's goodbye.
    `announce` is told what a person at the console must know.
    """
    loop = asyncio.get_running_loop()
    first, second = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (second if first.is_set() else first).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    host, port = listener.getsockname()[:2]
    async with serving(app, listener):
        log.info("serving", host=host, port=port, lines=app.line_names, **app.describe())
        link = await asyncio.to_thread(app.accounts.set_up_link)
        if link is not None:
            log.warning("nobody can sign in yet", do="open this link once, within a day", link=link)
            announce(f"Nobody can sign in yet. Make the first admin, once, within a day:\n  {link}")
        async with asyncio.TaskGroup() as group:
            settling = group.create_task(_settle(app), name="settle")
            await first.wait()
            settling.cancel()
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


async def _settle(app: App) -> None:
    await app.ready()
    spare_what_stays()


def run_until_signal(
    settings: Settings, host: str, port: int, announce: Callable[[str], None] = _silent
) -> None:
    """Build the app and `serve` it on an event loop of its own: uvloop where it exists."""
    listener = listen(host, port)

    async def main() -> None:
        await serve(build(settings, host), listener, announce)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop, or None for the standard one (Windows)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
