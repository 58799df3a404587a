"""What is ours of Twilio's HTTP side: signatures, TwiML, and ending a call by REST.

The only file that imports `twilio`.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import stamina
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Connect, VoiceResponse

from kame_voice.core.errors import KameError

__all__ = [
    "HangUp",
    "HangUpFailed",
    "TwilioRest",
    "connect_stream",
    "say_and_dial",
    "say_and_hang_up",
    "sign",
    "signature_fits",
]

HangUp = Callable[[str], Awaitable[None]]
"""Ends the call with this CallSid at the carrier; raises HangUpFailed."""

_API_URL: Final = "https://api.twilio.com"
_API_VERSION: Final = "2010-04-01"
_PORTS: Final = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_ALREADY_OVER: Final = 20404
_TRIES: Final = 4
_WITHIN_S: Final = 8.0
_REQUEST_S: Final = 3.0


class HangUpFailed(KameError):
    """The carrier did not end a call."""

    code = "hang-up-failed"


def sign(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """The `X-Twilio-Signature` of a request to exactly `url`, as Twilio computes it.

    `form` is empty for a GET or a WebSocket upgrade.
    https://www.twilio.com/docs/usage/security#validating-requests
    """
    signature: str = RequestValidator(auth_token).compute_signature(url, dict(form))
    return signature


def signature_fits(auth_token: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    """Whether Twilio, knowing `auth_token`, signed a request to the public `url` with `form`.

    Twilio is not consistent about the port in what it signs, and its own helper takes 80 for the
    port of wss, so the URL is tried as it stands, without a port and with the scheme's own.
    Without a token nothing fits.
    """
    if not auth_token or not signature:
        return False
    given = signature.encode("utf-8", "replace")
    return any(
        hmac.compare_digest(sign(auth_token, candidate, form).encode("ascii"), given)
        for candidate in _with_and_without_port(url)
    )


def _with_and_without_port(url: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return (url,)
    default = _PORTS.get(parts.scheme)
    if port is not None and port != default:
        bare = parts.netloc.rsplit(":", 1)[0]
        return url, urlunsplit(parts._replace(netloc=bare))
    bare = parts.netloc if port is None else parts.netloc.rsplit(":", 1)[0]
    return tuple(
        url.replace(parts.netloc, netloc, 1) for netloc in (bare, f"{bare}:{default}" if default else bare)
    )


def connect_stream(
    url: str,
    *,
    parameters: Mapping[str, str] | None = None,
    otherwise_say: str | None = None,
    otherwise_dial: str | None = None,
) -> str:
    """TwiML: a two-way media stream to `url` (wss://…, without a query: Twilio drops it).

    `otherwise_*` run when the stream ends and the call does not: our socket was lost.
    """
    response = VoiceResponse()
    connect = Connect()
    stream = connect.stream(url=url)
    for name, value in (parameters or {}).items():
        stream.parameter(name=_speakable(name), value=_speakable(value))
    response.append(connect)
    _say_then(response, otherwise_say, otherwise_dial)
    return str(response)


def say_and_dial(text: str | None, number: str) -> str:
    """TwiML: speak, if there is something to say, then connect the caller with `number`."""
    response = VoiceResponse()
    _say_then(response, text, number)
    return str(response)


def say_and_hang_up(text: str) -> str:
    """TwiML: speak a sentence, then end the call."""
    response = VoiceResponse()
    _say_then(response, text, None)
    return str(response)


def _say_then(response: VoiceResponse, text: str | None, number: str | None) -> None:
    if text:
        response.say(_speakable(text))
    if number:
        response.dial(number)
    else:
        response.hangup()


def _speakable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(letter if letter >= " " or letter in "\t\n" else " " for letter in text)


class _TryAgain(Exception):
    """The carrier is busy or out of reach; another try may do."""


class TwilioRest:
    """Twilio's REST API for one account. An async context manager: it owns its connections.

    `api_url` replaces Twilio's own address (a stand-in in tests).
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        api_url: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._account_sid = account_sid
        self._client = httpx.AsyncClient(
            base_url=api_url or _API_URL,
            auth=(account_sid, auth_token),
            timeout=_REQUEST_S,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def hang_up(self, call_sid: str) -> None:
        """End a call; one that is over already (404, code 20404) is a success.

        Tried up to four times within 8 s. Raises HangUpFailed.
        """
        try:
            async with asyncio.timeout(_WITHIN_S):
                async for attempt in stamina.retry_context(
                    on=(_TryAgain, httpx.TransportError),
                    attempts=_TRIES,
                    timeout=_WITHIN_S,
                    wait_initial=0.2,
                    wait_max=2.0,
                ):
                    with attempt:
                        await self._complete(call_sid)
        except (TimeoutError, httpx.TransportError, _TryAgain) as error:
            raise HangUpFailed(
                f"Twilio cannot be reached ({error or type(error).__name__})",
                where=f"call {call_sid}",
                do="check the network and KAME_TWILIO_API_URL; the call ends when the caller hangs up",
            ) from error

    async def _complete(self, call_sid: str) -> None:
        account, call = quote(self._account_sid, safe=""), quote(call_sid, safe="")
        path = f"/{_API_VERSION}/Accounts/{account}/Calls/{call}.json"
        answer = await self._client.post(path, data={"Status": "completed"})
        if answer.is_success or answer.status_code == 404 or _code(answer) == _ALREADY_OVER:
            return
        if answer.status_code >= 500 or answer.status_code == 429:
            raise _TryAgain(f"HTTP {answer.status_code}")
        raise HangUpFailed(
            f"Twilio answers {answer.status_code}, code {_code(answer)}",
            where=f"call {call_sid}",
            do="check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
        )


def _code(answer: httpx.Response) -> int | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else None
