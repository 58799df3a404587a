"""Deleting one call for good, by an admin: on its page, or by the API. Audited."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.store.errors import CallRunning
from kame_voice.web.auth.viewer import Admin, audit
from kame_voice.web.review.parts import ReviewParts

__all__ = ["router"]


def router(parts: ReviewParts) -> APIRouter:
    """`DELETE /api/calls/{id}`, and the page's form for it."""
    routes = APIRouter(tags=["calls"])

    @routes.delete(
        "/api/calls/{call_id}",
        status_code=204,
        summary="Delete a finished call for good, with its recording and all that is kept of it",
    )
    def delete_call(request: Request, viewer: Admin, call_id: str) -> None:
        _delete(request, parts, viewer, call_id)

    @routes.post("/calls/{call_id}/delete", include_in_schema=False)
    def delete_form(request: Request, viewer: Admin, call_id: str) -> RedirectResponse:
        _delete(request, parts, viewer, call_id)
        return RedirectResponse("/calls", 303)

    return routes


def _delete(request: Request, parts: ReviewParts, viewer: Viewer, call_id: str) -> None:
    call = parts.call(viewer, call_id)
    try:
        gone = parts.erasure.call(call.id)
    except CallRunning as error:
        raise HTTPException(409, error.sentences) from error
    if gone is None:
        raise HTTPException(404, f"There is no call {call_id!r}.")
    data = {"line": gone.line, "started_at": gone.started_at.isoformat()}
    audit(request, Action.CALL_DELETE, call_id=gone.id, customer=gone.customer, data=data)
