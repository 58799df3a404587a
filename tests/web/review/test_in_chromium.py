"""The review as people use it: a real Chromium, mouse and keyboard. Console errors fail the test."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Dialog, Page, expect

from kame_voice.core.nouns import Role
from kame_voice.server import listen
from kame_voice.store.rows import CallStatus, TurnRow
from tests.support.browser import needs_chromium, open_browser
from tests.web.review.conftest import NOON, Office
from tests.web.review.test_unknown import put_question, read

pytestmark = [pytest.mark.anyio, needs_chromium]


@contextlib.asynccontextmanager
async def browsing(office: Office, role: Role = Role.REVIEWER) -> AsyncIterator[tuple[Page, str]]:
    """Ana's browser, signed in, and the address of the office."""
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(office.web, log_level="warning", lifespan="off"))
    cookie = {"name": "kame_session", "value": office.sign_in("ana", "acme", role=role), "url": url}
    with contextlib.closing(listener):
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="office")
        try:
            async with open_browser() as browser, browser.page() as page:
                await page.context.add_cookies([cookie])  # type: ignore[list-item]
                yield page, url
        finally:
            server.should_exit = True
            await serving


def furnish(office: Office) -> None:
    """Three calls; the newest has a recording of ten seconds."""
    office.put_call("c1", "Do you rent bikes?", "Yes, we rent city bikes.")
    office.put_call("c2", "I want a refund", started_at=NOON + timedelta(hours=1), status=CallStatus.DROPPED)
    office.put_call(
        "c3", "How much is a puncture repair?", "Twelve euros, and you can wait.", "And a refund?",
        started_at=NOON + timedelta(hours=2), duration_ms=10_000,
    )  # fmt: skip
    office.record("c3", 10.0)


async def test_calls_are_found_by_keyboard_alone(office: Office) -> None:
    furnish(office)
    async with browsing(office) as (page, url):
        await page.goto(f"{url}/calls")
        await expect(page.locator("#rows tr")).to_have_count(3)
        await page.keyboard.press("/")
        await page.keyboard.type("refund")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**text=refund**")
        await expect(page.locator("#rows tr mark")).to_have_text(["refund", "refund"])
        for key in "jjk":
            await page.keyboard.press(key)
        await expect(page.locator("tr.chosen")).to_have_id("call-c3")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/calls/c3?text=refund")
        await expect(page.locator("#turns mark")).to_have_text("refund")


async def test_a_list_is_narrowed_by_choice_and_renews_itself(office: Office) -> None:
    furnish(office)
    async with browsing(office) as (page, url):
        await page.goto(f"{url}/calls")
        await page.get_by_label("Status").select_option("dropped")
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator("#rows tr")).to_have_count(1)
        office.put_call("c9", "new", started_at=NOON + timedelta(hours=3), status=CallStatus.DROPPED)
        await expect(page.locator("#rows tr")).to_have_count(2)
        await page.locator("#call-c9 .about").click()
        await page.wait_for_url("**/calls/c9")


async def test_a_recording_is_heard_in_step_with_its_transcript(office: Office) -> None:
    furnish(office)
    async with browsing(office) as (page, url):
        await page.goto(f"{url}/calls/c3#t=2.5")
        await expect(page.locator("#player[data-drawn]")).to_be_visible()
        await expect(page.locator("#wave canvas").first).to_be_attached()
        await expect(page.locator("[aria-current=true]")).to_have_id("turn-2")
        await page.get_by_role("button", name="agent, 0:01: play from here").click()
        await expect(page.locator("#player")).to_have_class("player card playing")
        await expect(page.locator("#clock")).to_have_text(re.compile("0:0[2-9]"))  # it plays
        await page.keyboard.press(" ")
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        await page.locator("#turn-0 .words [data-t]").first.click()
        await expect(page.locator("[aria-current=true]")).to_have_id("turn-0")
        await page.keyboard.press(" ")
        await page.keyboard.press("j")
        await expect(page.locator("[aria-current=true]")).to_have_id("turn-1")
        await page.keyboard.press("]")
        await expect(page.get_by_label("Speed")).to_have_value("1.25")
        await page.locator("#turn-0 .lane summary").click()
        await expect(page.locator("#turn-0 .lane li")).to_contain_text("asked on “How much is a puncture")


