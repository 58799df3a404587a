"""Whatever callers say, flows hold and people type is text to a real browser: nothing of it runs."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import secrets
from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

import pytest
from playwright.async_api import Page, expect

from kame_voice.calls.transcript import Turn
from kame_voice.core.nouns import OracleOutcome, OracleSource, Role, Speaker
from kame_voice.oracle.base import OracleRecord
from tests.support.axe import wider_than_the_screen
from tests.support.browser import PHONE, OpenBrowser, needs_chromium
from tests.support.eventually import eventually
from tests.support.harm import HOSTILE, SHORT, SIGN, Alarm
from tests.support.house import House, a_running_call, open_house
from tests.support.pages import pages_of
from tests.support.signed_in import signed_in_page
from tests.support.talk_page import TalkPage
from tests.support.told_calls import Words

pytestmark = [pytest.mark.anyio, needs_chromium, pytest.mark.timeout(180)]

WORDS = Words(
    greeting=HOSTILE, business=SHORT, question=HOSTILE, answer=HOSTILE, rental=HOSTILE, unknown=HOSTILE,
    comment=HOSTILE, asked_in_vain=HOSTILE, note=HOSTILE, caller=SHORT, technical=HOSTILE, user=SHORT,
    token=SHORT,
)  # fmt: skip
SHOWING = {
    "/calls", "/calls/{call_id}", "/calls/{call_id}/flow", "/live", "/live/{call_id}", "/unknown", "/lines",
    "/lines/{line}", "/lines/{line}/ask", "/admin/users", "/admin/users/{user_id}", "/admin/audit",
    "/talk", "/talk/{line}", "/widget/{line}",
}  # fmt: skip
"""Pages that must show what somebody else wrote, else the test looks at nothing."""
PARAMETERS = (
    "text", "line", "customer", "status", "flag", "caller", "tag", "before", "who", "action", "call", "since",
    "from", "to", "questions", "answer", "next", "done", "question", "days", "seen",
)  # fmt: skip


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("hostile"), WORDS) as house:
        yield house


def say_and_think(house: House, call_id: str) -> None:
    """Hostile words of a caller, and of what the agent thinks of saying, on a running call.

    Told as the session tells them: no voice spells out a tag, and speech to text may be another tomorrow.
    """
    live = house.line.app.live_calls.get(call_id)
    assert live is not None
    for index, is_final in ((900, False), (901, True)):
        live.turns_changed([Turn(index, Speaker.CALLER, 100, 900, f"caller {HOSTILE}", is_final=is_final)])
    live.oracle_changed(
        OracleRecord(
            "o900", OracleSource.LLM, HOSTILE, True, 100, text=HOSTILE, outcome=OracleOutcome.ADOPTED
        )
    )
    live.dtmf(SHORT, 900)


async def test_the_alarm_goes_off_where_a_page_hands_words_on(house: House, chromium: OpenBrowser) -> None:
    async with signed_in_page(chromium, house.line, Role.ADMIN, name="control", allows=[".*"]) as page:
        alarm = await Alarm.on(page)
        await page.goto(f"{house.url}/account")
        await page.evaluate("words => document.body.insertAdjacentHTML('beforeend', words)", HOSTILE)
        await eventually_harmed(
            alarm, "policy", "element: <img", "element: <svg", "attribute onload", "address: <a"
        )
        await page.goto("about:blank")
        await page.set_content(f"<p>{HOSTILE} {7919 * 7907}")
        await eventually_harmed(alarm, "ran", "frame", "element: <iframe", "a template worked it out")
        await page.evaluate("alert('now')")
        await eventually_harmed(alarm, "dialog: now")


async def eventually_harmed(alarm: Alarm, *wanted: str) -> None:
    for _ in range(100):
        found = await alarm.harm()
        if all(any(one.startswith(start) for one in found) for start in wanted):
            return
        await alarm.page.wait_for_timeout(50)
    raise AssertionError(f"the alarm told only {found}, not {wanted}")


async def until_the_unknown_is_gathered(page: Page, house: House) -> None:
    """A question without an answer is counted a moment after its call is over."""
    async with asyncio.timeout(60):
        while True:
            await page.goto(f"{house.url}/unknown")
            if SIGN in await page.locator("main").inner_text():
                return
            await page.wait_for_timeout(200)


async def test_nothing_runs_on_any_page_that_shows_them_and_none_bursts(
    house: House, chromium: OpenBrowser
) -> None:
    harm, shown, wide = list[str](), set[str](), list[str]()
    async with signed_in_page(
        chromium,
        house.line,
        Role.ADMIN,
        [SHORT],
        name=f"admin {secrets.token_hex(3)} {SHORT}",  # another in a second try
        user_agent=SHORT,
        screen=PHONE,
    ) as page:
        alarm = await Alarm.on(page)
        await page.goto(f"{house.url}/account")
        await page.get_by_label("Name of a new token").fill(SHORT)
        await page.get_by_role("button", name="Make a token").click()
        await expect(page.get_by_label("The new token")).to_be_visible()
        harm += await alarm.harm()
        await page.get_by_role("button", name=f"Revoke {SHORT}").click()
        assert alarm.dialogs.pop().endswith("stop working."), "a question that quotes the token's name"
        await until_the_unknown_is_gathered(page, house)
        for one in pages_of(house):
            await page.goto(house.url + one.address, referer=one.referer)
            if one.path in ("/live", "/live/{call_id}"):
                say_and_think(house, house.running)
                await expect(page.locator("main")).to_contain_text(f"caller {HOSTILE[:40]}")
            if SIGN in await page.locator("main").inner_text():
                shown.add(one.path)
            harm += [f"{one}: {what}" for what in await alarm.harm()]
            if wider := await wider_than_the_screen(page):
                wide.append(f"{one}: {wider} px")
    assert not harm, "\n".join(harm)
    assert not wide, f"words push the page wider than a phone: {wide}"
    assert shown >= SHOWING, f"show nothing hostile: {sorted(SHOWING - shown)}"


async def test_nothing_runs_that_stands_in_an_address(house: House, chromium: OpenBrowser) -> None:
    every = dict.fromkeys(PARAMETERS, HOSTILE)
    harm = []
    async with signed_in_page(
        chromium, house.line, Role.ADMIN, name="reader", allows=["status of 4"]
    ) as page:
        alarm = await Alarm.on(page)
        addresses = [one.address.partition("?")[0] for one in pages_of(house, first_only=True)]
        asked = [f"{address}?{urlencode(every)}" for address in addresses]
        asked += [
            f"{place}/{quote(HOSTILE, safe='')}"
            for place in ("", "/calls", "/lines", "/talk", "/welcome", "/admin/users")
        ]
        few = {
            "text": "refund",
            "line": house.flow.line,
            "id": SHORT,
            "questions": HOSTILE,
            "answer": HOSTILE,
        }
        asked += [
            f"/unknown/draft?{urlencode(few)}",
            f"/lines/{house.flow.line}/ask?{urlencode({'question': HOSTILE})}",
            f"/calls?{urlencode({'text': SIGN, 'tag': SHORT, 'caller': SHORT[:40]})}",
            f"/calls/{house.call}?{urlencode({'text': SIGN})}#{quote(HOSTILE)}",
            f"/calls/{house.call}#t={quote(SHORT)}",
        ]
        for address in asked:
            await page.goto(house.url + address, wait_until="domcontentloaded")
            harm += [f"{address[:60]}: {what}" for what in await alarm.harm()]
    assert not harm, "\n".join(harm)


async def test_nothing_runs_of_a_flow_that_is_in_no_order(house: House, chromium: OpenBrowser) -> None:
    [file] = [path for name, path in house.line.app.flows.generation.paths.items() if name == house.flow.line]
    whole = file.read_text()
    file.write_text(f"{whole}{json.dumps(HOSTILE)}: {json.dumps(HOSTILE)}\nlanguage: {json.dumps(HOSTILE)}\n")
    house.line.app.flows.reload()
    async with signed_in_page(chromium, house.line, name="editor") as page:
        alarm = await Alarm.on(page)
        await page.goto(f"{house.url}/lines/{house.flow.line}")
        await expect(page.locator(".mistakes")).to_contain_text(SIGN)
        assert not await alarm.harm()
    file.write_text(whole)
    house.line.app.flows.reload()


async def test_signing_in_leads_to_no_address_that_runs(house: House, chromium: OpenBrowser) -> None:
    async with chromium.page(allows=["401"]) as page:
        alarm = await Alarm.on(page)
        await page.goto(f"{house.url}/sign-in?{urlencode({'next': 'javascript:window.__pwned=1'})}")
        await page.get_by_label("Name").fill(SHORT)
        await page.get_by_label("Password").fill(HOSTILE)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        assert await page.get_by_label("Name").input_value() == SHORT
        assert await page.locator("[name=next]").input_value() == "/"
        assert not await alarm.harm()


async def test_nothing_runs_while_captions_come_in_and_when_the_call_ends(
    house: House, chromium: OpenBrowser
) -> None:
    async with (
        a_running_call(house.line, caller=SHORT, rest=house.rest) as live,
        signed_in_page(chromium, house.line, name=f"supervisor {SHORT}") as page,
    ):
        alarm = await Alarm.on(page)
        await page.goto(f"{house.url}/live/{live.call.id}")
        await expect(page.locator("[data-captions]")).to_contain_text(SIGN)  # the greeting, really spoken
        say_and_think(house, live.call.id)
        await expect(page.locator("[data-thoughts]")).to_contain_text(f"on “{HOSTILE[:40]}")
        await expect(page.locator("[data-status]")).to_contain_text(SIGN)  # the key pressed
        await page.get_by_label("What the agent should say next").fill(HOSTILE)
        await page.get_by_role("button", name="Whisper").click()
        await expect(page.locator("[data-thoughts]")).to_contain_text("from supervisor")
        assert not await alarm.harm()
        live.ended("failed", HOSTILE)
        await expect(page.get_by_text("The call is over")).to_contain_text(SIGN)
        assert not await alarm.harm()


async def test_nothing_runs_on_the_page_of_a_caller_in_a_call(house: House, chromium: OpenBrowser) -> None:
    known = {info.call.id for info in house.line.app.live_calls.running()}
    async with signed_in_page(chromium, house.line, name=f"caller {SHORT}", allows=["AudioContext"]) as page:
        alarm = await Alarm.on(page)
        await page.goto(f"{house.url}/talk/{house.flow.line}")
        talk = TalkPage(page)
        await talk.call.click()
        await expect(talk.hang_up).to_be_visible()
        [call_id] = await eventually(
            lambda: [
                info.call.id for info in house.line.app.live_calls.running() if info.call.id not in known
            ],
            within_s=30,
        )
        await expect(page.locator("#captions-box")).to_contain_text(SIGN)
        say_and_think(house, call_id)
        await expect(page.locator("#captions-box .caller").first).to_contain_text(f"caller {HOSTILE[:40]}")
        await expect(talk.staff).to_contain_text(SIGN)
        assert not await alarm.harm()
        await talk.hang_up.click()
        await expect(talk.status).to_have_text("The call has ended")
        assert not await alarm.harm()


async def test_what_is_taken_away_is_harmless_too(house: House, chromium: OpenBrowser) -> None:
    async with signed_in_page(chromium, house.line, name="exporter", allows=["404"]) as page:
        alarm = await Alarm.on(page)
        await page.goto(f"{house.url}/api/calls/{house.call}")  # shown by the browser, as JSON
        assert SIGN in await page.locator("body").inner_text()
        assert not await alarm.harm()
        api = f"{house.url}/api/calls/{house.call}"
        for end, kind in (("txt", "text/plain"), ("vtt", "text/vtt"), ("json", "application/json")):
            taken = await page.request.get(f"{api}/transcript.{end}")
            assert taken.headers["content-type"].startswith(kind)
            assert taken.headers["x-content-type-options"] == "nosniff"
            assert taken.headers["content-disposition"].startswith("attachment")
            assert SIGN in await taken.text()
        table = await (await page.request.get(f"{house.url}/api/calls.csv")).text()
        cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
        assert any(SIGN in cell for cell in cells)
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert await tags_in_cues(page, f"{api}/transcript.vtt") == ["SPAN"]
        assert not await alarm.harm()


async def tags_in_cues(page: Page, address: str) -> list[str]:
    """The elements that the browser makes of a transcript's cues; SPAN is a voice, our own."""
    await page.goto(address.partition("/api/")[0] + "/account")
    found: list[str] = await page.evaluate(
        """async (address) => {
          const video = document.createElement("video");
          const track = Object.assign(document.createElement("track"), { src: address, default: true });
          const read = new Promise((done, failed) => { track.onload = done; track.onerror = failed; });
          video.append(track);
          document.body.append(video);
          track.track.mode = "hidden";
          await read;
          const cues = [...track.track.cues].map((cue) => cue.getCueAsHTML());
          if (!cues.length) throw new Error("no cues");
          video.remove();
          const found = cues.flatMap((cue) => [...cue.querySelectorAll("*")]);
          return [...new Set(found.map((one) => one.tagName))];
        }""",
        address,
    )
    return found
