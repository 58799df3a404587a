"""The API over running calls. What it gives of finished ones stands in `web/review`."""

from __future__ import annotations

from fastapi import APIRouter

from kame_voice.calls.live import LiveCalls
from kame_voice.store.archive import Archive
from kame_voice.web.call_events import add_events
from kame_voice.web.whispers import add_whispers

__all__ = ["router"]


def router(archive: Archive, live_calls: LiveCalls) -> APIRouter:
    """`/api/calls/{id}/events` and `/api/calls/{id}/whisper`."""
    routes = APIRouter(prefix="/api", tags=["calls"])
    add_events(routes, live_calls, archive)
    add_whispers(routes, live_calls)
    return routes