async def test_words_of_each_answer_of_a_turn_are_heard_where_they_were_said(office: Office) -> None:
    furnish(office)
    office.put_oracle("c3", "o8", "open", "We open at nine.", 7000, facts=("hours",), grounded=True)
    office.put_oracle("c3", "o9", "hiring", "We are hiring.", 7000, source="llm", grounded=False)
    office.writer.put(
        TurnRow(
            call_id="c3", index=8, speaker="agent", text="We open at nine. We are hiring.",
            heard_text="We open at nine. We are", start_ms=7000, end_ms=9000, oracle_ids=("o8", "o9"),
            word_ms=(7000, 7200, 7400, 7600, 8500, 8700), portions=(
                {"oracle_id": "o8", "words": 4, "heard_words": 4},
                {"oracle_id": "o9", "words": 3, "heard_words": 2},
            ),
        )
    )  # fmt: skip
    office.write()
    async with browsing(office) as (page, url):
        await page.goto(f"{url}/calls/c3")
        await expect(page.locator("#turn-3 .words > span.no-source")).to_have_text("We are")
        await page.locator("#turn-3 .words > span.no-source [data-t]").first.click()
        await expect(page.locator("#clock")).to_have_text(re.compile("0:0[89]|0:10"))


async def test_an_admin_deletes_a_call_once_asked_whether_that_is_meant(office: Office) -> None:
    furnish(office)
    async with browsing(office, role=Role.ADMIN) as (page, url):
        await page.goto(f"{url}/calls/c3")
        asked: list[str] = []

        async def answer(dialog: Dialog) -> None:
            asked.append(dialog.message)
            await (dialog.accept() if len(asked) > 1 else dialog.dismiss())

        page.on("dialog", answer)
        await page.get_by_role("button", name="Delete").click()
        assert office.archive.calls.get("c3") is not None
        await page.get_by_role("button", name="Delete").click()
        await page.wait_for_url("**/calls")
        await expect(page.locator("#call-c3")).to_have_count(0)
        await expect(page.locator("#call-c2")).to_be_visible()
        assert "for good" in asked[0]


async def test_a_note_is_written_at_the_moment_that_plays(office: Office) -> None:
    furnish(office)
    async with browsing(office) as (page, url):
        await page.goto(f"{url}/calls/c3#t=2.0")
        await expect(page.locator("[aria-current=true]")).to_have_id("turn-2")
        await page.keyboard.press("n")
        await page.keyboard.type("Polite.")
        await page.get_by_role("button", name="Add note").click()
        await expect(page.locator(".note-list li")).to_contain_text("Polite.")
        await page.get_by_label("Disposition").select_option("resolved")
        await page.get_by_label("Tags").fill("price, <b>")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#notes .notice")).to_contain_text("is no tag")
        await page.get_by_label("Tags").fill("price")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#notes .notice")).to_have_count(0)
        await expect(page.get_by_label("Tags")).to_have_value("price")
        (note,) = office.parts.notes.of("c3")
        assert (note.text, note.at_ms) == ("Polite.", 2000)
        await page.get_by_role("button", name="Remove the note of ana").click()
        await expect(page.locator(".note-list li")).to_have_count(0)


async def test_calls_are_taken_away_by_their_buttons(office: Office) -> None:
    furnish(office)
    async with browsing(office) as (page, url):
        await page.goto(f"{url}/calls/c3")
        for name, begins in (("as text", b"Call c3"), ("WebVTT", b"WEBVTT"), ("Opus", b"OggS")):
            await page.locator("summary", has_text="Export").click()
            async with page.expect_download() as taken:
                await page.get_by_role("link", name=name).click()
            path = Path(await (await taken.value).path())
            assert path.read_bytes().startswith(begins)
            await page.keyboard.press("Escape")
        await page.goto(f"{url}/calls?flag=failure")
        async with page.expect_download() as taken:
            await page.get_by_role("link", name="Export as CSV").click()
        assert Path(await (await taken.value).path()).read_text().count("\n") == 2


async def test_a_fact_is_drafted_from_what_we_did_not_know(office: Office) -> None:
    put_question(office, "c1", "Can I bring my dog?")
    put_question(office, "c2", "Are dogs allowed?")
    read(office)
    async with browsing(office) as (page, url):
        await page.goto(f"{url}/unknown")
        await page.get_by_role("button", name="Draft a fact").click()
        await page.get_by_label("Answer").fill("Yes, on a lead.")
        await page.get_by_role("button", name="Write the YAML").click()
        await expect(page.locator("#draft-yaml")).to_contain_text("answer: Yes, on a lead.")
