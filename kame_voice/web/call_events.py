"""`GET /api/calls/{id}/events`: what happens on a running call, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from kame_voice.accounts.trail import Action
from kame_voice.calls.live import LiveCalls
from kame_voice.calls.live_events import (
    Caption,
    DtmfPressed,
    Ended,
    Gap,
    LiveEvent,
    OracleNews,
    as_json,
)
from kame_voice.core.nouns import OracleOutcome, OracleSource, Speaker
from kame_voice.store.archive import Archive
from kame_voice.store.calls import CallDetail
from kame_voice.store.rows import UNFINISHED
from kame_voice.web.auth.viewer import CurrentViewer, audit

__all__ = ["add_events", "replayed"]


def add_events(routes: APIRouter, live_calls: LiveCalls, archive: Archive) -> None:
    """Add the route to the API's. Its listeners are staff. FastAPI sends a heartbeat every 15 s."""

    async def events_of(
        request: Request, call_id: str, viewer: CurrentViewer
    ) -> AsyncIterator[AsyncIterator[LiveEvent]]:
        live = live_calls.get(call_id)
        if live is not None:
            if not viewer.may_see(live.call.customer):
                raise _no_such(call_id)
            audit(request, Action.LIVE_WATCH, call_id=call_id, customer=live.call.customer)
            async with live.subscribe(staff=True) as events:
                yield events
            return
        call = await run_in_threadpool(archive.calls.get, call_id, viewer.customers)
        if call is not None and call.status not in UNFINISHED:
            audit(request, Action.CALL_OPEN, call_id=call_id, customer=call.customer)
            yield _all_of(replayed(call))
            return
        ended = live_calls.ended(call_id)
        if ended is not None and viewer.may_see(ended.call.customer):
            audit(request, Action.CALL_OPEN, call_id=call_id, customer=ended.call.customer)
            async with ended.subscribe(staff=True) as events:
                yield events
            return
        if call is None:
            raise _no_such(call_id)
        raise HTTPException(409, f"Call {call_id!r} runs in another process; only there can it be watched.")

    @routes.get(
        "/calls/{call_id}/events",
        summary="What happens on a running call; a finished one's stored events",
        response_class=EventSourceResponse,
    )
    async def get_events(
        events: AsyncIterator[LiveEvent] = Depends(events_of),
    ) -> AsyncIterator[ServerSentEvent]:
        async for event in events:
            yield ServerSentEvent(event=event.type, data=as_json(event))


def replayed(call: CallDetail) -> list[LiveEvent]:
    """A finished call's events from its record, in the order in which they came about."""
    timed: list[tuple[int, LiveEvent]] = [
        (
            turn.start_ms,
            Caption(place, Speaker(turn.speaker), turn.text, True, turn.start_ms, turn.end_ms),
        )
        for place, turn in enumerate(call.turns)
    ]
    timed += [
        (
            oracle.asked_ms,
            OracleNews(
                oracle.id,
                OracleSource(oracle.source),
                oracle.text,
                OracleOutcome(oracle.outcome),
                oracle.basis,
            ),
        )
        for oracle in call.oracles
    ]
    timed += [
        (event.at_ms, DtmfPressed(event.data["digit"], event.at_ms))
        for event in call.events
        if event.kind == "dtmf"
    ]
    in_order = [event for _, event in sorted(timed, key=lambda entry: entry[0])]
    gaps = [Gap(gap_ms) for gap_ms in call.latency.response_gap_ms]
    return [*in_order, *gaps, Ended(call.status.value, call.end_reason or "")]


def _no_such(call_id: str) -> HTTPException:
    return HTTPException(404, f"There is no call {call_id!r}.")


async def _all_of(events: list[LiveEvent]) -> AsyncIterator[LiveEvent]:
    for event in events:
        yield event
