"""`/lines`, `/lines/{line}` and its box for trying a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from kame_voice.accounts.trail import Action
from kame_voice.accounts.viewer import Viewer
from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.schema import Flow
from kame_voice.oracle.trial import Trial
from kame_voice.review.flow_diff import difference
from kame_voice.store.generations import GenerationStore, SeenGeneration
from kame_voice.store.statistics import Count, StatisticsReader
from kame_voice.web.auth.viewer import CurrentViewer, audit
from kame_voice.web.lines.flow_file import FlowText, foreign_mistakes, text_of
from kame_voice.web.pages.render import page

__all__ = ["LineParts", "router"]

_DAYS: Final = 7
_NEAREST: Final = 6
Question = Annotated[str, Query(max_length=600, description="What a caller would say.")]


@dataclass(frozen=True, slots=True)
class LineParts:
    """What the routes are built from. `try_out` is None where nothing answers, as on a line test."""

    flows: FlowDirectory
    generations: GenerationStore
    statistics: StatisticsReader
    try_out: Callable[[Flow, str], Trial] | None

    def flow(self, viewer: Viewer, line: str) -> Flow:
        """The line's flow in force. Raises HTTPException 404, for others' lines too."""
        flow = self.flows.line(line)
        if flow is None or not viewer.may_see(flow.customer):
            raise HTTPException(404, f"There is no line {line!r}.")
        return flow

    def counts(self, viewer: Viewer, line: str | None = None) -> dict[str, Count]:
        """The last seven days, by line."""
        today = datetime.now(UTC).date()
        found = self.statistics.between(
            today - timedelta(days=_DAYS - 1), today, customers=viewer.customers, line=line
        )
        return found.by_line


def router(parts: LineParts) -> APIRouter:
    """Everybody sees the lines of their customers. Plain functions: the database never holds up audio."""
    routes = APIRouter(tags=["lines"])

    @routes.get("/lines", response_class=HTMLResponse, include_in_schema=False)
    def lines(request: Request, viewer: CurrentViewer) -> HTMLResponse:
        foreign = foreign_mistakes(parts.flows) if viewer.customers is None else []
        return page(
            request,
            "lines/lines.html",
            lines=_lines(parts, viewer),
            counts=parts.counts(viewer),
            foreign=foreign,
        )

    @routes.get("/lines/{line}", response_class=HTMLResponse, include_in_schema=False)
    def one_line(request: Request, line: str, viewer: CurrentViewer) -> HTMLResponse:
        flow = parts.flow(viewer, line)
        seen = parts.generations.of_line(line, viewer.customers)
        return page(
            request,
            "lines/line.html",
            flow=flow,
            file=text_of(parts.flows, line),
            count=parts.counts(viewer, line).get(line) or Count(),
            generations=_with_changes(seen, flow),
            can_ask=parts.try_out is not None,
        )

    @routes.get("/lines/{line}/ask", response_class=HTMLResponse, include_in_schema=False)
    def ask_page(request: Request, line: str, viewer: CurrentViewer, question: Question = "") -> HTMLResponse:
        trial = asked(request, viewer, line, question)
        return page(request, "lines/trial.html", block="trial", line=line, question=question, trial=trial)

    @routes.get(
        "/api/lines", summary="The lines with their flows' versions and whether their files are right"
    )
    def list_lines(viewer: CurrentViewer) -> list[dict[str, Any]]:
        return [_as_json(flow, text) for flow, text in _lines(parts, viewer)]

    @routes.get("/api/lines/{line}", summary="One line: its flow in force, its file's mistakes, generations")
    def get_line(line: str, viewer: CurrentViewer) -> dict[str, Any]:
        flow = parts.flow(viewer, line)
        seen = parts.generations.of_line(line, viewer.customers)
        return {
            **_as_json(flow, text_of(parts.flows, line)),
            "flow": flow.model_dump(mode="json"),
            "generations": [
                {"version": one.version, "first_used_at": one.first_used_at, "calls": one.calls}
                for one in seen
            ],
        }

    @routes.get(
        "/api/lines/{line}/ask", summary="Which fact would answer a question, and how near others are"
    )
    def ask(request: Request, line: str, viewer: CurrentViewer, question: Question) -> dict[str, Any]:
        trial = asked(request, viewer, line, question)
        if trial is None:
            raise HTTPException(422, "Say something.")
        return {"answer": trial.answer, "facts": list(trial.facts), "scores": dict(trial.scores)}

    def asked(request: Request, viewer: Viewer, line: str, question: str) -> Trial | None:
        flow = parts.flow(viewer, line)
        if parts.try_out is None:
            raise HTTPException(409, "This server is a line test: it says back what it hears.")
        if not question.strip():
            return None
        audit(request, Action.LINE_ASK, customer=flow.customer, data={"line": line})
        trial = parts.try_out(flow, question)
        return Trial(trial.answer, trial.facts, trial.scores[:_NEAREST])

    return routes


def _lines(parts: LineParts, viewer: Viewer) -> list[tuple[Flow, FlowText | None]]:
    found = sorted(parts.flows.generation.by_line.values(), key=lambda flow: flow.line)
    return [(flow, text_of(parts.flows, flow.line)) for flow in found if viewer.may_see(flow.customer)]


def _as_json(flow: Flow, text: FlowText | None) -> dict[str, Any]:
    return {
        "line": flow.line,
        "customer": flow.customer,
        "business": flow.business.name,
        "numbers": list(flow.numbers),
        "version": flow.content_hash,
        "facts": len(flow.facts),
        "mistakes": [
            {"line": one.line, "column": one.column, "path": one.path, "message": one.message}
            for one in (text.mistakes if text else ())
        ],
    }


def _with_changes(seen: list[SeenGeneration], flow: Flow) -> list[dict[str, Any]]:
    """Each with what it changed of the one before; today's first, used or not."""
    today = flow.model_dump(mode="json")
    unused = not any(one.version == flow.content_hash for one in seen)
    rows: list[dict[str, Any]] = []
    if unused:
        change = difference(seen[0].content, today) if seen else []
        rows.append({"version": flow.content_hash, "seen": None, "in_force": True, "change": change})
    for place, one in enumerate(seen):
        before = seen[place + 1].content if place + 1 < len(seen) else None
        rows.append(
            {
                "version": one.version,
                "seen": one,
                "in_force": one.version == flow.content_hash,
                "change": difference(before, one.content) if before is not None else [],
            }
        )
    return rows
