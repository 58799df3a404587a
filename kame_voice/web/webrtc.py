"""Calls from browsers: an SDP offer is answered, and its call carried on after the answer is sent.

docs/webrtc.md is the protocol, for whoever writes a page of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable
from typing import Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from kame_voice.accounts.viewer import Viewer
from kame_voice.calls.admission import Admission, Refusal, Refused, Reservation
from kame_voice.calls.desk import Desk
from kame_voice.calls.live import LiveCalls
from kame_voice.calls.live_events import as_json
from kame_voice.core.clock import Clock
from kame_voice.core.errors import KameError
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.schema import Flow
from kame_voice.legs.webrtc import WebRtcLeg
from kame_voice.legs.webrtc_peer import Peer, PeerGone, check_offer
from kame_voice.web.auth.gate import gate_of
from kame_voice.web.auth.viewer import OptionalViewer
from kame_voice.web.browser_door import PUBLIC_CALLER, STAFF_CALLER, BrowserDoor, BrowserRefused, ForeignSite
from kame_voice.web.ice import IceServers

__all__ = ["CallNotTaken", "WebRtcCalls"]

_CONNECT_WITHIN_S: Final = 10.0
_FREE_WITHIN_S: Final = 5.0
_CLIENT_CLOSED_REQUEST: Final = 499
"""Nobody reads this answer; proxies' logs know the number."""

log = structlog.get_logger()


class CallNotTaken(BrowserRefused):
    """A call from a browser finds no free place, or no line. `code` says which, per instance.

    Codes: `unknown-line`, `full`, `not-ready`, `draining`. The words are the line's own overflow.
    """

    code = "call-not-taken"

    def __init__(self, refused: Refused) -> None:
        say = refused.flow.overflow.say if refused.flow is not None else None
        super().__init__(say or _WHY[refused.why], do=_DO[refused.why])
        self.code = refused.why.value
        self.status = 404 if refused.why is Refusal.UNKNOWN_LINE else 503


_WHY: Final = {
    Refusal.UNKNOWN_LINE: "there is no such line",
    Refusal.UNKNOWN_NUMBER: "there is no such number",
    Refusal.FULL: "all our lines are busy",
    Refusal.NOT_READY: "the server is not ready yet",
    Refusal.DRAINING: "the server is shutting down",
}
_DO: Final = {
    Refusal.UNKNOWN_LINE: "check the line's name",
    Refusal.UNKNOWN_NUMBER: "check the number",
    Refusal.FULL: "try again in a few minutes",
    Refusal.NOT_READY: "try again in a moment",
    Refusal.DRAINING: "try again in a minute",
}


class Wish(BaseModel):
    """Which line a browser wants to call."""

    line: Annotated[str, Field(max_length=64, description="Name of the line to be called.")]
    widget_pass: Annotated[str | None, Field(max_length=1024, description="Of a call button's frame.")] = None


class Offer(Wish):
    """What a browser sends to place a call."""

    sdp: Annotated[str, Field(max_length=65_536, description="`createOffer()`'s SDP, candidates included.")]
    type: Literal["offer"] = "offer"


class Answer(BaseModel):
    """What it gets. `token` ends this call by `DELETE /webrtc/calls/{token}`."""

    call_id: str
    token: str
    sdp: str
    type: Literal["answer"] = "answer"


