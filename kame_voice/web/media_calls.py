"""The calls behind the media sockets: who may open one, and the call from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog

from kame_voice.calls.admission import Admission, Reservation
from kame_voice.calls.desk import Desk
from kame_voice.core.clock import Clock
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs import twilio_rest
from kame_voice.legs.socket import SocketClosed
from kame_voice.legs.timer_wheel import TimerWheel
from kame_voice.legs.twilio import TwilioLeg, open_stream
from kame_voice.legs.twilio_wire import StreamStart, WireError
from kame_voice.web.media_socket import MediaSocket, Upgrade
from kame_voice.web.signatures import Signatures
from kame_voice.web.upgrades import MEDIA_PATH

__all__ = ["MediaCalls"]

_START_WITHIN_S: Final = 10.0
_END_WITHIN_S: Final = 2.0
_NORMAL: Final = 1000

log = structlog.get_logger()


class MediaCalls:
    """Answers media sockets. Its calls run in a task group of its own while `running`."""

    def __init__(
        self,
        signatures: Signatures,
        admission: Admission,
        desk: Desk,
        hang_up: twilio_rest.HangUp,
        telemetry: Telemetry,
        clock: Clock,
        frame_samples: int,
    ) -> None:
        self._signatures = signatures
        self._admission = admission
        self._desk = desk
        self._hang_up = hang_up
        self._telemetry = telemetry
        self._clock = clock
        self._frame_samples = frame_samples
        self._wheel = TimerWheel(clock)
        self._group: asyncio.TaskGroup | None = None
        self._calls: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Own the calls while the body runs; those that outlast it get a moment to end."""
        async with asyncio.TaskGroup() as self._group:
            try:
                yield
            finally:
                if self._calls:
                    await asyncio.wait(self._calls, timeout=_END_WITHIN_S)
                for call in self._calls:
                    call.cancel()

    def knock(self, upgrade: Upgrade, socket: MediaSocket) -> bool:
        """Whether this socket may be opened: signature, then the one-shot token. If so, its call begins."""
        if not self._signatures.upgrade(upgrade):
            return self._refuse("signature")
        reservation = self._admission.claim(upgrade.path.partition("?")[0].removeprefix(MEDIA_PATH))
        if reservation is None or self._group is None:
            return self._refuse("token")
        call = self._group.create_task(self._carry(socket, reservation), name=f"call {reservation.call.id}")
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return True

    async def _carry(self, socket: MediaSocket, reservation: Reservation) -> None:
        try:
            await self._answer(socket, reservation)
        except Exception:  # the boundary of a call: the group must not take the others down with it
            log.exception("call failed", call_id=reservation.call.id)

    async def _answer(self, socket: MediaSocket, reservation: Reservation) -> None:
        try:
            start = await self._opened(socket, reservation)
            if start is None:
                await self._admission.give_up(reservation, "no media stream")
                return
            leg = TwilioLeg(
                socket,
                start,
                hang_up=self._hang_up,
                telemetry=self._telemetry,
                clock=self._clock,
                wheel=self._wheel,
                frame_samples=self._frame_samples,
            )
            await self._desk.answer(reservation, leg)
        finally:
            socket.close(_NORMAL)

    async def _opened(self, socket: MediaSocket, reservation: Reservation) -> StreamStart | None:
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

    def _refuse(self, reason: str) -> bool:
        self._telemetry.wire_refused.labels(reason).inc()
        log.warning("media socket refused", reason=reason)
        return False
