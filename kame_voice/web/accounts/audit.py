"""`/admin/audit` and `/api/audit`: what users did that revealed or changed something. For admins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from kame_voice.accounts.trail import Action
from kame_voice.store.audit import AuditPage, AuditReader
from kame_voice.web.auth.viewer import Admin
from kame_voice.web.pages.render import page

__all__ = ["router"]

_GROUPS = sorted({action.value.partition(".")[0] for action in Action})
_PAGE = 100


def router(log: AuditReader) -> APIRouter:
    """The log, newest first, filtered in the URL."""
    routes = APIRouter()

    @routes.get("/admin/audit", include_in_schema=False)
    def show_audit(
        request: Request,
        viewer: Admin,
        who: str = "",
        action: str = "",
        call: str = "",
        since: str = "",
        until: str = "",
        before: str | None = None,
    ) -> Response:
        found = log.page(
            who=who.strip().lower() or None if who != "KAME_API_TOKEN" else who,
            action=action or None,
            call_id=call.strip() or None,
            since=_midnight(since),
            until=_midnight(until, days_later=1),
            limit=_PAGE,
            before=before or None,
        )
        asked = {"who": who, "action": action, "call": call, "since": since, "until": until}
        kept = {name: value for name, value in asked.items() if value}
        older = "/admin/audit?" + urlencode({**kept, "before": found.next}) if found.next else None
        return page(
            request,
            "accounts/audit.html",
            entries=found.entries,
            asked=asked,
            filtered=bool(kept),
            groups=_GROUPS,
            actions=[entry.value for entry in Action],
            older=older,
            is_first=before is None,
        )

    @routes.get("/api/audit", summary="What users did, newest first", tags=["audit"])
    def list_audit(
        viewer: Admin,
        who: str | None = None,
        action: Annotated[str | None, Query(description="An action, or a group such as `call`.")] = None,
        call_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = _PAGE,
        before: Annotated[str | None, Query(description="Cursor: `next` of the page before.")] = None,
    ) -> AuditPage:
        return log.page(
            who=who,
            action=action,
            call_id=call_id,
            since=_in_utc(since),
            until=_in_utc(until),
            limit=limit,
            before=before,
        )

    return routes


def _midnight(day: str, days_later: int = 0) -> datetime | None:
    """The start of a day in UTC; None for what is no day."""
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        return None
    return datetime(parsed.year, parsed.month, parsed.day, tzinfo=UTC) + timedelta(days=days_later)


def _in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
