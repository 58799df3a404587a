"""The browser harness itself: what the tests of pages lean on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.browser import PHONE, needs_chromium, open_browser, write_microphone

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60), needs_chromium]

ASK = """async () => {
  try { await navigator.mediaDevices.getUserMedia({audio: true}); return "given"; }
  catch (error) { return error.name; }
}"""
LOUDEST = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia(
    {audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
  const context = new AudioContext();
  const meter = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(meter);
  const samples = new Float32Array(meter.fftSize);
  let loudest = 0;
  for (let look = 0; look < 40 && loudest < 0.2; look++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    meter.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples);
  }
  return loudest;
}"""


async def test_the_microphone_speaks_the_file(tmp_path: Path, local_page: str) -> None:
    tone = (0.5 * np.sin(np.arange(24_000) * 2 * np.pi * 440 / 24_000)).astype(np.float32)
    wav = write_microphone(tmp_path / "tone.wav", 0.3, tone)
    async with open_browser(microphone=wav) as browser, browser.page(screen=PHONE) as page:
        await page.goto(local_page)
        # Chromium's own gain, and what falls into the moment that is measured, change how loud it is.
        assert 0.1 < await page.evaluate(LOUDEST) < 0.7


async def test_a_user_may_refuse_or_have_no_microphone(local_page: str, tmp_path: Path) -> None:
    wav = write_microphone(tmp_path / "silence.wav", 1.0)
    async with open_browser(microphone=wav, allow=False) as browser, browser.page() as page:
        await page.goto(local_page)
        assert await page.evaluate(ASK) == "NotAllowedError"
    async with open_browser() as browser, browser.page() as page:
        await page.goto(local_page)
        assert await page.evaluate(ASK) == "NotFoundError"


async def test_a_page_that_complains_fails_its_test(local_page: str) -> None:
    async with open_browser() as browser:
        with pytest.raises(AssertionError, match="on purpose"):
            async with browser.page() as page:
                await page.evaluate("console.error('on purpose')")
        async with browser.page(allows=["on purpose"]) as page:
            await page.evaluate("console.error('on purpose')")
