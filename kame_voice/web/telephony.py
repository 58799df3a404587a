"""Where the carrier meets us: the voice webhook, status callbacks and the media socket."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from kame_voice.calls.admission import Admission, Refused, Reservation
from kame_voice.calls.desk import Desk
from kame_voice.core.clock import Clock
from kame_voice.core.errors import KameError
from kame_voice.core.settings import Settings
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs import twilio_rest
from kame_voice.legs.twilio import SocketClosed, TwilioLeg, open_stream
from kame_voice.legs.twilio_wire import WireError

__all__ = ["Telephony", "router"]

_START_WITHIN_S: Final = 10.0
_POLICY_VIOLATION: Final = 1008
_UNKNOWN_NUMBER: Final = "Sorry, this number is not in service. Goodbye."
_APOLOGY: Final = "We are sorry, something went wrong on our side. Please call again."
_OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Twilio's CallStatus values after which a call is over."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Telephony:
    """What the routes need of the process."""

    settings: Settings
    admission: Admission
    desk: Desk
    hang_up: twilio_rest.HangUp
    telemetry: Telemetry
    clock: Clock


class WebSocketText:
    """A starlette WebSocket as the text socket that the leg speaks over."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive_text(self) -> str:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise SocketClosed
        text = message.get("text")
        return text if text is not None else message["bytes"].decode("utf-8", "replace")

    async def send_text(self, text: str) -> None:
        try:
            await self._websocket.send({"type": "websocket.send", "text": text})
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise SocketClosed from error

    async def close(self, code: int) -> None:
        try:
            await self._websocket.send({"type": "websocket.close", "code": code})
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise SocketClosed from error


def router(parts: Telephony) -> APIRouter:
    """The carrier's routes."""
    routes = APIRouter(prefix="/twilio", tags=["telephony"])

    @routes.post("/voice", response_class=Response, summary="Twilio: a call comes in")
    async def voice(request: Request) -> Response:
        form = await _signed_form(request)
        if form is None:
            return _forbidden("voice webhook")
        missing = [name for name in ("CallSid", "From", "To") if not form.get(name)]
        if missing:
            return Response(f"missing form field: {', '.join(missing)}", 400, media_type="text/plain")
        answer = await parts.admission.admit(
            provider_id=form["CallSid"], from_number=form["From"], to_number=form["To"]
        )
        return Response(_twiml(answer), media_type="application/xml")

    @routes.post("/status", response_class=Response, summary="Twilio: a call's status changed")
    async def status(request: Request) -> Response:
        form = await _signed_form(request)
        if form is None:
            return _forbidden("status callback")
        call_sid, call_status = form.get("CallSid", ""), form.get("CallStatus", "")
        if call_status in _OVER:
            await parts.admission.abandon(call_sid)
            parts.desk.carrier_ended(call_sid, call_status)
        return Response(status_code=204)

    @routes.websocket("/media/{token}")
    async def media(websocket: WebSocket, token: str) -> None:
        if not _upgrade_is_signed(websocket):
            await _refuse(websocket, "signature")
            return
        reservation = parts.admission.claim(token)
        if reservation is None:
            await _refuse(websocket, "token")
            return
        await websocket.accept()
        await _carry(websocket, reservation)

    async def _carry(websocket: WebSocket, reservation: Reservation) -> None:
        socket = WebSocketText(websocket)
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                start = await open_stream(socket)
        except (TimeoutError, SocketClosed, WireError) as error:
            log.warning("no media stream", call_id=reservation.call.id, error=repr(error))
            parts.telemetry.calls.labels("failed").inc()
            await reservation.slot.release()
            await _close_quietly(socket)
            return
        if start.call_sid != reservation.call.provider_id:
            parts.telemetry.wire_refused.labels("foreign-call").inc()
            log.warning("socket of another call", call_id=reservation.call.id, got=start.call_sid)
            await reservation.slot.release()
            await _close_quietly(socket)
            return
        leg = TwilioLeg(socket, start, hang_up=parts.hang_up, telemetry=parts.telemetry, clock=parts.clock)
        try:
            await parts.desk.answer(reservation, leg)
        finally:
            await _close_quietly(socket)

    async def _close_quietly(socket: WebSocketText) -> None:
        try:
            await socket.close(1000)
        except SocketClosed:
            log.debug("socket was closed already")

    async def _refuse(websocket: WebSocket, reason: str) -> None:
        parts.telemetry.wire_refused.labels(reason).inc()
        log.warning("media socket refused", reason=reason)
        await websocket.close(_POLICY_VIOLATION)

    def _forbidden(what: str) -> Response:
        parts.telemetry.wire_refused.labels("signature").inc()
        log.warning("request refused", what=what, reason="signature", do=_SIGNATURE_HELP)
        return Response(f"X-Twilio-Signature does not fit. {_SIGNATURE_HELP}", 403, media_type="text/plain")

    async def _signed_form(request: Request) -> dict[str, str] | None:
        body = (await request.body()).decode("utf-8", "replace")
        form = dict(parse_qsl(body, keep_blank_values=True))
        if not parts.settings.twilio_signatures:
            return form if _from_loopback(request.client) else None
        ok = twilio_rest.signature_fits(
            parts.settings.twilio_auth_token.get_secret_value(),
            parts.settings.public_url + _path_and_query(request.url.path, request.url.query),
            form,
            request.headers.get("x-twilio-signature", ""),
        )
        return form if ok else None

    def _upgrade_is_signed(websocket: WebSocket) -> bool:
        if not parts.settings.twilio_signatures:
            return _from_loopback(websocket.client)
        return twilio_rest.signature_fits(
            parts.settings.twilio_auth_token.get_secret_value(),
            media_base(parts.settings) + _path_and_query(websocket.url.path, websocket.url.query),
            {},
            websocket.headers.get("x-twilio-signature", ""),
        )

    def _twiml(answer: Reservation | Refused) -> str:
        if isinstance(answer, Reservation):
            return twilio_rest.connect_stream(
                f"{media_base(parts.settings)}/twilio/media/{answer.token}",
                otherwise_say=_APOLOGY,
                otherwise_dial=answer.flow.overflow.number,
            )
        if answer.flow is None:
            return twilio_rest.say_and_hang_up(_UNKNOWN_NUMBER)
        overflow = answer.flow.overflow
        if overflow.number is not None:
            return twilio_rest.say_and_dial(None, overflow.number)
        return twilio_rest.say_and_hang_up(overflow.say)

    return routes


_SIGNATURE_HELP: Final = (
    "Set KAME_PUBLIC_URL to the exact address that Twilio calls, and TWILIO_AUTH_TOKEN to the account's token."
)


class UnsignedInPublic(KameError):
    """Signatures are switched off although strangers could reach the server."""

    code = "unsigned-in-public"


def media_base(settings: Settings) -> str:
    """The public URL as the WebSocket scheme has it (wss:// for https://)."""
    return "ws" + settings.public_url.removeprefix("http")


def _path_and_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _from_loopback(client: object) -> bool:
    host = getattr(client, "host", None)
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
