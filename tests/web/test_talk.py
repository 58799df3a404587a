"""The pages for callers, and the call button's frame: who is shown what, under which headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.running_app import RunningApp, flow_text, running_app

pytestmark = pytest.mark.anyio

SITE = "https://www.acme.example"
STAFF = {"Authorization": "Bearer test-api-token"}
OFFER = {"line": "open", "type": "offer", "sdp": "v=0"}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    flows = [
        flow_text("open", "+15550100", "browser: {talk: true, max_calls_per_hour: 1}\n"),
        flow_text("closed", "+15550101"),
        flow_text("button", "+15550102", f"browser: {{widget: true, origins: ['{SITE}']}}\n"),
    ]
    async with running_app(tmp_path, *flows) as app:
        yield app


@pytest.fixture
async def http(line: RunningApp) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=line.url, trust_env=False) as client:
        yield client


async def test_the_public_is_shown_the_lines_that_are_open_to_it(http: httpx.AsyncClient) -> None:
    page = await http.get("/talk")
    assert 'href="/talk/open"' in page.text
    assert "/talk/closed" not in page.text
    assert "/talk/button" not in page.text
    statuses = [(await http.get(f"/talk/{name}")).status_code for name in ("open", "closed", "nowhere")]
    assert statuses == [200, 404, 404]
    assert "For staff" not in (await http.get("/talk/open")).text


async def test_people_signed_in_are_shown_their_lines_too(http: httpx.AsyncClient) -> None:
    page = await http.get("/talk", headers=STAFF)
    assert 'href="/talk/closed"' in page.text
    assert "staff only" in page.text
    assert "For staff" in (await http.get("/talk/closed", headers=STAFF)).text


async def test_a_page_for_callers_runs_no_script_but_ours_and_stands_in_no_frame(
    http: httpx.AsyncClient,
) -> None:
    policy = (await http.get("/talk/open")).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_the_frame_is_served_to_a_named_site_and_to_that_one_only(http: httpx.AsyncClient) -> None:
    frame = await http.get("/widget/button", headers={"Referer": f"{SITE}/"})
    assert frame.status_code == 200
    assert frame.headers["content-security-policy"].endswith(f"frame-ancestors {SITE}")
    assert "x-frame-options" not in frame.headers
    assert f'data-site="{SITE}"' in frame.text


@pytest.mark.parametrize("referer", ["https://evil.example/", "", "nonsense", "null"])
async def test_another_site_s_owner_reads_why_there_is_no_frame(
    http: httpx.AsyncClient, referer: str
) -> None:
    refused = await http.get("/widget/button", headers={"Referer": referer})
    assert refused.status_code == 403
    assert "may not stand here" in refused.text
    assert "data-pass" not in refused.text
    assert (await http.get("/widget/open", headers={"Referer": f"{SITE}/"})).status_code == 403
    assert (await http.get("/widget/nowhere", headers={"Referer": f"{SITE}/"})).status_code == 404


async def test_the_script_of_the_button_may_be_used_anywhere_and_tells_nothing(
    http: httpx.AsyncClient,
) -> None:
    script = await http.get("/widget.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age=300" in script.headers["cache-control"]


@pytest.mark.parametrize(
    ("line_name", "headers", "code"),
    [
        ("closed", {}, "closed-to-browsers"),
        ("nowhere", {}, "unknown-line"),
        ("button", {}, "closed-to-browsers"),
        ("open", {"Origin": "https://evil.example"}, "foreign-site"),
        ("open", {"Sec-Fetch-Site": "cross-site"}, "foreign-site"),
    ],
)
async def test_an_offer_that_is_not_let_in_says_why(
    http: httpx.AsyncClient, line_name: str, headers: dict[str, str], code: str
) -> None:
    answer = await http.post("/webrtc/offer", json=OFFER | {"line": line_name}, headers=headers)
    assert answer.json()["code"] == code
    assert answer.json()["detail"]
