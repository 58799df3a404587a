"""Where the carrier meets us: the voice webhook, status callbacks and the media socket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response
from starlette.websockets import WebSocket

from kame_voice.calls.admission import Admission, Refused, Reservation
from kame_voice.calls.desk import Desk
from kame_voice.core.clock import Clock
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs import twilio_rest
from kame_voice.legs.socket import SocketClosed
from kame_voice.legs.twilio import TwilioLeg, open_stream
from kame_voice.legs.twilio_wire import StreamStart, WireError
from kame_voice.web.signatures import SIGNATURE_HELP, Signatures
from kame_voice.web.text_socket import WebSocketText

__all__ = ["Telephony"]

_START_WITHIN_S: Final = 10.0
_NORMAL: Final = 1000
_POLICY_VIOLATION: Final = 1008
_UNKNOWN_NUMBER: Final = "Sorry, this number is not in service. Goodbye."
_APOLOGY: Final = "We are sorry, something went wrong on our side. Please call again."
_OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Twilio's CallStatus values after which a call is over."""

log = structlog.get_logger()


class Telephony:
    """The carrier's routes, under `/twilio`."""

    def __init__(
        self,
        signatures: Signatures,
        admission: Admission,
        desk: Desk,
        hang_up: twilio_rest.HangUp,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._signatures = signatures
        self._admission = admission
        self._desk = desk
        self._hang_up = hang_up
        self._telemetry = telemetry
        self._clock = clock
        self.router = APIRouter(prefix="/twilio", tags=["telephony"])
        self.router.post("/voice", response_class=Response, summary="Twilio: a call comes in")(self.voice)
        self.router.post("/status", response_class=Response, summary="Twilio: a call's status changed")(
            self.status
        )
        self.router.websocket("/media/{token}")(self.media)

    async def voice(self, request: Request) -> Response:
        """Take a slot and tell the carrier where to connect; or say why not."""
        form = await self._signatures.form(request)
        if form is None:
            return self._forbidden("voice webhook")
        missing = [name for name in ("CallSid", "From", "To") if not form.get(name)]
        if missing:
            return Response(f"missing form field: {', '.join(missing)}", 400, media_type="text/plain")
        answer = await self._admission.admit(
            provider_id=form["CallSid"], from_number=form["From"], to_number=form["To"]
        )
        twiml = _refusal(answer) if isinstance(answer, Refused) else self._connect(answer)
        return Response(twiml, media_type="application/xml")

    async def status(self, request: Request) -> Response:
        """Close a call that the carrier reports as over, whatever its socket does."""
        form = await self._signatures.form(request)
        if form is None:
            return self._forbidden("status callback")
        call_sid, call_status = form.get("CallSid", ""), form.get("CallStatus", "")
        if call_status in _OVER:
            await self._admission.abandon(call_sid)
            self._desk.carrier_ended(call_sid, call_status)
        return Response(status_code=204)

    async def media(self, websocket: WebSocket, token: str) -> None:
        """Carry one call's audio. Signature and token are checked before the upgrade is accepted."""
        if not self._signatures.upgrade(websocket):
            await self._refuse(websocket, "signature")
            return
        reservation = self._admission.claim(token)
        if reservation is None:
            await self._refuse(websocket, "token")
            return
        await websocket.accept()
        socket = WebSocketText(websocket)
        try:
            start = await self._opened(socket, reservation)
            if start is None:
                await self._admission.give_up(reservation, "no media stream")
                return
            leg = TwilioLeg(
                socket, start, hang_up=self._hang_up, telemetry=self._telemetry, clock=self._clock
            )
            await self._desk.answer(reservation, leg)
        finally:
            with contextlib.suppress(SocketClosed):
                await socket.close(_NORMAL)

    async def _opened(self, socket: WebSocketText, reservation: Reservation) -> StreamStart | None:
        """The stream's start, if it comes in time and is this call's."""
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                start = await open_stream(socket)
        except (TimeoutError, SocketClosed, WireError) as error:
            if isinstance(error, WireError):
                self._telemetry.wire_malformed.inc()
            log.warning("no media stream", call_id=reservation.call.id, error=str(error) or repr(error))
            return None
        if start.call_sid != reservation.call.provider_id:
            self._telemetry.wire_refused.labels("foreign-call").inc()
            log.warning("socket of another call", call_id=reservation.call.id, got=start.call_sid)
            return None
        return start

    def _connect(self, reservation: Reservation) -> str:
        return twilio_rest.connect_stream(
            f"{self._signatures.socket_base}/twilio/media/{reservation.token}",
            otherwise_say=_APOLOGY,
            otherwise_dial=reservation.flow.overflow.number,
        )

    async def _refuse(self, websocket: WebSocket, reason: str) -> None:
        self._telemetry.wire_refused.labels(reason).inc()
        log.warning("media socket refused", reason=reason)
        await websocket.close(_POLICY_VIOLATION)

    def _forbidden(self, what: str) -> Response:
        self._telemetry.wire_refused.labels("signature").inc()
        log.warning("request refused", what=what, reason="signature", do=SIGNATURE_HELP)
        return Response(f"X-Twilio-Signature does not fit. {SIGNATURE_HELP}", 403, media_type="text/plain")


def _refusal(answer: Refused) -> str:
    if answer.flow is None:
        return twilio_rest.say_and_hang_up(_UNKNOWN_NUMBER)
    overflow = answer.flow.overflow
    if overflow.number is not None:
        return twilio_rest.say_and_dial(None, overflow.number)
    return twilio_rest.say_and_hang_up(overflow.say)
