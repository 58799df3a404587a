"""`/` and `GET /api/dashboard`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from kame_voice.accounts.viewer import Viewer
from kame_voice.calls.live import LiveCalls
from kame_voice.flows.directory import FlowDirectory
from kame_voice.store.statistics import Statistics, StatisticsReader
from kame_voice.web.auth.viewer import CurrentViewer
from kame_voice.web.dashboard import figures
from kame_voice.web.dashboard.period import Period, period_of
from kame_voice.web.dashboard.scale import duration, percent
from kame_voice.web.pages.render import page

__all__ = ["Slots", "router"]

From = Annotated[date | None, Query(alias="from", description="First day, as 2026-11-25.")]
To = Annotated[date | None, Query(description="Last day.")]
Line = Annotated[str | None, Query(description="One line only.")]


@dataclass(frozen=True, slots=True)
class Slots:
    """The front end's slots, and how many of them are taken at this moment."""

    capacity: int
    taken: int


def router(
    statistics: StatisticsReader, flows: FlowDirectory, live_calls: LiveCalls, slots: Callable[[], Slots]
) -> APIRouter:
    """Counts are of the viewer's customers; the slots of the process are told to who sees every customer."""
    routes = APIRouter()

    def asked(viewer: Viewer, first: date | None, last: date | None, line: str | None) -> _Asked:
        zones = [flow.business.zone for flow in flows.generation.by_line.values()]
        now = datetime.now(UTC)
        today = max((now.astimezone(zone).date() for zone in zones), default=now.date())
        period = period_of(first, last, today)
        found = statistics.between(period.first, period.last, customers=viewer.customers, line=line or None)
        return _Asked(period, today, line or None, found)

    def running(viewer: Viewer) -> int:
        return sum(viewer.may_see(info.call.customer) for info in live_calls.running())

    def lines_of(viewer: Viewer) -> list[str]:
        known = flows.generation.by_line.values()
        return sorted(flow.line for flow in known if viewer.may_see(flow.customer))

    @routes.get("/", response_class=HTMLResponse, include_in_schema=False)
    def dashboard(
        request: Request, viewer: CurrentViewer, first: From = None, to: To = None, line: Line = None
    ) -> HTMLResponse:
        it = asked(viewer, first, to, line)
        return page(
            request,
            "dashboard/dashboard.html",
            block="figures",
            asked=it,
            statistics=it.statistics,
            total=it.statistics.total,
            calls_chart=figures.calls_chart(it.statistics),
            gap_chart=figures.gap_chart(it.statistics.total),
            outcome_chart=figures.outcome_chart(it.statistics.total),
            outcome_kinds=figures.OUTCOME_KINDS,
            rows=figures.when_rows(it.statistics),
            lines=sorted({*lines_of(viewer), *it.statistics.by_line}),
            running=running(viewer),
            slots=slots() if viewer.customers is None else None,
            percent=percent,
            duration=duration,
        )

    @routes.get("/dashboard", include_in_schema=False)
    def old_address(viewer: CurrentViewer) -> RedirectResponse:
        return RedirectResponse("/", 308)

    @routes.get("/api/dashboard", tags=["calls"], summary="Counts of calls, gaps and oracles by line and day")
    def counts(viewer: CurrentViewer, first: From = None, to: To = None, line: Line = None) -> dict[str, Any]:
        it = asked(viewer, first, to, line)
        now = slots() if viewer.customers is None else None
        return {
            "from": it.period.first.isoformat(),
            "to": it.period.last.isoformat(),
            "total": figures.as_json(it.statistics.total),
            "peak_calls_at_once": it.statistics.peak,
            "running": running(viewer),
            "slots": None if now is None else {"capacity": now.capacity, "taken": now.taken},
            "by_line": {name: figures.as_json(count) for name, count in it.statistics.by_line.items()},
            "by_day": {
                day.isoformat(): figures.as_json(count) for day, count in it.statistics.by_day.items()
            },
        }

    return routes


@dataclass(frozen=True, slots=True)
class _Asked:
    period: Period
    today: date
    line: str | None
    statistics: Statistics

    def address(self, days: int) -> str:
        """The address of the last so many days, with the same line."""
        first = self.today - timedelta(days=days - 1)
        query = {"from": first.isoformat(), "to": self.today.isoformat()}
        return "/?" + urlencode(query | ({"line": self.line} if self.line else {}))

    def shows(self, days: int) -> bool:
        """Whether these are the last so many days."""
        return self.period.last == self.today and self.period.days == days
