"""The call button on another site, in real Chromium: where the flow names the site, and where not."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from kame_voice.caller.clip import CallerVoice
from tests.support.browser import PHONE, needs_chromium, open_browser, write_microphone
from tests.support.foreign_site import foreign_site
from tests.support.running_app import flow_text
from tests.support.server_process import ServerProcess
from tests.support.talk_page import TalkPage

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120), needs_chromium]


async def test_visitors_of_a_named_site_may_call_and_others_are_refused(
    tmp_path: Path, voice: CallerVoice
) -> None:
    wav = write_microphone(tmp_path / "ask.wav", 4.0, voice.sound("Do you rent bikes?"), 60.0)
    server = ServerProcess(tmp_path, KAME_FRONT_END="spoken")
    with foreign_site(server.url, "acme-main") as named, foreign_site(server.url, "acme-main") as other:
        server.write_flow(flow_text(more=f"browser: {{widget: true, origins: ['{named}']}}\n"))
        async with server.serving(), open_browser(microphone=wav) as browser:
            async with browser.page(screen=PHONE) as page:
                await page.goto(named)
                button = page.get_by_role("button", name="Call the workshop")
                await page.get_by_role("link", name="A link of the site's own").focus()
                await expect(button).to_be_visible()
                await page.keyboard.press("Tab")
                await page.keyboard.press("Enter")
                frame = page.frame_locator("iframe")
                talk = TalkPage(frame)
                await expect(talk.call).to_be_enabled()
                await talk.call.press("Enter")
                await talk.says("agent", "how can I help?")
                await expect(page.get_by_role("button", name="In a call")).to_be_visible()
                # The panel may be closed meanwhile: the call goes on.
                await page.get_by_role("button", name="Close").click()
                await expect(page.locator("iframe")).to_be_hidden()
                await page.get_by_role("button", name="In a call").click()
                await talk.says("agent", "twenty euros")
                await talk.hang_up.click()
                await expect(talk.status).to_have_text("The call has ended")
                await expect(button).to_be_visible()
                await frame.locator("body").press("Escape")
                await expect(page.locator("iframe")).to_have_count(0)
                await expect(button).to_be_focused()
            (call,) = await server.closed_calls()
            async with browser.page(allows=["403"]) as page:
                await page.goto(other)
                await page.get_by_role("button", name="Call the workshop").click()
                refused = page.frame_locator("iframe").get_by_role("alert")
                await expect(refused).to_contain_text("may not stand here")
                await expect(refused).to_contain_text(other)
            async with browser.page(allows=["frame-ancestors", "ERR_BLOCKED"]) as page:
                # A site that names itself falsely: the browser keeps the frame from it.
                await page.route("**/widget/*", lambda route: fetched_as_if_from(named, route))
                await page.goto(other)
                await page.get_by_role("button", name="Call the workshop").click()
                frame = page.frame_locator("iframe")
                await expect(frame.get_by_role("heading", name="Acme Bicycles")).to_have_count(0)
                await expect(TalkPage(frame).call).to_have_count(0)
    assert call.status == "completed"
    assert call.from_number == "browser:127.0.0.1"


async def fetched_as_if_from(site: str, route: Route) -> None:
    """The server is told that the frame stands on `site`."""
    answer = await route.fetch(headers=route.request.headers | {"referer": f"{site}/"})
    assert answer.ok
    await route.fulfill(response=answer)
