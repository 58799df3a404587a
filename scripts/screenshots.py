"""Pictures of the web application for README and docs, from calls that were really placed.

    make screenshots          # runs `kame-voice demo-data` first where there is no data yet

Starts a server over that data, opens its pages in Chromium, light and dark, while one more call runs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
from pathlib import Path

import httpx
from playwright.async_api import Browser, async_playwright

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


async def take(served: MeasuredServer, out: Path) -> None:
    voice = CallerVoice(pitch=1.1)
    clips = [voice.speak(text) for text in SAYS]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for scheme in ("light", "dark"):
            async with asyncio.TaskGroup() as group:
                script = conversation(clips, manners=Manners(settle_ms=1_500))
                caller = PhoneCaller(served.server)
                group.create_task(caller.call(CallIdentity("+12025550199", "+15550100"), script))
                await asyncio.sleep(14)
                await shots(browser, served, scheme, out)
        await browser.close()


async def shots(browser: Browser, served: MeasuredServer, scheme: str, out: Path) -> None:
    headers = {"Authorization": f"Bearer {served.api_token}"}
    context = await browser.new_context(viewport=SIZE, color_scheme=scheme, extra_http_headers=headers)  # type: ignore[arg-type]
    page = await context.new_page()
    url = served.server.url
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
        running = (await http.get("/api/live")).json()
        calls = (await http.get("/api/calls?line=harbor-dental&limit=100")).json()["calls"]
    told = max(calls, key=lambda call: call.get("turn_count") or 0)
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
        await page.goto(url + path)
        await page.wait_for_timeout(1_500 if name in ("live", "call") else 500)
        await page.screenshot(path=out / f"{name}-{scheme}.png")
    await context.close()


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
