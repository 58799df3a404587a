"""A supervisor at work in a real browser, while a real caller talks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page

from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.rest import RestStandIn, serving_rest
from kame_voice.caller.result import EndedBy
from kame_voice.caller.scripts import Ending, conversation
from kame_voice.store.calls import CallFilter
from tests.support.browser import needs_chromium, open_browser
from tests.support.eventually import eventually
from tests.support.running_app import TOKEN, running_app
from tests.support.signed_in import signed_in_page

pytestmark = [pytest.mark.anyio, needs_chromium, pytest.mark.timeout(90)]


async def sounds(page: Page, side: str) -> None:
    """Wait until that side's voice has come out of the page's audio worklet."""
    level = page.locator(f'[data-level="{side}"]')
    await level.wait_for()
    async with asyncio.timeout(20):
        while True:
            if await level.evaluate("meter => meter.value") > 0.02:
                return
            await asyncio.sleep(0.05)


async def test_a_call_is_watched_listened_to_and_ended(tmp_path: Path) -> None:
    clips = [CallerVoice(pitch=1.1).speak("How much is a puncture repair?")]
    rest = RestStandIn(TOKEN)
    with serving_rest(rest):
        async with (
            running_app(tmp_path, front_end="spoken", twilio_api_url=rest.url) as line,
            open_browser() as browser,
            signed_in_page(browser, line) as page,
            asyncio.TaskGroup() as group,
        ):
            await page.goto(f"{line.url}/live")
            await page.get_by_text("Nobody is on the line").wait_for()
            script = conversation(clips, ending=Ending.WAIT_FOR_AGENT, wait_ms=40_000)
            call = group.create_task(line.caller(rest=rest).call(line.identity(), script))
            card = page.locator(".live-card")
            await card.get_by_text("Acme Bicycles, how can I help?").wait_for()
            await page.get_by_text("1 call is running.").wait_for()

            await card.click()
            await page.get_by_role("button", name="Listen in").click()
            await sounds(page, "caller")
            await page.locator("[data-captions]").get_by_text("puncture", exact=False).first.wait_for()
            await page.locator("[data-captions]").get_by_text("wait for it", exact=False).wait_for()
            await sounds(page, "agent")
            await page.locator("[data-thoughts]").get_by_text("adopted").first.wait_for()

            await page.get_by_label("What the agent should say next").fill("We close early on Friday.")
            await page.get_by_role("button", name="Whisper").click()
            await page.locator("[data-captions]").get_by_text("close early on", exact=False).wait_for()

            page.on("dialog", lambda dialog: dialog.accept())
            await page.get_by_role("button", name="Hang up").click()
            result = await call
            await page.get_by_text("The call is over: a supervisor hung up.").wait_for()
            assert await page.get_by_role("link", name="Open its record").is_visible()
            assert result.ended_by is EndedBy.AGENT
            [kept] = await eventually(
                lambda: line.app.archive.calls.list(CallFilter(status="completed")).calls
            )
            assert kept.end_reason == "a supervisor hung up"
