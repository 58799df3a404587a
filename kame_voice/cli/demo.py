"""`kame-voice demo`: one real call over the real wire, on loopback, shown as it happens."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from kame_voice.cli.ctrl_c import ctrl_c_as_key

if TYPE_CHECKING:
    import socket

    from kame_voice.app import App
    from kame_voice.caller.clip import Clip
    from kame_voice.caller.result import CallResult
    from kame_voice.store.calls import CallDetail, CallTurn

__all__ = ["demo"]

_TO: Final = "+15550100"
_FROM: Final = "+15550111"
_QUESTIONS: Final = (
    "Hi, are you open on Saturday?",
    "And how much is a cleaning?",
    "Where can I park my car?",
)
_PORT: Final = 8080
"""Where the server stays up in a terminal, if nobody else is there: easy to type on a phone."""
_LOOK_EVERY_S: Final = 0.2
_SETTLED_S: Final = 0.8
"""A turn that has not changed for this long is shown."""


def demo(
    say: Annotated[list[str] | None, typer.Option(help="What the caller says instead; repeatable.")] = None,
    to: Annotated[str, typer.Option(help="The number to call; a flow must name it.")] = _TO,
    data_dir: Annotated[Path, typer.Option(help="Where the call is kept.")] = Path("data"),
) -> None:
    """Start the server, ring it, ask questions, hang up; print transcript, gaps and recording.

    In a terminal the server then stays up, for calls from the browser, until Ctrl-C.
    """
    from kame_voice.caller.clip import CallerVoice
    from kame_voice.core.logs import configure_logs
    from kame_voice.server import loop_factory

    configure_logs("error", "console")
    print("Loading voice, speech to text and flows ...", flush=True)
    voice = CallerVoice(pitch=1.15)
    clips = [voice.speak(text) for text in say or _QUESTIONS]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_demo(clips, to, data_dir, stay=sys.stdin.isatty() and sys.stdout.isatty()))


async def _demo(clips: list[Clip], to: str, data_dir: Path, *, stay: bool) -> None:
    from kame_voice.app import build
    from kame_voice.caller.caller import PhoneCaller, Server
    from kame_voice.caller.result import Outcome
    from kame_voice.caller.scripts import conversation
    from kame_voice.caller.twilio_side import CallIdentity, new_sid
    from kame_voice.core.settings import load_settings
    from kame_voice.server import serving

    listener = _listen(_PORT if stay else 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    token = secrets.token_hex(16)
    settings = load_settings(
        public_url=url, data_dir=data_dir, twilio_account_sid=new_sid("AC"), twilio_auth_token=token
    )
    app = build(settings, "127.0.0.1")
    async with serving(app, listener):
        await app.ready()
        identity = CallIdentity(_FROM, to, account_sid=settings.twilio_account_sid)
        print(f"{_FROM} calls {to} at {url}: signed webhook, TwiML, signed media socket\n", flush=True)
        server = Server(url, url, token, status_path="/twilio/status")
        async with asyncio.TaskGroup() as group:
            show = group.create_task(_show(app, identity.call_sid), name="show transcript")
            result = await PhoneCaller(server).call(identity, conversation(clips))
            await show
        if result.outcome is not Outcome.ANSWERED:
            print(f"\nThe call was {result.outcome.value}: {result.detail}")
            raise typer.Exit(1)
        _sum_up(app, result, show.result(), data_dir)
        if stay:
            link = await asyncio.to_thread(app.accounts.set_up_link)
            await _stay_up(url, f"{url}/calls/{show.result().id}", link)


def _listen(port: int) -> socket.socket:
    """On `port`, or on a free one where it is taken."""
    from kame_voice.server import AddressTaken, listen

    try:
        return listen("127.0.0.1", port)
    except AddressTaken:
        return listen("127.0.0.1", 0)


async def _stay_up(url: str, call_page: str, set_up_link: str | None) -> None:
    """Leave the server to whoever opens its pages, until Ctrl-C or SIGTERM.

    `set_up_link`: makes the first account, where nobody has one yet.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    print("\nNow you, in your browser:\n")
    print(f"  call a line    {url}/talk")
    print(f"  this call      {call_page}")
    if set_up_link:
        print(f"  sign in first  {set_up_link}  (once: makes your account)")
    print()
    print("The server stays up. Ctrl-C stops it.", flush=True)
    with ctrl_c_as_key(stop.set):
        await stop.wait()
    print("\nStopped.", flush=True)


async def _show(app: App, call_sid: str) -> CallDetail:
    """Print each turn of the call's record once it has settled; returns the call when it is over."""
    shown: set[int] = set()
    last_change: dict[int, tuple[CallTurn, float]] = {}
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        call = await asyncio.to_thread(_find, app, call_sid)
        if call is None:
            continue
        over = call.status not in ("ringing", "in_progress")
        for number, turn in enumerate(call.turns):
            known = last_change.get(number)
            if known is None or known[0] != turn:
                last_change[number] = (turn, loop.time())
            settled = over or loop.time() - last_change[number][1] >= _SETTLED_S
            if number not in shown and turn.text and settled:
                shown.add(number)
                _print_turn(call, number)
        if over:
            return call


def _find(app: App, call_sid: str) -> CallDetail | None:
    calls = app.archive.calls.list(limit=5).calls
    found = next((call.id for call in calls if call.provider_id == call_sid), None)
    return app.archive.calls.get(found) if found else None


def _print_turn(call: CallDetail, number: int) -> None:
    turn = call.turns[number]
    before = call.turns[number - 1] if number else None
    gap = ""
    answers = turn.speaker == "agent" and before is not None and before.speaker == "caller"
    if before is not None and answers and turn.start_ms > before.end_ms:
        gap = f"   [{(turn.start_ms - before.end_ms) / 1000:.2f} s after the caller's last word]"
    cut = "" if turn.speaker == "caller" or turn.heard_text == turn.text else "  (cut off)"
    print(f"{turn.start_ms / 1000:7.2f} s  {turn.speaker:<7} {turn.text}{cut}{gap}", flush=True)


def _sum_up(app: App, result: CallResult, call: CallDetail, data_dir: Path) -> None:
    print("\nResponse gaps, as the caller's side heard them (last voiced sample to first):")
    for exchange in result.exchanges:
        gap = "no answer" if exchange.gap_ms is None else f"{exchange.gap_ms:.0f} ms"
        print(f"{gap:>12}  {exchange.said}")
    path = app.archive.recordings.path_of(call.id)
    place = "" if data_dir == Path("data") else f"KAME_DATA_DIR={data_dir} "
    print(f"\nrecording   {path}  (left: caller, right: agent)")
    print(f"the call    {place}.venv/bin/kame-voice calls show {call.id[:8]}")
