"""The calls that are running: answers a claimed reservation and knows each call until it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog

from kame_voice.calls.admission import Reservation
from kame_voice.calls.live import LiveCall, LiveCalls
from kame_voice.calls.session import Ending, Session
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs.base import Leg

__all__ = ["Desk", "SessionFactory"]

SessionFactory = Callable[[Reservation, Leg, LiveCall], Session]
_RELEASE_WITHIN_S: Final = 5.0

log = structlog.get_logger()


class Desk:
    """Runs one `Session` a call and lists it while it runs."""

    def __init__(self, open_session: SessionFactory, live: LiveCalls, telemetry: Telemetry) -> None:
        self._open_session = open_session
        self._live = live
        self._telemetry = telemetry
        self._sessions: dict[str, Session] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def running(self) -> int:
        """Calls in progress."""
        return len(self._sessions)

    async def idle(self) -> None:
        """Return once no call runs."""
        await self._idle.wait()

    def say_goodbye_to_all(self, reason: str) -> None:
        """Let every call end with its line's goodbye."""
        for session in self._sessions.values():
            session.say_goodbye(reason)

    def carrier_ended(self, provider_id: str, status: str) -> bool:
        """The carrier says this call is over, whatever its socket does; false if it is not ours."""
        for session in self._sessions.values():
            if session.call.provider_id == provider_id:
                session.carrier_ended(status)
                return True
        return False

    async def answer(self, reservation: Reservation, leg: AbstractAsyncContextManager[Leg]) -> None:
        """Run the call to its end. A fault ends this call alone, with its record closed."""
        call = reservation.call
        with structlog.contextvars.bound_contextvars(call_id=call.id, line=call.line):
            try:
                with self._live.open(call) as live:
                    async with leg as open_leg:
                        session = self._open_session(reservation, open_leg, live)
                        with self._listed(session):
                            ending = await _run_alone(session)
                self._telemetry.calls.labels(ending.status).inc()
                log.info("call ended", status=ending.status, reason=ending.reason)
            finally:
                await asyncio.wait_for(asyncio.shield(reservation.slot.release()), _RELEASE_WITHIN_S)

    @contextlib.contextmanager
    def _listed(self, session: Session) -> Iterator[None]:
        self._sessions[session.call.id] = session
        self._idle.clear()
        self._telemetry.calls_running.inc()
        try:
            yield
        finally:
            self._telemetry.calls_running.dec()
            del self._sessions[session.call.id]
            if not self._sessions:
                self._idle.set()


async def _run_alone(session: Session) -> Ending:
    """A fault in one call is logged and counted here; it must not reach the process or other calls."""
    try:
        return await session.run()
    except Exception:  # the boundary of a call: whatever breaks in it ends it alone
        log.exception("call failed")
        return Ending("failed", "internal error")
