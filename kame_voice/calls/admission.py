"""Who is let in: a slot is taken before a call is answered, and kept for its one socket."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from kame_voice.core.clock import Clock
from kame_voice.core.nouns import CallInfo
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.schema import Flow
from kame_voice.front_end.base import FrontEnd, NoFreeSlot, Slot
from kame_voice.store.rows import CallStatus

__all__ = ["Admission", "NoteUnanswered", "Refusal", "Refused", "Reservation"]

NoteUnanswered = Callable[[CallInfo, Flow, CallStatus, str], None]
"""Put a call that was never answered on record: its status and the reason. Must not block."""

_SOCKET_WITHIN_S: Final = 15.0
"""Twilio opens the media socket well within this after our TwiML; else the caller is gone."""

log = structlog.get_logger()


class Refusal(StrEnum):
    """Why a call is not taken."""

    UNKNOWN_NUMBER = "unknown-number"
    UNKNOWN_LINE = "unknown-line"
    FULL = "full"
    NOT_READY = "not-ready"
    DRAINING = "draining"


_REASONS: Final = {
    Refusal.FULL: "every slot was taken",
    Refusal.NOT_READY: "the server was not ready",
    Refusal.DRAINING: "the server was shutting down",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A call not taken; `flow` where the line is known, so that its overflow can speak."""

    why: Refusal
    flow: Flow | None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A slot kept for one call until its socket claims it with `token`, once."""

    call: CallInfo
    flow: Flow
    slot: Slot
    token: str
    expires: float


class Admission:
    """The door of the process: free slots, reservations, draining."""

    def __init__(
        self,
        front_end: FrontEnd,
        flows: FlowDirectory,
        telemetry: Telemetry,
        clock: Clock,
        note_unanswered: NoteUnanswered = lambda *_: None,
    ) -> None:
        self._note_unanswered = note_unanswered
        self._front_end = front_end
        self._flows = flows
        self._telemetry = telemetry
        self._clock = clock
        self._reserved: dict[str, Reservation] = {}
        self._draining = False

    @property
    def draining(self) -> bool:
        """No new calls are taken."""
        return self._draining

    def drain(self) -> None:
        """Take no new calls from now on. Calls already let in keep their slots."""
        self._draining = True

    async def admit(
        self, *, provider_id: str, from_number: str, to_number: str, line: str | None = None
    ) -> Reservation | Refused:
        """Look up the line, by the number called or by its name, and take a slot; at once, never queuing."""
        if line is None:
            flow, unknown = self._flows.line_for(to_number), Refusal.UNKNOWN_NUMBER
        else:
            flow, unknown = self._flows.line(line), Refusal.UNKNOWN_LINE
        if flow is None:
            refusal = Refusal.DRAINING if self._draining else unknown
            return self._refused(refusal, None, to_number, provider_id)
        call = CallInfo(
            id=uuid.uuid4().hex,
            provider_id=provider_id,
            line=flow.line,
            customer=flow.customer,
            from_number=from_number,
            to_number=to_number,
            flow_version=flow.content_hash,
        )
        refusal_now = self._refusal()
        if refusal_now is None:
            try:
                return self._reserve(call, flow, await self._front_end.take_slot(call, flow))
            except NoFreeSlot:
                refusal_now = Refusal.FULL
        self._note_unanswered(call, flow, CallStatus.REFUSED, _REASONS[refusal_now])
        return self._refused(refusal_now, flow, to_number, provider_id)

    def claim(self, token: str) -> Reservation | None:
        """The reservation of `token`, which is void from now on; None for a foreign or used one."""
        return self._reserved.pop(token, None)

    async def abandon(self, provider_id: str) -> None:
        """The carrier ended a call whose socket never came: free its slot now."""
        for token, reservation in list(self._reserved.items()):
            if reservation.call.provider_id == provider_id:
                del self._reserved[token]
                await self.give_up(reservation, "the caller was gone")

    async def give_up(self, reservation: Reservation, why: str) -> None:
        """Free the slot of a call that never began to talk."""
        self._telemetry.calls.labels("abandoned").inc()
        self._note_unanswered(reservation.call, reservation.flow, CallStatus.ABANDONED, why)
        log.warning("call abandoned", call_id=reservation.call.id, why=why)
        await reservation.slot.release()

    async def run(self) -> None:
        """Free the slots of calls whose socket never came; runs until cancelled."""
        while True:
            await asyncio.sleep(1.0)
            await self.sweep()

    async def sweep(self) -> None:
        """One round of `run`."""
        now = self._clock()
        for token, reservation in list(self._reserved.items()):
            if reservation.expires <= now:
                del self._reserved[token]
                await self.give_up(reservation, "socket never came")

    def _refusal(self) -> Refusal | None:
        if self._draining:
            return Refusal.DRAINING
        return None if self._front_end.ready else Refusal.NOT_READY

    def _refused(self, why: Refusal, flow: Flow | None, to_number: str, provider_id: str) -> Refused:
        self._telemetry.calls_refused.labels(why.value).inc()
        log.warning("call refused", why=why.value, to=to_number, provider_id=provider_id)
        return Refused(why, flow)

    def _reserve(self, call: CallInfo, flow: Flow, slot: Slot) -> Reservation:
        reservation = Reservation(
            call, flow, slot, secrets.token_urlsafe(24), self._clock() + _SOCKET_WITHIN_S
        )
        self._reserved[reservation.token] = reservation
        return reservation
