"""Pictures of the web application for README and docs, from calls that were really placed.

    make screenshots          # runs `kame-voice demo-data` first where there is no data yet

Starts a server over that data, and looks at its pages in Chromium, light and dark, while one more call
runs: as somebody of the front desk, who got a link, chose a password and signed in. The page for callers is
looked at as a caller.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from kame_voice.bench.server import MeasuredServer, serving_process
from kame_voice.caller.caller import PhoneCaller
from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.scripts import Manners, conversation
from kame_voice.caller.twilio_side import CallIdentity

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"]
SIZE = {"width": 1280, "height": 800}
SAYS = (
    "Hi, what would a cleaning set me back?",
    "And do you offer payment plans?",
    "How do I get to you?",
)


USER = "front-desk"


async def take(served: MeasuredServer, out: Path) -> None:
    voice = CallerVoice(pitch=1.1)
    clips = [voice.speak(text) for text in SAYS]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        password = await choose_password(browser, served)
        for scheme in ("light", "dark"):
            async with asyncio.TaskGroup() as group:
                script = conversation(clips, manners=Manners(settle_ms=1_500))
                caller = PhoneCaller(served.server)
                group.create_task(caller.call(CallIdentity("+12025550199", "+15550100"), script))
                await asyncio.sleep(14)
                await shots(browser, served, scheme, password, out)
        await browser.close()


def one_time_link(served: MeasuredServer) -> str:
    """The link with which the user sets a password; the user is made where there is none yet."""
    add = ["add", USER, "--role", "supervisor", "--customer", "*"]
    for command in (add, ["passwd", USER]):
        kame_voice = [sys.executable, "-m", "kame_voice", "users", *command]
        told = subprocess.run(kame_voice, env=served.env, capture_output=True, text=True, check=False)
        if found := re.search(r"https?://\S+/welcome/\S+", told.stdout):
            return found[0]
    raise SystemExit(f"no link for {USER}: {told.stderr or told.stdout}")


async def choose_password(browser: Browser, served: MeasuredServer) -> str:
    password = secrets.token_urlsafe(16)
    page = await browser.new_page()
    await page.goto(one_time_link(served))
    await page.get_by_label("Password").fill(password)
    await page.get_by_label("The same again").fill(password)
    await page.get_by_role("button", name="Set password").click()
    await page.get_by_role("heading", name="Dashboard").wait_for()
    await page.context.close()
    return password


async def sign_in(page: Page, url: str, password: str) -> None:
    await page.goto(f"{url}/sign-in")
    await page.get_by_label("Name").fill(USER)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Dashboard").wait_for()


async def shots(browser: Browser, served: MeasuredServer, scheme: str, password: str, out: Path) -> None:
    looks = {"viewport": SIZE, "color_scheme": scheme}
    desk = await browser.new_context(**looks)  # type: ignore[arg-type]
    caller = await browser.new_context(**looks)  # type: ignore[arg-type]
    url = served.server.url
    page, phone = await desk.new_page(), await caller.new_page()
    await sign_in(page, url, password)
    running = await asyncio.to_thread(served.api, "/api/live")
    calls = (await asyncio.to_thread(served.api, "/api/calls?line=harbor-dental&limit=100"))["calls"]
    told = max(
        (one for one in calls if one["status"] == "completed"), key=lambda call: call.get("turn_count") or 0
    )
    pages = {
        "live": f"/live/{running[0]['id']}" if running else "/live",
        "calls": "/calls",
        "call": f"/calls/{told['id']}",
        "dashboard": "/",
        "line": "/lines/harbor-dental",
        "unknown": "/unknown?line=harbor-dental",
        "talk": "/talk/harbor-dental",
    }
    for name, path in pages.items():
        shown = phone if name == "talk" else page
        await shown.goto(url + path)
        await shown.wait_for_timeout(1_500 if name in ("live", "call") else 500)
        await shown.screenshot(path=out / f"{name}-{scheme}.png")
    await desk.close()
    await caller.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data-dir", type=Path, default=Path("data"), help="made by `kame-voice demo-data`")
    options.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    settings = {"KAME_DATA_DIR": str(given.data_dir), "KAME_FRONT_END": "spoken"}
    with serving_process(Path("flows"), settings=settings) as served:
        asyncio.run(take(served, given.out))


main()
