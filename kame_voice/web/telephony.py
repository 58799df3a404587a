"""Where the carrier meets us: the voice webhook and status callbacks. Media sockets: `web.media_calls`."""

from __future__ import annotations

from typing import Final

import structlog
from fastapi import APIRouter, Request, Response

from kame_voice.calls.admission import Admission, Refused, Reservation
from kame_voice.calls.desk import Desk
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs import twilio_rest
from kame_voice.web.signatures import SIGNATURE_HELP, Signatures
from kame_voice.web.upgrades import MEDIA_PATH

__all__ = ["Telephony"]

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
        telemetry: Telemetry,
    ) -> None:
        self._signatures = signatures
        self._admission = admission
        self._desk = desk
        self._telemetry = telemetry
        self.router = APIRouter(prefix="/twilio", tags=["telephony"])
        self.router.post("/voice", response_class=Response, summary="Twilio: a call comes in")(self.voice)
        self.router.post("/status", response_class=Response, summary="Twilio: a call's status changed")(
            self.status
        )

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

    def _connect(self, reservation: Reservation) -> str:
        return twilio_rest.connect_stream(
            f"{self._signatures.socket_base}{MEDIA_PATH}{reservation.token}",
            otherwise_say=_APOLOGY,
            otherwise_dial=reservation.flow.overflow.number,
        )

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
