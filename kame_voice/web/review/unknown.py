"""What we did not know: the questions that no fact answered, gathered, and a fact drafted for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from kame_voice.accounts.viewer import Viewer
from kame_voice.review.drafts import draft_fact, suggested_id
from kame_voice.review.unanswered import Group, grouped
from kame_voice.store.questions import Asked
from kame_voice.web.auth.viewer import CurrentViewer
from kame_voice.web.pages.render import page
from kame_voice.web.review.parts import ReviewParts

__all__ = ["router"]

_MOST_GROUPS = 100
_WORDINGS = 5

_Days = Annotated[int, Query(ge=1, le=3650, description="Asked in the last so many days.")]
_Line = Annotated[str | None, Query(max_length=64)]


class AskedAt(BaseModel):
    """One time that it was asked."""

    call_id: str
    at_ms: int
    asked_at: datetime
    text: str


class UnknownGroup(BaseModel):
    """Questions that mean about the same."""

    example: str
    count: int
    last_asked: datetime
    wordings: list[str] = Field(description="Different ways in which it was asked.")
    moments: list[AskedAt] = Field(description="Newest first.")
    answered_today_by: list[str] = Field(description="Facts of today's flow that answer it now.")


class Unknown(BaseModel):
    """A line's open questions; `waiting` are too new to be gathered yet."""

    line: str
    days: int
    groups: list[UnknownGroup]
    waiting: int


def router(parts: ReviewParts) -> APIRouter:
    """`/unknown`, `/unknown/draft`, `/api/unknown`."""
    routes = APIRouter(tags=["unknown questions"])

    @routes.get("/api/unknown", summary="A line's questions that no fact answered, gathered by meaning")
    def get_unknown(
        viewer: CurrentViewer, line: Annotated[str, Query(max_length=64)], days: _Days = 90
    ) -> Unknown:
        return _unknown(parts, viewer, line, days)

    @routes.get("/unknown", include_in_schema=False)
    def unknown_page(
        request: Request, viewer: CurrentViewer, line: _Line = None, days: _Days = 90
    ) -> HTMLResponse:
        lines = parts.questions.lines(viewer.customers)
        shown = line or (lines[0] if lines else "")
        found = _unknown(parts, viewer, shown, days)
        return page(request, "review/unknown.html", lines=lines, found=found)

    @routes.get("/unknown/draft", include_in_schema=False)
    def draft_page(
        request: Request,
        viewer: CurrentViewer,
        line: Annotated[str, Query(max_length=64)],
        questions: Annotated[str, Query(max_length=8000)],
        id_: Annotated[str | None, Query(alias="id", max_length=64)] = None,
        answer: Annotated[str | None, Query(max_length=2000)] = None,
    ) -> HTMLResponse:
        flow = parts.line(viewer, line)
        if flow is None:
            raise HTTPException(404, f"There is no line {line!r} today.")
        asked = [text for text in questions.splitlines() if text.strip()]
        fact_id = id_ if id_ is not None else suggested_id(flow, asked[0] if asked else "")
        draft = None if answer is None else draft_fact(flow, fact_id, asked, answer)
        return page(
            request,
            "review/draft.html",
            line=line,
            questions=asked,
            fact_id=fact_id,
            answer=answer or "",
            yaml=draft.yaml if draft else None,
            mistakes=draft.mistakes if draft else (),
        )

    return routes


def _unknown(parts: ReviewParts, viewer: Viewer, line: str, days: int) -> Unknown:
    since = datetime.now(UTC) - timedelta(days=days)
    questions = parts.questions.of(line, since, viewer.customers)
    flow = parts.line(viewer, line)

    def told(group: Group) -> UnknownGroup:
        return UnknownGroup(
            example=group.example.text,
            count=len(group.questions),
            last_asked=group.last_asked,
            wordings=group.wordings(_WORDINGS),
            moments=[_moment(one) for one in group.questions],
            answered_today_by=parts.which_facts(flow, group.example.text) if flow else [],
        )

    groups = [told(group) for group in grouped(questions)[:_MOST_GROUPS]]
    # What today's flow answers already can wait at the end.
    groups.sort(key=lambda group: bool(group.answered_today_by))
    return Unknown(
        line=line, days=days, groups=groups, waiting=sum(1 for one in questions if one.vector is None)
    )


def _moment(asked: Asked) -> AskedAt:
    return AskedAt(call_id=asked.call_id, at_ms=asked.at_ms, asked_at=asked.asked_at, text=asked.text)
