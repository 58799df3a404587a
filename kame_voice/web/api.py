"""The API over finished and running calls. Every route wants the bearer token from the settings."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import FileResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from kame_voice.calls.live import LiveCalls
from kame_voice.core.settings import Settings
from kame_voice.store.archive import Archive
from kame_voice.store.calls import CallDetail, CallFilter, CallList
from kame_voice.web.call_events import add_events

__all__ = ["router"]

_bearer = HTTPBearer(auto_error=False, description="KAME_API_TOKEN")


def router(settings: Settings, archive: Archive, live_calls: LiveCalls) -> APIRouter:
    """`/api/calls`, `/api/calls/{id}`, `/api/calls/{id}/recording`, `/api/calls/{id}/events`."""
    token = settings.api_token.get_secret_value()

    def authorised(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        if not token:
            raise HTTPException(403, "The API is closed. Set KAME_API_TOKEN to open it.")
        if given is None or not hmac.compare_digest(given.credentials.encode(), token.encode()):
            raise HTTPException(
                401, "Send 'Authorization: Bearer …' with KAME_API_TOKEN.", {"WWW-Authenticate": "Bearer"}
            )

    routes = APIRouter(prefix="/api", tags=["calls"], dependencies=[Depends(authorised)])

    def found(call_id: str) -> CallDetail:
        detail = archive.calls.get(call_id)
        if detail is None:
            raise HTTPException(404, f"There is no call {call_id!r}.")
        return detail

    # Plain functions: FastAPI runs them in its thread pool, so the database never holds up audio.

    @routes.get("/calls", summary="Calls, newest first")
    def list_calls(
        line: str | None = None,
        status: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        before: Annotated[str | None, Query(description="Cursor: `next` of the page before.")] = None,
    ) -> CallList:
        return archive.calls.list(CallFilter(line=line, status=status), limit=limit, before=before)

    @routes.get("/calls/{call_id}", summary="One call with turns, oracles, events and latency")
    def get_call(call_id: str) -> CallDetail:
        return found(call_id)

    @routes.get(
        "/calls/{call_id}/recording",
        summary="The two-channel recording (left: caller, right: agent)",
        response_class=FileResponse,
    )
    def get_recording(call_id: str) -> FileResponse:
        path = archive.recordings.path_of(found(call_id).id)
        if path is None:
            raise HTTPException(404, f"Call {call_id!r} has no recording.")
        return FileResponse(path, media_type="audio/wav", filename=f"{call_id}.wav")

    add_events(routes, live_calls, archive)
    return routes
