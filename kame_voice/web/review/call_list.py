"""The list of calls: as a page, as the rows that refresh it, as JSON and as CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.review.call_csv import csv_lines
from kame_voice.store.calls import CallList, ListedCall
from kame_voice.store.errors import BadCursor, BadSearch
from kame_voice.store.listing import CallFilter, Flag
from kame_voice.store.notes import Disposition
from kame_voice.store.rows import CallStatus
from kame_voice.web.auth.viewer import CurrentViewer, audit
from kame_voice.web.pages.render import page
from kame_voice.web.review.parts import ReviewParts
from kame_voice.web.review.query import CallQuery

__all__ = ["router"]

_PAGE: Final = 50
_CSV_PAGE: Final = 500
_CSV_MOST: Final = 100_000

_Asked = Annotated[CallQuery, Query()]


def router(parts: ReviewParts) -> APIRouter:
    """`/calls`, `/calls/rows`, `/api/calls`, `/api/calls.csv`."""
    routes = APIRouter(tags=["calls"])
    store = parts.archive.calls

    # Plain functions: FastAPI runs them in its thread pool, so the database never holds up audio.

    @routes.get("/api/calls", summary="Calls, newest first")
    def list_calls(
        request: Request,
        viewer: CurrentViewer,
        asked: _Asked,
        limit: Annotated[int, Query(ge=1, le=500)] = _PAGE,
    ) -> CallList:
        _note_search(request, asked)
        return store.list(asked.wanted(viewer), limit=limit, before=asked.before)

    @routes.get("/api/calls.csv", summary="The list as CSV", response_class=StreamingResponse)
    def list_as_csv(request: Request, viewer: CurrentViewer, asked: _Asked) -> StreamingResponse:
        wanted = asked.wanted(viewer)
        first = store.list(
            wanted, limit=_CSV_PAGE, before=asked.before
        )  # a mistake is told before the first byte
        audit(
            request, Action.CALL_EXPORT, customer=asked.customer, data={"as": "csv", "list": asked.address()}
        )
        return StreamingResponse(
            csv_lines(_all(parts, wanted, first)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="calls.csv"'},
        )

    @routes.get("/calls", include_in_schema=False)
    def calls_page(request: Request, viewer: CurrentViewer, asked: _Asked) -> HTMLResponse:
        _note_search(request, asked)
        return page(request, "review/calls.html", **_shown(parts, viewer, asked), **_choices(parts, viewer))

    @routes.get("/calls/rows", include_in_schema=False)
    def calls_rows(
        request: Request,
        viewer: CurrentViewer,
        asked: _Asked,
        seen: Annotated[str, Query(max_length=40, description="Digest of the rows that are shown.")] = "",
    ) -> Response:
        shown = _shown(parts, viewer, asked)
        if shown["digest"] == seen:
            # htmx then leaves the rows alone, and with them what is selected or read aloud.
            return Response(status_code=204)
        return page(request, "review/call_rows.html", **shown)

    return routes


def _shown(parts: ReviewParts, viewer: Viewer, asked: CallQuery) -> dict[str, Any]:
    """What the rows need. A mistake in the address is told above an empty list."""
    problem = None
    found = CallList(calls=[], next=None)
    try:
        found = parts.archive.calls.list(asked.wanted(viewer), limit=_PAGE, before=asked.before)
    except (BadCursor, BadSearch) as error:
        problem = str(error)
    return {
        "calls": found.calls,
        "digest": hashlib.sha256(found.model_dump_json().encode()).hexdigest()[:16],
        "form": asked,
        "problem": problem,
        "query": asked.address(),
        "next_query": asked.address(before=found.next) if found.next else None,
        "link_query": f"?{_words(asked)}" if asked.text else "",
        "is_older": asked.before is not None,
        "is_filtered": asked.is_filtered,
    }


def _choices(parts: ReviewParts, viewer: Viewer) -> dict[str, Any]:
    """What the filter offers: lines and customers that the viewer may see, now or of old."""
    known = parts.archive.calls.lines(viewer.customers)
    for flow in parts.flows.generation.by_line.values():
        if viewer.may_see(flow.customer):
            known.setdefault(flow.line, flow.customer)
    return {
        "lines": sorted(known),
        "customers": sorted(set(known.values())),
        "statuses": list(CallStatus),
        "flags": list(Flag),
        "dispositions": list(Disposition),
        "tags": parts.notes.known_tags(viewer.customers),
    }


def _all(parts: ReviewParts, wanted: CallFilter, found: CallList) -> Iterator[ListedCall]:
    """Page by page, so that a long list needs no memory."""
    count = 0
    while True:
        yield from found.calls
        count += len(found.calls)
        if found.next is None or count >= _CSV_MOST:
            return
        found = parts.archive.calls.list(wanted, limit=_CSV_PAGE, before=found.next)


def _words(asked: CallQuery) -> str:
    return CallQuery(text=asked.text).address()


def _note_search(request: Request, asked: CallQuery) -> None:
    if asked.text:
        audit(request, Action.CALL_SEARCH, customer=asked.customer, data={"words": asked.text})
