"""Real Chromium, headless, with a microphone that speaks a WAV file. For pages as people use them.

    async with open_browser(microphone=spoken_wav(...)) as browser, browser.page() as page:
        await page.goto(server.url)

Every page is watched: an uncaught error, a console error or a breach of the content security policy
fails the test, unless it is expected (`page(allows=…)`).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from kame_voice.audio.wav import write_wav
from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["DESKTOP", "PHONE", "OpenBrowser", "needs_chromium", "open_browser", "write_microphone"]

PHONE: Final = (360, 740)
"""A small phone's screen, in CSS pixels."""
DESKTOP: Final = (1280, 800)

_PATIENCE_MS: Final = 30_000
"""For what comes at once on a machine with nothing else to do; a busy one is no fault of the page."""
expect.set_options(timeout=_PATIENCE_MS)

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
)


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


needs_chromium = pytest.mark.skipif(
    _chromium() is None,
    reason="Chromium is missing: install it (Debian: apt-get install chromium) or name it in $CHROMIUM",
)


@dataclass(frozen=True)
class OpenBrowser:
    """A running Chromium. Each `page()` has cookies and storage of its own, as another person's browser."""

    browser: Browser

    @contextlib.asynccontextmanager
    async def page(
        self, *, screen: tuple[int, int] = DESKTOP, allows: Sequence[str] = (), **context: Any
    ) -> AsyncIterator[Page]:
        """A blank page. Leaving it fails the test for what went wrong in it, but for `allows`.

        `allows`: regular expressions of complaints that belong to the test. `context` goes to
        Playwright's `new_context`: `color_scheme="dark"`, `permissions=[]`, `storage_state=…`.
        """
        width, height = screen
        opened = await self.browser.new_context(viewport={"width": width, "height": height}, **context)
        complaints: list[str] = []
        try:
            page = await opened.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            yield page
        finally:
            await opened.close()
        unexpected = [text for text in complaints if not any(re.search(known, text) for known in allows)]
        assert not unexpected, "the page complained: " + "; ".join(unexpected)


@contextlib.asynccontextmanager
async def open_browser(
    *, microphone: Path | None = None, allow: bool = True, flags: Sequence[str] = ()
) -> AsyncIterator[OpenBrowser]:
    """Start Chromium; everything it opened is gone when the body is left.

    `microphone`: a WAV that is spoken once, from the moment a page opens the microphone; None: there
    is no microphone at all. `allow`: the user's answer when a page asks for it.
    """
    options = [*_FLAGS, *flags]
    if microphone is not None:
        options += [
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone}%noloop",
        ]
    options.append("--use-fake-ui-for-media-stream" if allow else "--deny-permission-prompts")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_chromium(), headless=True, args=options, handle_sigint=False
        )
        try:
            yield OpenBrowser(browser)
        finally:
            await browser.close()


def write_microphone(path: Path, *parts: Pcm | float) -> Path:
    """A WAV for `open_browser`: sound (24 kHz) and pauses in seconds, one after the other."""
    write_wav(path, np.concatenate([_silence(part) if isinstance(part, float) else part for part in parts]))
    return path


def _silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)
