"""The dashboard over HTTP: a page and an API, each of the viewer's customers only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kame_voice.caller.scripts import stay
from tests.support.running_app import RunningApp, flow_text, running_app

pytestmark = pytest.mark.anyio

ADMIN = {"Authorization": "Bearer test-api-token"}
PAGE = {"Accept": "text/html", **ADMIN}
OTHER = flow_text("other-main", "+15550177").replace("customer: acme", "customer: other")


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, flow_text(), OTHER, capacity=3) as line:
        for to in ("+15550100", "+15550177"):
            await line.caller().call(line.identity(to), stay(400))
        await line.app.desk.idle()
        yield line


async def get(line: RunningApp, path: str, headers: dict[str, str] = ADMIN) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(line.url + path, headers=headers)


async def counted(line: RunningApp, query: str = "", calls: int = 2) -> dict[str, object]:
    """The API's answer, once so many calls are on the record."""
    while True:
        told: dict[str, object] = (await get(line, f"/api/dashboard{query}")).json()
        assert isinstance(told["total"], dict)
        if told["total"]["answered"] == calls and told["total"]["minutes"] > 0:
            return told


async def test_the_calls_of_the_last_days_are_counted_by_line_and_day(line: RunningApp) -> None:
    told = await counted(line)
    assert isinstance(told["by_line"], dict)
    assert isinstance(told["by_day"], dict)
    assert list(told["by_line"]) == ["acme-main", "other-main"]
    assert len(told["by_day"]) == 7
    assert (told["running"], told["slots"]) == (0, {"capacity": 3, "taken": 0})
    assert told["peak_calls_at_once"] == 1


async def test_one_line_can_be_asked_for(line: RunningApp) -> None:
    told = await counted(line, "?line=acme-main", calls=1)
    assert isinstance(told["by_line"], dict)
    assert list(told["by_line"]) == ["acme-main"]


async def test_the_page_shows_figures_and_charts_and_htmx_gets_its_part(line: RunningApp) -> None:
    await counted(line)
    whole = await get(line, "/", PAGE)
    part = await get(line, "/?line=acme-main", PAGE | {"HX-Request": "true"})
    assert (whole.status_code, part.status_code) == (200, 200)
    assert whole.text.count('<svg class="chart') == part.text.count('<svg class="chart') == 3
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert "/lines/other-main" in whole.text
    assert "other-main" not in part.text


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-13-01"])
async def test_a_day_that_is_none_is_told_so(line: RunningApp, query: str) -> None:
    assert (await get(line, f"/?{query}", PAGE)).status_code == 422
    assert (await get(line, f"/api/dashboard?{query}")).status_code == 422


@pytest.mark.parametrize("query", ["from=0001-01-01&to=0001-01-02", "from=9999-12-01&to=9999-12-31"])
async def test_the_ends_of_the_calendar_break_nothing(line: RunningApp, query: str) -> None:
    assert (await get(line, f"/api/dashboard?{query}")).json()["total"]["calls"] == 0
