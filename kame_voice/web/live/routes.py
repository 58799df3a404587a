"""`/live`, `/live/{id}` and what they are made of: the feed, the sound, the hang-up."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.calls.live import LiveCall, LiveCalls
from kame_voice.core.nouns import CallInfo, Role
from kame_voice.store.archive import Archive
from kame_voice.web.auth.viewer import CurrentViewer, Supervisor, audit
from kame_voice.web.live.feed import call_as_json, feed
from kame_voice.web.live.sound_socket import add_sound
from kame_voice.web.pages.render import page

__all__ = ["router"]

_HUNG_UP_BY: Final = "a supervisor"
"""On the call's record, which reviewers read; who it was stands in the audit log."""


def router(live_calls: LiveCalls, archive: Archive) -> APIRouter:
    """Everybody may watch the calls they may see; supervisors may listen in and hang up."""
    routes = APIRouter()

    def running(call_id: str, viewer: Viewer) -> LiveCall:
        live = live_calls.get(call_id)
        if live is None or not viewer.may_see(live.call.customer):
            raise HTTPException(404, f"No call {call_id!r} is running.")
        return live

    @routes.get("/live", response_class=HTMLResponse, include_in_schema=False)
    def calls(request: Request, viewer: CurrentViewer) -> HTMLResponse:
        return page(request, "live/calls.html")

    @routes.get("/live/{call_id}", include_in_schema=False)
    def one_call(request: Request, call_id: str, viewer: CurrentViewer) -> Response:
        live = live_calls.get(call_id)
        if live is None:
            found = archive.calls.get(call_id)
            if found is not None and viewer.may_see(found.customer):
                return RedirectResponse(f"/calls/{call_id}", 303)
        live = running(call_id, viewer)
        return page(
            request,
            "live/call.html",
            live=call_as_json(live),
            started_at=live.info.started_at,
            may_steer=viewer.is_at_least(Role.SUPERVISOR),
        )

    @routes.get("/api/live", tags=["live"], summary="The calls that are running")
    async def list_running(viewer: CurrentViewer) -> list[dict[str, Any]]:
        found = (live_calls.get(info.call.id) for info in live_calls.running())
        return [
            call_as_json(live) for live in found if live is not None and viewer.may_see(live.call.customer)
        ]

    async def messages_for(
        request: Request, viewer: CurrentViewer
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        def note(call: CallInfo) -> None:
            audit(request, Action.LIVE_WATCH, call_id=call.id, customer=call.customer)

        async with contextlib.aclosing(feed(live_calls, viewer.may_see, note)) as messages:
            yield messages

    @routes.get(
        "/api/live/events",
        tags=["live"],
        summary="What happens on all running calls, as it happens",
        response_class=EventSourceResponse,
    )
    async def follow(
        messages: AsyncIterator[dict[str, Any]] = Depends(messages_for),
    ) -> AsyncIterator[ServerSentEvent]:
        async for message in messages:
            yield ServerSentEvent(data=message)

    @routes.post("/api/calls/{call_id}/hang-up", tags=["live"], status_code=202, summary="End a running call")
    async def hang_up(request: Request, call_id: str, viewer: Supervisor) -> dict[str, str]:
        live = running(call_id, viewer)
        audit(request, Action.LIVE_HANG_UP, call_id=call_id, customer=live.call.customer)
        live.hang_up(_HUNG_UP_BY)
        return {"status": "the agent says goodbye, then hangs up"}

    add_sound(routes, live_calls)
    return routes