class WebRtcCalls:
    """The browser's routes, under `/webrtc`, and the calls that came by them. `run` owns the calls."""

    def __init__(
        self,
        admission: Admission,
        desk: Desk,
        live_calls: LiveCalls,
        ice: IceServers,
        telemetry: Telemetry,
        clock: Clock,
        door: BrowserDoor,
        connect_within_s: float = _CONNECT_WITHIN_S,
    ) -> None:
        self.connect_within_s = connect_within_s
        self._door = door
        self._admission = admission
        self._desk = desk
        self._live_calls = live_calls
        self._ice = ice
        self._telemetry = telemetry
        self._clock = clock
        self._ringing: dict[str, asyncio.Task[None]] = {}
        self._legs: dict[str, WebRtcLeg] = {}
        self._group = asyncio.TaskGroup()
        self.router = APIRouter(prefix="/webrtc", tags=["browser calls"])
        self.router.post("/ice", summary="ICE servers for one call")(self.ice)
        self.router.post("/offer", summary="Place a call from a browser")(self.offer)
        self.router.delete("/calls/{token}", status_code=204, summary="The caller hangs up")(self.hang_up)

    @property
    def running(self) -> frozenset[str]:
        """The tokens of the calls that are connected."""
        return frozenset(self._legs)

    async def run(self) -> None:
        """Own the calls; runs until cancelled, which ends them all."""
        async with self._group:
            await asyncio.Event().wait()

    async def ice(self, wish: Wish, request: Request, viewer: OptionalViewer) -> dict[str, Any]:
        """For `new RTCPeerConnection(…)`: STUN servers, and TURN servers with a password for this call.

        Told to those only whose call would be taken: a relay is worth stealing.
        """
        flow, staff = self._who(wish, request, viewer)
        await self._door.check(flow, address=_address(request), staff=staff, widget_pass=wish.widget_pass)
        return {"iceServers": self._ice.for_call(time.time(), uuid.uuid4().hex[:8])}

    async def offer(self, offer: Offer, request: Request, viewer: OptionalViewer) -> Answer:
        """Take a slot, then answer; the greeting comes as soon as sound can flow."""
        flow, staff = self._who(offer, request, viewer)
        address, call = _address(request), f"webrtc-{uuid.uuid4().hex}"
        async with self._door.admit(
            flow, call=call, address=address, staff=staff, widget_pass=offer.widget_pass
        ):
            check_offer(offer.sdp)
            name = f"{STAFF_CALLER}{viewer.name}" if viewer and staff else f"{PUBLIC_CALLER}{address}"
            reservation = await self._reserve(call, name, offer.line)
            peer = Peer(self._ice.stun_urls)
            try:
                answer = await _while_there(request, peer.answer(offer.sdp))
            except BaseException as error:
                await asyncio.shield(self._give_up(peer, reservation, error))
                raise
        self._ringing[reservation.token] = self._group.create_task(
            self._carry(peer, reservation, staff=staff), name=f"browser call {reservation.call.id}"
        )
        return Answer(call_id=reservation.call.id, token=reservation.token, sdp=answer)

    async def hang_up(self, token: str) -> Response:
        """The caller ends the call, in case the page cannot say so over the data channel."""
        leg, ringing = self._legs.get(token), self._ringing.get(token)
        if leg is not None:
            leg.caller_hung_up()
        elif ringing is not None:
            ringing.cancel()
            await asyncio.wait([ringing], timeout=_FREE_WITHIN_S)
        else:
            raise HTTPException(404, "There is no such call (any more).")
        return Response(status_code=204)

    def _who(self, wish: Wish, request: Request, viewer: Viewer | None) -> tuple[Flow, bool]:
        """The line that is called, and whether by staff. Raises ForeignSite or UnknownLine."""
        if not gate_of(request).is_ours(request):
            raise ForeignSite("this page is not one of ours", do="use the call button: docs/talk.md")
        flow = self._door.line(wish.line)
        return flow, viewer is not None and viewer.may_see(flow.customer)

    async def _reserve(self, provider_id: str, caller: str, line: str) -> Reservation:
        """A slot for a call. Raises CallNotTaken."""
        admitted = await self._admission.admit(
            provider_id=provider_id, from_number=caller, to_number=f"browser:{line}", line=line
        )
        if isinstance(admitted, Refused):
            raise CallNotTaken(admitted)
        reservation = self._admission.claim(admitted.token)
        assert reservation is not None, "nobody else has the token yet"
        return reservation

    async def _carry(self, peer: Peer, reservation: Reservation, *, staff: bool) -> None:
        try:
            await self._talk(peer, reservation, staff=staff)
        finally:
            self._door.over(reservation.call.provider_id)

    async def _talk(self, peer: Peer, reservation: Reservation, *, staff: bool) -> None:
        call_id, token = reservation.call.id, reservation.token
        leg = WebRtcLeg(
            peer,
            telemetry=self._telemetry,
            clock=self._clock,
            news=lambda: self._news(call_id, staff=staff),
        )
        try:
            await peer.connected(self.connect_within_s)
        except (PeerGone, asyncio.CancelledError) as error:
            await asyncio.shield(self._give_up(peer, reservation, error))
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        finally:
            self._ringing.pop(token, None)
        self._legs[token] = leg
        try:
            await self._desk.answer(reservation, leg)
        except Exception:  # the boundary of a call: a fault of its transport ends it alone
            log.exception("browser call failed", call_id=call_id)
        finally:
            del self._legs[token]

    async def _give_up(self, peer: Peer, reservation: Reservation, error: BaseException) -> None:
        """Free the place first: to close a connection that is only coming about may take seconds."""
        why = error.what if isinstance(error, KameError) else "the browser was gone"
        try:
            await self._admission.give_up(reservation, why)
        finally:
            await peer.close()

    @contextlib.asynccontextmanager
    async def _news(self, call_id: str, *, staff: bool) -> AsyncIterator[AsyncIterator[str]]:
        """What happens on the call, each event as the text of one message."""
        live = self._live_calls.get(call_id)
        if live is None:
            yield _nothing()
            return
        async with live.subscribe(staff=staff) as events:
            yield (json.dumps(as_json(event)) async for event in events)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def _while_there(request: Request, answer: Awaitable[str]) -> str:
    """`answer`, given up as soon as the browser has closed its request. Raises HTTPException then."""
    try:
        async with asyncio.TaskGroup() as group:
            leaving = group.create_task(_left(request), name="is the browser still there")
            text = await answer
            leaving.cancel()
            return text
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise HTTPException(_CLIENT_CLOSED_REQUEST)


async def _nothing() -> AsyncIterator[str]:
    return
    yield
