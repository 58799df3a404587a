"""`kame-voice call`: ring a server as Twilio would, talk to it, and report what the caller heard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kame_voice.caller.clip import Clip
    from kame_voice.caller.result import CallResult, Moment

__all__ = ["call", "print_moment", "print_result"]


def call(
    to: Annotated[str, typer.Option(help="Number to call, E.164.")] = "+15550100",
    from_number: Annotated[str, typer.Option("--from", help="The caller's number.")] = "+15550111",
    say: Annotated[
        list[str] | None, typer.Option(help="Something to say; again for each further thing.")
    ] = None,
    wav: Annotated[
        list[Path] | None, typer.Option(help="A sound file to say (WAV, FLAC ...), after all --say.")
    ] = None,
    url: Annotated[str, typer.Option(help="Where the server listens.")] = "http://127.0.0.1:8080",
    public_url: Annotated[
        str, typer.Option(help="The server's KAME_PUBLIC_URL, which signatures are made for; empty: --url.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Write the call as 8 kHz WAV: left what was said, right what was heard."),
    ] = None,
    json_file: Annotated[
        str, typer.Option("--json", metavar="FILE", help="Write the report as JSON; - for stdout.")
    ] = "",
    dtmf: Annotated[str, typer.Option(help="Keys to press after the last answer: 0-9, *, #, A-D.")] = "",
    barge_in_ms: Annotated[
        float | None,
        typer.Option(help="Talk over each answer but the last, this long after it began."),
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Leave by a broken connection instead of hanging up.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Do not hang up: wait for the agent's hang-up (--rest-port).")
    ] = False,
    never_read: Annotated[
        bool, typer.Option("--never-read", help="Do not read what the server sends.")
    ] = False,
    rest_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Serve a stand-in for Twilio's REST API on this loopback port for hang-ups.",
        ),
    ] = None,
    status_path: Annotated[
        str, typer.Option(help="Send the status callback there at the end; empty: none.")
    ] = "/twilio/status",
    account_sid: Annotated[str, typer.Option(envvar="TWILIO_ACCOUNT_SID", help="AccountSid sent.")] = "",
    auth_token: Annotated[
        str, typer.Option(envvar="TWILIO_AUTH_TOKEN", help="Signs requests; empty: unsigned.")
    ] = "",
    speed: Annotated[float, typer.Option(min=0.5, max=2.0, help="Pace of the caller's voice.")] = 1.0,
    pitch: Annotated[float, typer.Option(min=0.6, max=1.6, help="Pitch of the caller's voice.")] = 1.0,
    settle_ms: Annotated[
        float, typer.Option(help="Silence after which the caller takes the agent to have finished.")
    ] = 900,
    transcribe: Annotated[
        bool, typer.Option("--transcribe", help="Transcribe what the caller heard.")
    ] = False,
) -> None:
    """Place one call. Exit code 0 when it was answered, 1 when it was refused or failed."""
    from kame_voice.caller.caller import PhoneCaller, Server
    from kame_voice.caller.rest import RestStandIn, serving_rest
    from kame_voice.caller.result import Outcome
    from kame_voice.caller.scripts import Ending, Manners, conversation
    from kame_voice.caller.twilio_side import CallIdentity, new_sid

    clips = _clips(say or [], wav or [], speed, pitch)
    ending = Ending.DROP if drop else Ending.WAIT_FOR_AGENT if wait else Ending.HANG_UP
    script = conversation(
        clips, manners=Manners(settle_ms=settle_ms, barge_in_ms=barge_in_ms), dtmf=dtmf, ending=ending
    )
    quiet = json_file == "-"
    with contextlib.ExitStack() as stack:
        rest = RestStandIn(auth_token) if rest_port is not None else None
        if rest is not None:
            stack.enter_context(serving_rest(rest, rest_port or 0))
            _say(f"Twilio's REST API: KAME_TWILIO_API_URL={rest.url}", quiet)
        caller = PhoneCaller(
            Server(url, public_url, auth_token, status_path=status_path),
            rest=rest,
            reads=not never_read,
            on_moment=None if quiet else print_moment,
        )
        _say(f"{from_number} calls {to} at {url}", quiet)
        identity = CallIdentity(from_number, to, account_sid=account_sid or new_sid("AC"))
        result = asyncio.run(caller.call(identity, script))
    if transcribe:
        from kame_voice.caller.listener import Listener

        Listener().transcribe(result)
    if out is not None:
        result.write_wav(out)
    _write_json(result.to_json(), json_file)
    if not quiet:
        print_result(result)
        if out is not None:
            print(f"recording: {out} (left: said, right: heard)")
    if result.outcome is not Outcome.ANSWERED:
        print(f"kame-voice: call {result.outcome.value}: {result.detail}", file=sys.stderr)
        raise typer.Exit(1)


def _clips(say: list[str], wav: list[Path], speed: float, pitch: float) -> list[Clip]:
    from kame_voice.caller.clip import CallerVoice, clip_from_file

    clips = []
    if say:
        voice = CallerVoice(speed=speed, pitch=pitch)
        clips = [voice.speak(text) for text in say]
    return clips + [clip_from_file(path) for path in wav]


def print_moment(moment: Moment) -> None:
    """One line of a call as it happens."""
    print(f"{moment.at_ms / 1000:8.2f} s  {moment.what:<15} {moment.text}".rstrip(), flush=True)


def print_result(result: CallResult) -> None:
    """What came of it: each question with its response gap, and how even the audio was."""
    if result.greeting_text:
        print(f"greeting: {result.greeting_text}")
    for exchange in result.exchanges:
        gap = "no answer" if exchange.gap_ms is None else f"response gap {exchange.gap_ms:.0f} ms"
        print(f"{gap:>22}  {exchange.said}")
        if exchange.answer_text:
            print(f"{'':>22}  > {exchange.answer_text}")
    wire = result.wire.to_json()
    jitter = wire["jitter_ms"]["p99"]
    print(
        f"{result.outcome.value}, ended by {result.ended_by.value}, {result.duration_ms / 1000:.1f} s; "
        f"{wire['messages']} media messages, jitter p99 {'-' if jitter is None else jitter} ms, "
        f"{wire['holes']} holes"
    )


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        print(text, flush=True)


def _write_json(report: dict[str, Any], where: str) -> None:
    text = json.dumps(report, indent=2, ensure_ascii=False)
    if where == "-":
        print(text)
    elif where:
        Path(where).write_text(text + "\n", encoding="utf-8")
