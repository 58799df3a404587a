"""One call: its page, and the flow as it was for it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.review.flow_diff import DiffLine, as_yaml, difference
from kame_voice.store.calls import CallDetail, CallHit
from kame_voice.store.errors import BadSearch
from kame_voice.store.notes import Disposition
from kame_voice.web.auth.viewer import CurrentViewer, audit
from kame_voice.web.pages.render import page
from kame_voice.web.review.call_view import view_of
from kame_voice.web.review.parts import ReviewParts

__all__ = ["CallFlow", "router"]


class CallFlow(BaseModel):
    """The flow as it was for a call. `today`: same, changed, or gone (the line has none now)."""

    version: str
    today: str
    yaml: str
    difference: list[DiffLine]


def router(parts: ReviewParts) -> APIRouter:
    """`/calls/{id}`, `/calls/{id}/flow`, `/api/calls/{id}`, `/api/calls/{id}/flow`."""
    routes = APIRouter(tags=["calls"])

    @routes.get("/api/calls/{call_id}", summary="One call with turns, oracles, events and latency")
    def get_call(request: Request, viewer: CurrentViewer, call_id: str) -> CallDetail:
        call = parts.call(viewer, call_id)
        audit(request, Action.CALL_OPEN, call_id=call.id, customer=call.customer)
        return call

    @routes.get("/api/calls/{call_id}/flow", summary="The flow as it was for a call, and what changed since")
    def get_flow(viewer: CurrentViewer, call_id: str) -> CallFlow:
        return _flow(parts, viewer, parts.call(viewer, call_id))

    @routes.get("/calls/{call_id}", include_in_schema=False)
    def call_page(
        request: Request,
        viewer: CurrentViewer,
        call_id: str,
        text: Annotated[str | None, Query(max_length=400)] = None,
    ) -> HTMLResponse:
        call = parts.call(viewer, call_id)
        audit(request, Action.CALL_OPEN, call_id=call.id, customer=call.customer)
        return page(
            request,
            "review/call.html",
            view=view_of(call),
            call=call,
            hits=_hits(parts, call, text),
            flow_state=_today(parts, viewer, call),
            **notes_context(parts, call),
        )

    @routes.get("/calls/{call_id}/flow", include_in_schema=False)
    def flow_page(request: Request, viewer: CurrentViewer, call_id: str) -> HTMLResponse:
        call = parts.call(viewer, call_id)
        return page(request, "review/flow.html", call=call, flow=_flow(parts, viewer, call))

    return routes


def notes_context(parts: ReviewParts, call: CallDetail, problem: str | None = None) -> dict[str, Any]:
    """What `review/notes.html` needs beside the call."""
    return {"notes": parts.notes.of(call.id), "dispositions": list(Disposition), "problem": problem}


def _hits(parts: ReviewParts, call: CallDetail, words: str | None) -> dict[int, CallHit]:
    """Where the words that led here were said, by the begin of the turn."""
    if not words:
        return {}
    try:
        return {hit.start_ms: hit for hit in parts.archive.calls.hits(call.id, words)}
    except BadSearch:
        return {}


def _today(parts: ReviewParts, viewer: Viewer, call: CallDetail) -> str:
    now = parts.line(viewer, call.line)
    if now is not None and now.content_hash == call.flow_version:
        return "same"
    if parts.archive.calls.flow(call.flow_version) is None:
        return "unknown"
    return "gone" if now is None else "changed"


def _flow(parts: ReviewParts, viewer: Viewer, call: CallDetail) -> CallFlow:
    then = parts.archive.calls.flow(call.flow_version)
    now = parts.line(viewer, call.line)
    if then is None and now is not None and now.content_hash == call.flow_version:
        then = now.model_dump(mode="json")
    if then is None:
        raise HTTPException(404, f"The flow {call.flow_version!r} was not kept.")
    lines = [] if now is None else difference(then, now.model_dump(mode="json"))
    state = "gone" if now is None else "changed" if lines else "same"
    return CallFlow(version=call.flow_version, today=state, yaml=as_yaml(then), difference=lines)
