"""Calls from the page /talk in real Chromium, whose microphone speaks a synthesised question."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.async_api import Page, expect

from kame_voice.audio.resample import Resampler
from kame_voice.bench.judge import recall
from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.listener import Listener
from kame_voice.core.nouns import Pcm
from tests.support.browser import PHONE, OpenBrowser, needs_chromium, open_browser, write_microphone
from tests.support.running_app import OPEN_TO_BROWSERS, flow_text
from tests.support.server_process import ServerProcess
from tests.support.talk_page import TalkPage, heard, keep_what_is_heard

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120), needs_chromium]


QUESTION = re.compile("puncture|rent", re.I)


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """A caller who says nothing."""
    return write_microphone(tmp_path / "silence.wav", 60.0)


async def test_two_callers_at_once_each_read_and_hear_their_own_answer_and_staff_see_why(
    tmp_path: Path, voice: CallerVoice, listener: Listener
) -> None:
    questions = {"How much is a puncture repair?": "twelve euros", "Do you rent bikes?": "twenty euros"}
    callers: list[dict[str, str]] = [{}, {"Authorization": "Bearer staff-token"}]
    server = ServerProcess(
        tmp_path, flow_text(more=OPEN_TO_BROWSERS), KAME_FRONT_END="spoken", KAME_API_TOKEN="staff-token"
    )

    async def ask(question: str, answer: str, headers: dict[str, str]) -> Pcm:
        wav = write_microphone(tmp_path / f"{answer}.wav", 4.0, voice.sound(question), 60.0)
        async with (
            open_browser(microphone=wav) as browser,
            browser.page(screen=PHONE, extra_http_headers=headers) as page,
        ):
            await keep_what_is_heard(page)
            await page.goto(f"{server.url}/talk")
            await page.get_by_role("link", name="Acme Bicycles").click()
            talk = TalkPage(page)
            await talk.call.click()
            await talk.says("agent", "how can I help?")
            await talk.says("caller", QUESTION)
            await talk.says("agent", answer)
            sound = await heard(page)
            if headers:
                await expect(talk.staff).to_contain_text(answer)
                await expect(talk.staff).to_contain_text(re.compile(r"knowledge, adopted.*\d+ ms", re.S))
            else:
                await expect(talk.staff).to_have_count(0)
            await talk.hang_up.click()
            await expect(talk.status).to_have_text("The call has ended")
            await expect(talk.call).to_have_text("Call again")
            assert len(await talk.captions.locator(".caller").all()) == 1, "one side's words once"
            return sound

    async with server.serving():
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(ask(*question, headers), name=question[0])
                for question, headers in zip(questions.items(), callers, strict=True)
            ]
        calls = await server.closed_calls(2)  # before the server is killed
    assert {call.status for call in calls} == {"completed"}
    assert {call.from_number for call in calls} == {"browser:127.0.0.1", "staff:KAME_API_TOKEN"}
    for (question, answer), task in zip(questions.items(), asking, strict=True):
        (call,) = [call for call in calls if any(answer in (turn.text or "") for turn in call.turns)]
        texts = {"caller": "", "agent": ""}
        for turn in call.turns:
            texts[turn.speaker] += f" {turn.text}"
        assert recall(question, texts["caller"]) >= 0.5
        assert not [other for other in questions.values() if other != answer and other in texts["agent"]]
        spoken = next(turn for turn in call.turns if answer in (turn.text or ""))
        assert spoken.heard_text == spoken.text
        in_the_ear = listener.text(Resampler(24_000, 8_000).feed(task.result()))
        assert recall(f"how can I help? {spoken.text}", in_the_ear) > 0.7


async def test_keys_are_pressed_by_hand_and_by_keyboard_and_a_mute_is_silence(tmp_path: Path) -> None:
    tone = (0.4 * np.sin(np.arange(24_000 * 20) * 2 * np.pi * 300 / 24_000)).astype(np.float32)
    wav = write_microphone(tmp_path / "tone.wav", tone)
    server = ServerProcess(tmp_path, flow_text(more=OPEN_TO_BROWSERS))
    async with server.serving(), open_browser(microphone=wav) as browser, browser.page() as page:
        await keep_what_is_heard(page)
        await page.goto(f"{server.url}/talk/acme-main")
        talk = TalkPage(page)
        await page.keyboard.press("Tab")
        await expect(talk.call).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(talk.mute).to_be_enabled()
        await talk.keypad.click()
        await page.get_by_role("button", name="5", exact=True).click()
        await page.keyboard.press("#")
        await expect(page.get_by_label("Keys pressed")).to_have_text("5#")
        await page.keyboard.press("Escape")
        await expect(talk.keypad).to_be_focused()
        await until_it_sounds(page, 0.02, 1.0)
        await talk.mute.click()
        await expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
        await until_it_sounds(page, 0.0, 0.001)
        await talk.hang_up.click()
        (call,) = await server.closed_calls()
    assert [event.data["digit"] for event in call.events if event.kind == "dtmf"] == ["5", "#"]


async def test_a_tab_that_is_closed_or_dies_ends_its_call_with_the_record_complete(
    tmp_path: Path, microphone: Path
) -> None:
    server = ServerProcess(tmp_path, flow_text(more=OPEN_TO_BROWSERS))
    async with server.serving(), open_browser(microphone=microphone) as browser:
        async with browser.page() as page:
            await page.goto(f"{server.url}/talk/acme-main")
            await TalkPage(page).call.click()
            await expect(TalkPage(page).mute).to_be_enabled()
            await page.close(run_before_unload=True)
            (closed,) = await server.closed_calls(within_s=5)
        async with browser.page() as page:
            await page.goto(f"{server.url}/talk/acme-main")
            await TalkPage(page).call.click()
            await expect(TalkPage(page).mute).to_be_enabled()
            await kill_tab(page)
            killed, _ = await server.closed_calls(2, within_s=10)
    assert (closed.status, killed.status) == ("completed", "dropped")
    assert killed.duration_ms is not None


async def test_a_full_house_is_told_in_the_line_s_own_words(tmp_path: Path, microphone: Path) -> None:
    flow = flow_text(more=OPEN_TO_BROWSERS + "overflow: {say: Everybody is out riding.}\n")
    server = ServerProcess(tmp_path, flow, KAME_CAPACITY="1")
    async with (
        server.serving(),
        open_browser(microphone=microphone) as browser,
        browser.page() as first,
        browser.page(allows=["503"]) as second,
    ):
        await first.goto(f"{server.url}/talk/acme-main")
        await TalkPage(first).call.click()
        await expect(TalkPage(first).mute).to_be_enabled()
        await second.goto(f"{server.url}/talk/acme-main")
        await TalkPage(second).call.click()
        await expect(TalkPage(second).trouble).to_contain_text("All our lines are busy")
        await expect(TalkPage(second).trouble).to_contain_text("Everybody is out riding.")
        await expect(TalkPage(second).call).to_be_focused()
        await TalkPage(first).hang_up.click()
        await server.until_calls_run(0)
        await TalkPage(second).call.click()
        await expect(TalkPage(second).mute).to_be_enabled()
        await expect(TalkPage(second).trouble).to_be_hidden()


async def test_a_caller_without_microphone_or_server_reads_what_to_do(
    tmp_path: Path, microphone: Path
) -> None:
    server = ServerProcess(tmp_path, flow_text(more=OPEN_TO_BROWSERS))
    async with server.serving():
        elsewhere = f"http://talk.test:{server.port}/talk/acme-main"
        here = f"{server.url}/talk/acme-main"
        async with open_browser(microphone=microphone, allow=False) as browser:
            await is_told(browser, here, "The microphone is blocked", "Allow it")
        async with open_browser(flags=["--host-resolver-rules=MAP talk.test 127.0.0.1"]) as browser:
            await is_told(browser, here, "No microphone found", "Plug one in")
            await is_told(browser, elsewhere, "This page is not secure", "https")
        async with open_browser(microphone=microphone) as browser:
            await is_told(browser, here, "The server cannot be reached", "connection", cut="**/webrtc/**")
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{server.url}/talk/nowhere")).status_code == 404
        with server.archive() as archive:
            assert not archive.calls.list().calls, "nobody came through"


async def is_told(browser: OpenBrowser, url: str, title: str, advice: str, cut: str = "") -> None:
    """A call from `url` fails with these words, and can be tried again."""
    async with browser.page(screen=PHONE, allows=["ERR_FAILED", "Opener-Policy"]) as page:
        if cut:
            await page.route(cut, lambda route: route.abort())
        await page.goto(url)
        talk = TalkPage(page)
        await talk.call.click()
        await expect(talk.trouble).to_contain_text(title)
        await expect(talk.trouble).to_contain_text(advice)
        await expect(talk.call).to_have_text("Call again")


async def until_it_sounds(page: Page, quietest: float, loudest: float) -> None:
    """Wait until the last 300 ms that the page heard are this loud (RMS)."""
    async with asyncio.timeout(10):
        while True:
            last = (await heard(page))[-7200:]
            if len(last) and quietest <= np.sqrt(np.mean(last**2)) <= loudest:
                return
            await asyncio.sleep(0.1)


async def kill_tab(page: Page) -> None:
    """The tab's process dies: nothing is said to anybody."""
    session = await page.context.new_cdp_session(page)
    crashed = asyncio.ensure_future(page.wait_for_event("crash"))
    crash = asyncio.ensure_future(session.send("Page.crash"))
    await crashed
    crash.cancel()
