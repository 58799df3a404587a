"""The page /talk as a caller uses it, and the sound that their browser received."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Final

import numpy as np
from playwright.async_api import FrameLocator, Page, expect

from kame_voice.core.nouns import Pcm

__all__ = ["TalkPage", "keep_what_is_heard"]

_KEEP: Final = (Path(__file__).parent / "keep_what_is_heard.js").read_text(encoding="utf-8")
HEARD_RATE: Final = 24_000
"""Hz of what `TalkPage.heard` returns."""


async def keep_what_is_heard(page: Page) -> None:
    """Before the page is opened: let it keep the sound of every track that it receives."""
    await page.add_init_script(_KEEP)


class TalkPage:
    """Finds things as people do: by what they are called. `within`: the page, or a frame of it."""

    def __init__(self, within: Page | FrameLocator) -> None:
        self._within = within
        self.call = within.get_by_role("button", name=re.compile("^Call"))
        self.hang_up = within.get_by_role("button", name="Hang up")
        self.mute = within.get_by_role("button", name="Mute")
        self.keypad = within.get_by_role("button", name="Keypad")
        self.status = within.locator("#status")
        self.trouble = within.get_by_role("alert")
        self.staff = within.get_by_label("For staff")
        self.captions = within.get_by_role("log", name="Captions")

    async def is_greeted(self) -> None:
        """Wait until the greeting stands in the captions, spoken to its end."""
        await expect(self.captions.locator(".agent").first).to_be_visible()

    async def says(self, speaker: str, words: str | re.Pattern[str], within_s: float = 30) -> None:
        """Wait until `speaker` ("caller" or "agent") has said these words, for good."""
        row = self.captions.locator(f".{speaker}").filter(has_text=words)
        await expect(row.first).to_be_visible(timeout=within_s * 1000)


async def heard(page: Page) -> Pcm:
    """What the page's loudspeaker was given so far, mono at 24 kHz."""
    sound = await page.evaluate("() => window.kameHeard()")
    return (np.frombuffer(base64.b64decode(sound), "<i2") / 32768).astype(np.float32)
