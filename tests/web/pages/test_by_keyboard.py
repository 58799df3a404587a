"""A day's work without a mouse: every page by Tab, and each thing that is done, done by keys."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from playwright.async_api import expect

from kame_voice.core.nouns import Role
from tests.support.browser import OpenBrowser, needs_chromium
from tests.support.house import ACME, House, a_running_call
from tests.support.keyboard import tab_to, where_tab_leads_wrong
from tests.support.pages import pages_of
from tests.support.people import PASSWORD, add_user
from tests.support.signed_in import signed_in_page

pytestmark = [pytest.mark.anyio, needs_chromium, pytest.mark.timeout(180)]


async def test_tab_goes_round_every_page_and_shows_where_it_is(house: House, chromium: OpenBrowser) -> None:
    wrong: list[str] = []
    async with (
        signed_in_page(chromium, house.line, Role.ADMIN, (), name="tabber") as admin,
        chromium.page() as stranger,
    ):
        for page in pages_of(house, first_only=True):
            tab = stranger if page.strangers_only else admin
            await tab.goto(house.url + page.address, referer=page.referer)
            wrong += [f"{page}: {one}" for one in await where_tab_leads_wrong(tab)]
    assert not wrong, "\n".join(wrong)


async def test_a_reviewer_signs_in_and_finds_a_call(house: House, chromium: OpenBrowser) -> None:
    name = f"nomouse-{secrets.token_hex(3)}"  # another in a second try
    add_user(house.line, name, Role.REVIEWER, password=PASSWORD)
    async with chromium.page() as page:
        keys = page.keyboard
        await page.goto(f"{house.url}/calls")
        await keys.type(name)
        await keys.press("Tab")
        await keys.type(PASSWORD)
        await keys.press("Enter")
        await page.wait_for_url("**/calls")
        await expect(page.get_by_role("heading", name="Calls")).to_be_visible()

        await keys.press("/")
        await keys.type("twelve")
        await tab_to(page, page.get_by_label("Status"))
        await keys.type("comp")
        await tab_to(page, page.get_by_role("button", name="Show"))
        await keys.press("Enter")
        await page.wait_for_url(re.compile("text=twelve.*status=completed"))
        await expect(page.locator("#rows tr[data-href]")).to_have_count(1)
        await tab_to(page, page.get_by_role("link", name="Clear"))
        await keys.press("Enter")
        await page.wait_for_url("**/calls")
        rows = await page.locator("#rows tr[data-href]").evaluate_all("all => all.map((one) => one.id)")
        for _ in range(1 + rows.index(f"call-{house.call}")):
            await keys.press("j")
        await expect(page.locator("tr.chosen")).to_have_id(f"call-{house.call}")
        await keys.press("Enter")
        await page.wait_for_url(f"**/calls/{house.call}")


async def test_a_call_is_heard_by_its_turns_and_words(house: House, chromium: OpenBrowser) -> None:
    async with signed_in_page(chromium, house.line, name="hears") as page:
        keys, player, now = page.keyboard, page.locator("#player"), page.locator("[aria-current=true]")
        plays = re.compile("playing")
        await page.goto(f"{house.url}/calls/{house.call}")
        await expect(player).to_have_attribute("data-drawn", re.compile("."))
        await keys.press(" ")
        await expect(player).to_have_class(plays)
        await keys.press(" ")
        await expect(player).not_to_have_class(plays)

        await tab_to(page, page.get_by_role("button", name="caller, 0:04: play from here"))
        await keys.press("Enter")  # as a click on a turn
        await expect(player).to_have_class(plays)
        await keys.press(" ")
        await expect(now).to_have_id("turn-4")
        for key, turn in (("j", 5), ("k", 4), ("k", 3), ("k", 2), ("k", 1)):
            await keys.press(key)
            await expect(now).to_have_id(f"turn-{turn}")

        word = page.locator(".words [data-t]:focus")
        for key, text in ((".", "A"), (".", "puncture"), (",", "A"), (",", "repair?"), (".", "A")):
            await keys.press(key)
            await expect(word).to_have_text(text)
        await expect(now).to_have_id("turn-1")
        await keys.press("Enter")  # as a click on a word
        await expect(player).to_have_class(plays)
        await keys.press(" ")
        await expect(player).not_to_have_class(plays)
        for _ in range(2):
            await keys.press("ArrowRight")
        await expect(page.locator("#clock")).to_have_text("0:08")


async def test_a_call_is_judged_and_taken_away(house: House, chromium: OpenBrowser) -> None:
    async with signed_in_page(chromium, house.line, name="judges") as page:
        keys = page.keyboard
        await page.goto(f"{house.url}/calls/{house.call}")
        await keys.press("n")
        await keys.type("Heard without a mouse.")
        await tab_to(page, page.get_by_role("button", name="Add note"))
        await keys.press("Enter")
        await expect(page.locator(".note-list")).to_contain_text("Heard without a mouse.")
        await expect(page.locator("#note-add")).to_be_focused()
        await tab_to(page, page.get_by_label("Disposition"))
        await keys.type("res")
        await tab_to(page, page.get_by_label("Tags"))
        await keys.press("End")
        await keys.type(" mended")
        await tab_to(page, page.get_by_role("button", name="Save"))
        await keys.press("Enter")
        await expect(page.get_by_label("Tags")).to_have_value("mended price")
        await expect(page.get_by_label("Disposition")).to_have_value("resolved")
        await expect(page.locator("#judgement-save")).to_be_focused()
        await tab_to(page, page.get_by_role("button", name="Remove the note of judges"), back=True)
        await keys.press("Enter")
        await expect(page.locator(".note-list")).not_to_contain_text("Heard without a mouse.")
        await expect(page.locator("#note-text")).to_be_focused()

        export = page.locator("summary", has_text="Export")
        await tab_to(page, export, back=True)
        await keys.press("Enter")
        await tab_to(page, page.get_by_role("link", name="Transcript as text"))
        async with page.expect_download() as taken:
            await keys.press("Enter")
        assert Path(await (await taken.value).path()).read_text().startswith(f"Call {house.call}")
        await keys.press("Escape")
        assert await export.evaluate("one => one === document.activeElement && !one.parentElement.open")


async def test_a_supervisor_asks_a_line_and_steers_a_running_call(
    house: House, chromium: OpenBrowser
) -> None:
    async with (
        a_running_call(house.line, caller="+15550122", rest=house.rest) as live,
        signed_in_page(chromium, house.line, Role.SUPERVISOR, name="steers") as page,
    ):
        keys = page.keyboard
        await page.goto(f"{house.url}/lines/{ACME[0]}")
        await tab_to(page, page.get_by_label("What a caller would say"))
        await keys.type("Do you rent bikes?")
        await keys.press("Enter")
        await expect(page.locator("#trial .answer")).to_have_text(house.words.rental)

        await tab_to(page, page.get_by_role("link", name="Live"), back=True)
        await keys.press("Enter")
        await tab_to(page, page.locator(f'a[href="/live/{live.call.id}"]'))
        await keys.press("Enter")
        await expect(page.get_by_text("You see this call as it happens.")).to_be_visible()

        listen = page.get_by_role("button", name="Listen in")
        await tab_to(page, listen)
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="Sound")).to_be_visible()
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name="Sound")).to_be_hidden()

        await tab_to(page, page.get_by_label("What the agent should say next"))
        await keys.type("We close at noon.")
        await keys.press("Control+Enter")
        await expect(page.locator("[data-captions]")).to_contain_text("We close at noon.")
        await expect(page.locator("#hint")).to_be_focused()

        page.on("dialog", lambda dialog: dialog.accept())
        await tab_to(page, page.get_by_role("button", name="Hang up"), back=True)
        await keys.press("Enter")
        await expect(page.get_by_text("The call is over")).to_be_visible()
        await expect(page.get_by_role("link", name="Open its record")).to_be_focused()
        await keys.press("Enter")
        await page.wait_for_url(f"**/calls/{live.call.id}")
