"""The API over running calls. What it gives of finished ones stands in `web/review`."""

from __future__ import annotations

from fastapi import APIRouter

from kame_voice.calls.live import LiveCalls
from kame_voice.store.archive import Archive
from kame_voice.web.call_events import add_events

__all__ = ["router"]


def router(archive: Archive, live_calls: LiveCalls) -> APIRouter:
    """`/api/calls/{id}/events`."""
    routes = APIRouter(prefix="/api", tags=["calls"])
    add_events(routes, live_calls, archive)
    return routes
