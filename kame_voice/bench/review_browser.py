"""How long a page takes in a real Chromium, and how evenly it scrolls. Needs Playwright, a test tool."""

from __future__ import annotations

import importlib.util
import shutil
import statistics
from dataclasses import dataclass
from typing import Any, Final

from kame_voice.bench.server import MeasuredServer

__all__ = ["BrowserFigures", "in_chromium"]

_FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
_TIMES: Final = 5
_LOADED: Final = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"
_SCROLL: Final = """
() => new Promise((done) => {
  const frames = [];
  const begun = performance.now();
  let last = begun;
  const step = (now) => {
    frames.push(now - last);
    last = now;
    scrollTo(0, ((now - begun) / 4000) * document.documentElement.scrollHeight);
    if (now - begun < 4000) requestAnimationFrame(step);
    else done(frames.slice(2));
  };
  requestAnimationFrame(step);
})
"""
"""From top to bottom in four seconds, as fast as a person with a mouse; the time between frames."""


@dataclass(frozen=True, slots=True)
class BrowserFigures:
    """Milliseconds from the click; shares of frames."""

    loaded_ms: float
    worst_loaded_ms: float
    drawn_ms: float
    frame_ms: float
    frame_p95_ms: float
    slow_frames: float


def in_chromium(served: MeasuredServer, path: str, chromium: str | None) -> BrowserFigures | None:
    """Open `path` five times with an empty cache, then scroll through it. None without a browser."""
    found = chromium or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None or importlib.util.find_spec("playwright") is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        headers = {"Authorization": f"Bearer {served.api_token}"}
        loaded, drawn, frames = [], [], []
        for _ in range(_TIMES):
            context = browser.new_context(viewport={"width": 1280, "height": 800}, extra_http_headers=headers)
            page = context.new_page()
            page.goto(f"{served.server.url}{path}", wait_until="load")
            page.wait_for_selector("#player[data-drawn]")
            loaded.append(float(page.evaluate(_LOADED)))
            drawn.append(
                float(page.evaluate("() => Number(document.getElementById('player').dataset.drawn)"))
            )
            frames = sorted(float(frame) for frame in _scrolled(page))
            context.close()
        browser.close()
    return BrowserFigures(
        loaded_ms=statistics.median(loaded),
        worst_loaded_ms=max(loaded),
        drawn_ms=statistics.median(drawn),
        frame_ms=statistics.median(frames),
        frame_p95_ms=frames[int(len(frames) * 0.95)],
        slow_frames=sum(frame > 50 for frame in frames) / len(frames),
    )


def _scrolled(page: Any) -> list[float]:
    frames: list[float] = page.evaluate(_SCROLL)
    return frames
