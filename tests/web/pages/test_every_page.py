"""Every page in a real browser: accessible by axe-core's rules, fit for a phone, open to whom it should be.

Which pages there are is the route table's to say: see tests/support/pages.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from fastapi import FastAPI
from playwright.async_api import Page as Tab
from playwright.async_api import expect

from kame_voice.core.nouns import Role
from tests.support.axe import small_targets, unfold, violations, wider_than_the_screen
from tests.support.browser import DESKTOP, OpenBrowser, needs_chromium
from tests.support.house import House
from tests.support.pages import ERRORS, Page, errors_of, forgotten, pages_of
from tests.support.signed_in import signed_in_page

pytestmark = [pytest.mark.anyio, needs_chromium, pytest.mark.timeout(180)]

LARGE_PHONE: Final = (390, 844)
BY_MOUSE: Final[dict[str, Any]] = {"screen": DESKTOP, "color_scheme": "light"}
BY_FINGER: Final[dict[str, Any]] = {
    "screen": LARGE_PHONE, "color_scheme": "dark", "has_touch": True, "is_mobile": True,
}  # fmt: skip
"""Between them both colours and both sizes."""
MENUS: Final = "details[data-menu]"
"""They lie over other things while they are open."""
WITH_MENUS: Final = ("/", "/calls/{call_id}")
"""Where each of them can be seen."""


@contextlib.asynccontextmanager
async def tabs(
    house: House, chromium: OpenBrowser, name: str, options: dict[str, Any]
) -> AsyncIterator[tuple[Tab, Tab]]:
    """An admin's, who sees everything there is, and a stranger's."""
    told = {
        "allows": ["status of 4", "Applying inline style"],
        **options,
    }  # axe tries to style what it measures
    async with (
        signed_in_page(chromium, house.line, Role.ADMIN, (), name=name, **told) as admin,
        chromium.page(**told) as stranger,
    ):
        yield admin, stranger


async def opened(house: House, page: Page, admin: Tab, stranger: Tab) -> Tab:
    """The tab in which the page stands open."""
    tab = stranger if page.strangers_only else admin
    answer = await tab.goto(house.url + page.address, referer=page.referer)
    assert answer is not None
    assert answer.status == page.status, page.address
    assert answer.headers["content-type"].startswith("text/html"), page.address
    return tab


async def test_no_page_is_forgotten(house: House) -> None:
    assert not forgotten(house.line.app.asgi)


def test_a_new_page_is_asked_for() -> None:
    web = FastAPI(docs_url=None, redoc_url=None)
    web.get("/brand-new/{page}")(lambda: None)
    [asked] = [one for one in forgotten(web) if "brand-new" in one]
    assert asked.startswith("GET /brand-new/{page} is not in tests/support/pages.py: add it to PAGES with")


@pytest.mark.parametrize("options", [BY_MOUSE, BY_FINGER], ids=["light-desktop", "dark-phone"])
async def test_every_page_is_accessible_fits_its_screen_and_can_be_pressed(
    house: House, chromium: OpenBrowser, options: dict[str, Any]
) -> None:
    wrong: list[str] = []
    async with tabs(house, chromium, f"admin-{options['color_scheme']}", options) as (admin, stranger):
        for page in [*pages_of(house), *errors_of(house)]:
            tab = await opened(house, page, admin, stranger)
            await unfold(tab, "main details:not([data-menu])")
            found = await violations(tab)
            if wider := await wider_than_the_screen(tab):
                found.append(f"is {wider} px wider than the screen")
            if options is BY_FINGER:
                found += await small_targets(tab)
            if page.path in WITH_MENUS and await unfold(tab, MENUS):
                found += await violations(tab, MENUS)
            wrong += [f"{page}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_opens_its_pages_and_is_refused_the_others(
    house: House, chromium: OpenBrowser, role: Role
) -> None:
    told = {"allows": ["status of 403"]}
    async with signed_in_page(chromium, house.line, role, name=f"one-{role.value}", **told) as tab:
        for page in pages_of(house, first_only=True):
            if page.strangers_only:
                continue
            answer = await tab.goto(house.url + page.address, referer=page.referer)
            assert answer is not None
            opens = page.opens_for(role)
            assert answer.status == (200 if opens else 403), page.address
            assert answer.url == house.url + page.address
            title = tab.get_by_role("heading", level=1)
            assert await title.count() == 1, f"{page} has not one title"
            assert (await title.inner_text() == "Not for you") == (not opens), page.address
        await tab.goto(f"{house.url}/live/{house.running}")
        await expect(tab.get_by_text("You see this call as it happens.")).to_be_visible()
        for name in ("Listen in", "Hang up", "Whisper"):
            steers = await tab.get_by_role("button", name=name).count()
            assert bool(steers) == role.includes(Role.SUPERVISOR), f"{name} for a {role.value}"
        await tab.goto(house.url)
        rooms = await tab.locator("nav.rooms a").all_inner_texts()
        assert rooms[:5] == ["Dashboard", "Calls", "Live", "Unknown questions", "Lines"]
        assert ("Admin" in rooms) == (role is Role.ADMIN)


async def test_a_stranger_is_led_to_the_door_and_from_there_to_where_they_wanted(
    house: House, chromium: OpenBrowser
) -> None:
    async with chromium.page() as tab:
        for page in pages_of(house, first_only=True):
            await tab.goto(house.url + page.address, referer=page.referer, wait_until="domcontentloaded")
            if page.least is None:
                assert tab.url == house.url + page.address
            else:
                await expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
                assert await tab.locator("[name=next]").input_value() == page.address


async def test_who_is_signed_in_keeps_the_menu_where_there_is_nothing(
    house: House, chromium: OpenBrowser
) -> None:
    async with signed_in_page(chromium, house.line, name="lost", allows=["status of 4"]) as tab:
        for address in ERRORS:
            if address.startswith(("/talk", "/widget", "/welcome")):
                continue  # pages for people who are not signed in
            await tab.goto(house.url + address.format_map(house.places))
            await expect(tab.get_by_role("navigation", name="Rooms")).to_be_visible()
