"""The API over finished and running calls. Each route tells the viewer of their customers alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.calls.live import LiveCalls
from kame_voice.store.archive import Archive
from kame_voice.store.calls import CallDetail, CallFilter, CallList
from kame_voice.web.auth.viewer import CurrentViewer, audit
from kame_voice.web.call_events import add_events

__all__ = ["router"]


def router(archive: Archive, live_calls: LiveCalls) -> APIRouter:
    """`/api/calls`, `/api/calls/{id}`, `/api/calls/{id}/recording`, `/api/calls/{id}/events`."""
    routes = APIRouter(prefix="/api", tags=["calls"])

    def found(call_id: str, viewer: Viewer) -> CallDetail:
        detail = archive.calls.get(call_id, viewer.customers)
        if detail is None:
            raise HTTPException(404, f"There is no call {call_id!r}.")
        return detail

    # Plain functions: FastAPI runs them in its thread pool, so the database never holds up audio.

    @routes.get("/calls", summary="Calls, newest first")
    def list_calls(
        viewer: CurrentViewer,
        line: str | None = None,
        status: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[str | None, Query(description="Cursor: `next` of the page before.")] = None,
    ) -> CallList:
        wanted = CallFilter(customers=viewer.customers, line=line, status=status)
        return archive.calls.list(wanted, limit=limit, before=before)

    @routes.get("/calls/{call_id}", summary="One call with turns, oracles, events and latency")
    def get_call(request: Request, call_id: str, viewer: CurrentViewer) -> CallDetail:
        call = found(call_id, viewer)
        audit(request, Action.CALL_OPEN, call_id=call.id, customer=call.customer)
        return call

    @routes.get(
        "/calls/{call_id}/recording",
        summary="The two-channel recording (left: caller, right: agent)",
        response_class=FileResponse,
    )
    def get_recording(request: Request, call_id: str, viewer: CurrentViewer) -> FileResponse:
        call = found(call_id, viewer)
        path = archive.recordings.path_of(call.id)
        if path is None:
            raise HTTPException(404, f"Call {call_id!r} has no recording.")
        if request.headers.get("range", "bytes=0-").startswith("bytes=0-"):  # not each jump of a player
            audit(request, Action.CALL_LISTEN, call_id=call.id, customer=call.customer)
        return FileResponse(path, media_type="audio/wav", filename=f"{call_id}.wav")

    add_events(routes, live_calls, archive)
    return routes
