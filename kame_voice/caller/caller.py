"""A caller of our own: places one call over the carrier's side of the wire and reports on it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from kame_voice.audio import g711
from kame_voice.caller.errors import ServerUnreachable, StreamRefused
from kame_voice.caller.live import LiveCall
from kame_voice.caller.media_socket import open_socket
from kame_voice.caller.rest import RestStandIn
from kame_voice.caller.result import CallResult, EndedBy, Exchange, Moment, Outcome
from kame_voice.caller.twilio_side import RATE, CallIdentity, MediaStream, sign, voice_form
from kame_voice.caller.twiml import Connect, Reject, Verb, describe, parse_twiml
from kame_voice.caller.voiced import spans
from kame_voice.caller.wire_stats import measure
from kame_voice.core.clock import Clock
from kame_voice.core.errors import KameError

__all__ = ["PhoneCaller", "Script", "Server", "follow", "report", "ring"]

Script = Callable[[LiveCall], Awaitable[None]]
"""What the caller does once the stream is up. When it returns, the caller hangs up."""

_WEBHOOK_WITHIN_S: Final = 15.0
"""Twilio's own patience with a voice webhook."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a call is placed. `url` is dialled; `public_url` is what the server is known as.

    Signatures are made over the public URL, as Twilio's are; empty means that both are the same.
    `auth_token` signs; empty: nothing is signed. `status_path` gets the status callback at the
    end; empty: none is sent.
    """

    url: str
    public_url: str = ""
    auth_token: str = ""
    voice_path: str = "/twilio/voice"
    status_path: str = ""

    @property
    def known_as(self) -> str:
        """The public URL without a trailing slash."""
        return (self.public_url or self.url).rstrip("/")

    def signature(self, url: str, form: dict[str, str] | None = None) -> dict[str, str]:
        """The headers that sign a request."""
        return {"X-Twilio-Signature": sign(self.auth_token, url, form)} if self.auth_token else {}

    def dialled(self, stream_url: str) -> str:
        """Where to find a `<Stream url>`: the public host is reached at `url`. Raises StreamRefused."""
        stream, public, own = urlsplit(stream_url), urlsplit(self.known_as), urlsplit(self.url)
        if stream.scheme not in {"ws", "wss"}:
            raise StreamRefused("must be a wss:// address (Twilio's error 31922)", where=stream_url)
        if stream.scheme == "ws" and stream.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise StreamRefused(
                "is not encrypted; Twilio opens wss:// only (its error 31922)",
                where=stream_url,
                do="set KAME_PUBLIC_URL to an https:// address",
            )
        path = stream.path or "/"
        if stream.netloc != public.netloc:
            return f"{stream.scheme}://{stream.netloc}{path}"
        return f"{'wss' if own.scheme == 'https' else 'ws'}://{own.netloc}{path}"


class PhoneCaller:
    """Calls one server as Twilio does: webhook, TwiML, media socket, status callback.

    `rest`: a stand-in for Twilio's REST API through which the server may hang up. `reads` false:
    the caller never reads what the server sends. `on_moment` sees the timeline as it happens.
    """

    def __init__(
        self,
        server: Server,
        *,
        rest: RestStandIn | None = None,
        reads: bool = True,
        on_moment: Callable[[Moment], None] | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self._server = server
        self._rest = rest
        self._reads = reads
        self._on_moment = on_moment
        self._clock = clock

    async def call(self, identity: CallIdentity, script: Script) -> CallResult:
        """Place the call, follow `script`, hang up. Refusals and failures are results, not raised.

        Raises ServerUnreachable or BadTwiml when the webhook gives nothing to follow.
        """
        began = self._clock()
        async with httpx.AsyncClient(trust_env=False, timeout=_WEBHOOK_WITHIN_S) as http:
            verbs = await ring(http, self._server, identity)
            result = await self._follow(verbs, identity, script)
            if self._server.status_path:
                status = "completed" if result.outcome is not Outcome.FAILED else "failed"
                form = voice_form(identity, status, CallDuration=str(round(self._clock() - began)))
                try:
                    await _post(http, self._server, self._server.status_path, form)
                except ServerUnreachable as error:  # the call is over: the carrier only logs this
                    result.faults.append(f"status callback: {error}")
        return result

    async def _follow(self, verbs: tuple[Verb, ...], identity: CallIdentity, script: Script) -> CallResult:
        for place, verb in enumerate(verbs):
            if isinstance(verb, Reject):
                break
            if isinstance(verb, Connect):
                rest_of_it = verbs[place + 1 :]
                try:
                    return await self._stream(verb, rest_of_it, identity, script)
                except StreamRefused as refused:
                    after = describe(rest_of_it)
                    return CallResult(
                        identity, Outcome.FAILED, f"{refused}; then the carrier {after}", afterwards=after
                    )
        return CallResult(identity, Outcome.REFUSED, describe(verbs), afterwards=describe(verbs))

    async def _stream(
        self, connect: Connect, after: tuple[Verb, ...], identity: CallIdentity, script: Script
    ) -> CallResult:
        # a query string is not part of what Twilio dials or signs (its error 31920)
        signed = connect.url.partition("?")[0]
        headers = self._server.signature(signed)
        async with open_socket(self._server.dialled(signed), headers, reads=self._reads) as socket:
            live = LiveCall(
                MediaStream(identity, connect.parameters),
                socket,
                clock=self._clock,
                reads=self._reads,
                on_moment=self._on_moment,
            )
            with contextlib.ExitStack() as stack:
                if self._rest:
                    stack.enter_context(self._rest.holding(identity, lambda: live.end(EndedBy.AGENT)))
                ended_by = await follow(live, script)
            if ended_by is EndedBy.DROPPED:
                socket.abort()
        return report(identity, live, ended_by, after)


async def ring(http: httpx.AsyncClient, server: Server, identity: CallIdentity) -> tuple[Verb, ...]:
    """The voice webhook alone: the verbs it answers. Raises ServerUnreachable or BadTwiml."""
    answer = await _post(http, server, server.voice_path, voice_form(identity))
    return parse_twiml(answer.text)


async def _post(http: httpx.AsyncClient, server: Server, path: str, form: dict[str, str]) -> httpx.Response:
    url = server.url.rstrip("/") + path
    headers = {"User-Agent": "TwilioProxy/1.1", **server.signature(server.known_as + path, form)}
    try:
        answer = await http.post(url, data=form, headers=headers)
    except httpx.HTTPError as error:
        raise ServerUnreachable(
            f"no answer ({error or type(error).__name__})", where=url, do="is the server running there?"
        ) from error
    if answer.is_success:
        return answer
    hint = "give the server's KAME_PUBLIC_URL as --public-url and its TWILIO_AUTH_TOKEN"
    raise ServerUnreachable(
        f"HTTP {answer.status_code}: {answer.text[:200].strip()}",
        where=url,
        do=hint if answer.status_code == httpx.codes.FORBIDDEN else None,
    )


async def follow(live: LiveCall, script: Script) -> EndedBy:
    """The stream and the script side by side; whichever ends first ends the other."""

    async def act() -> None:
        await script(live)
        live.hang_up()

    ended_by = EndedBy.CALLER
    try:
        async with asyncio.TaskGroup() as group:
            stream = group.create_task(live.run(), name="caller stream")
            acting = group.create_task(act(), name="caller script")
            ended_by = await stream
            acting.cancel()
    except* KameError as errors:
        raise errors.exceptions[0] from None
    return ended_by


def report(
    identity: CallIdentity, live: LiveCall, ended_by: EndedBy, after: tuple[Verb, ...] = ()
) -> CallResult:
    """What came of a call whose stream is over."""
    said = g711.decode(b"".join(live.said))
    heard = live.playback.heard(len(said))
    result = CallResult(
        identity,
        Outcome.ANSWERED,
        ended_by=ended_by,
        duration_ms=len(said) * 1000 // RATE,
        timeline=sorted(live.timeline, key=lambda moment: moment.at_ms),
        marks=live.playback.marks,
        clears_ms=[round(at_s * 1000) for at_s in live.playback.clears_s],
        faults=live.faults,
        wire=measure(live.playback, heard, live.own_late_s),
        said=said,
        heard=heard,
    )
    if ended_by is EndedBy.FAULT:
        result.outcome = Outcome.FAILED
        result.detail = f"the server broke the protocol: {'; '.join(live.faults)} (Twilio's error 31924)"
    if ended_by in {EndedBy.FAULT, EndedBy.SERVER_CLOSED}:
        result.afterwards = describe(after)
        if after and ended_by is EndedBy.SERVER_CLOSED:
            result.outcome = Outcome.FAILED
            result.detail = f"the server closed the media socket; then the carrier {result.afterwards}"
    if live.playback.arrivals:
        result.greeting_ms = round(live.playback.arrivals[0].at_s * 1000, 1)
    _add_exchanges(result, live)
    return result


def _add_exchanges(result: CallResult, live: LiveCall) -> None:
    """Find the agent's answer to each thing the caller said, exact to the sample."""
    agent = spans(result.heard)
    until = live.utterances[0].voice_start if live.utterances else len(result.heard)
    greeting = [span for span in agent if span.start < until]
    if greeting:
        result.greeting_voice_ms = round(greeting[0].start * 1000 / RATE, 1)
        result.greeting = (greeting[0].start, min(greeting[-1].end, until))
    for place, said in enumerate(live.utterances):
        follows = live.utterances[place + 1 :]
        until = follows[0].voice_start if follows else len(result.heard)
        exchange = Exchange(said.text, said.start * 1000 / RATE, said.voice_end * 1000 / RATE)
        answer = [
            span
            for span in agent
            # what sounded before the caller spoke, and stopped for them, is no answer
            if span.end > said.voice_end and span.start < until and span.start > said.voice_start
        ]
        if answer:
            exchange.gap_ms = (answer[0].start - said.voice_end) * 1000 / RATE
            exchange.answer = (answer[0].start, min(answer[-1].end, until))
        result.exchanges.append(exchange)
