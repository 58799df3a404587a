"""Every page in a real browser: accessible by axe-core's rules, narrow enough for a phone, by role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from kame_voice.caller.scripts import stay
from kame_voice.core.nouns import Role
from tests.support.browser import PHONE, needs_chromium, open_browser
from tests.support.eventually import eventually
from tests.support.running_app import RunningApp, flow_text, running_app
from tests.support.signed_in import signed_in_page

pytestmark = [pytest.mark.anyio, needs_chromium, pytest.mark.timeout(120)]

AXE = (Path(__file__).parents[2] / "vendor" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, flow_text(more="browser: {talk: true}\n")) as line:
        await line.caller().call(line.identity(), stay(600))
        await line.app.desk.idle()
        yield line


async def addresses(line: RunningApp) -> list[str]:
    """Every page that a signed-in person opens, with a call and a line filled in."""
    calls = await eventually(lambda: line.app.archive.calls.list().calls)
    fixed = "/ /calls /live /lines /unknown /account /admin/users /admin/audit /talk /talk/acme-main"
    return [
        *fixed.split(),
        f"/calls/{calls[0].id}",
        "/lines/acme-main",
        "/lines/acme-main/ask?question=hello",
        "/unknown?line=acme-main",
        "/there-is-no-such-page",
    ]


async def violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    # Through the debugger: the page's own policy lets in no script that is not its own.
    client = await page.context.new_cdp_session(page)
    await client.send("Runtime.evaluate", {"expression": AXE})
    told: dict[str, Any] = await client.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run().then(r => r.violations.filter(v => ['serious', 'critical']"
            ".includes(v.impact)).map(v => v.id + ': ' + v.nodes.map(n => n.target).join(' ')))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    assert "exceptionDetails" not in told, told
    found: list[str] = told["result"]["value"]
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_a_serious_violation(line: RunningApp, scheme: str) -> None:
    paths, wrong = await addresses(line), list[str]()
    assert len(paths) >= 9, paths
    async with (
        open_browser() as browser,
        signed_in_page(browser, line, Role.ADMIN, (), color_scheme=scheme, allows=[".*"]) as page,
    ):
        for path in paths:
            answer = await page.goto(line.url + path)
            assert answer is not None
            if "text/html" in answer.headers.get("content-type", ""):
                wrong += [f"{path} {one}" for one in await violations(page)]
    assert not wrong, "\n".join(wrong)


async def test_no_page_is_wider_than_a_phone(line: RunningApp) -> None:
    wide = []
    async with (
        open_browser() as browser,
        signed_in_page(browser, line, Role.ADMIN, (), screen=PHONE, allows=[".*"]) as page,
    ):
        for path in await addresses(line):
            await page.goto(line.url + path)
            width = await page.evaluate("document.documentElement.scrollWidth")
            if width > PHONE[0]:
                wide.append(f"{path}: {width} px")
    assert not wide, wide


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_finds_its_rooms_in_the_menu_and_walks_them_by_keyboard(
    line: RunningApp, role: Role
) -> None:
    async with open_browser() as browser, signed_in_page(browser, line, role) as page:
        await page.goto(line.url + "/")
        rooms = await page.locator("nav.rooms a").all_inner_texts()
        assert rooms[:5] == ["Dashboard", "Calls", "Live", "Unknown questions", "Lines"]
        assert ("Admin" in rooms) == (role is Role.ADMIN)
        for room in ("Calls", "Lines"):
            link = page.locator("nav.rooms").get_by_role("link", name=room)
            for _ in range(12):
                await page.keyboard.press("Tab")
                if await link.evaluate("one => one === document.activeElement"):
                    break
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name=room, level=1).wait_for()


async def test_a_reviewer_is_refused_the_admin_s_room(line: RunningApp) -> None:
    async with (
        open_browser() as browser,
        signed_in_page(browser, line, Role.REVIEWER, allows=["403"]) as page,
    ):
        answer = await page.goto(line.url + "/admin")
        assert answer is not None
        assert answer.status == 403
