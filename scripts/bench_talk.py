"""From the click on "Call" to the greeting's first sound, in real Chromium on loopback.

    .venv/bin/python -m scripts.bench_talk [CALLS]

Server, browser and fake microphone share the machine. Needs the test tools (`make setup-dev`).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page

from tests.support.browser import open_browser, write_microphone
from tests.support.running_app import OPEN_TO_BROWSERS, flow_text
from tests.support.server_process import ServerProcess
from tests.support.talk_page import TalkPage

# Stamps, in ms of the page's clock: the click, the microphone, the answer, the first sample over -40 dBFS.
STAMPS = """(() => {
  const at = (window.stamps = {});
  const note = (name) => (at[name] ??= performance.now());
  addEventListener("click", (event) => event.target.closest("#call") && note("click"), true);
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    note("microphone");
    return stream;
  };
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...options) {
      super(...options);
      const connected = () => this.connectionState === "connected" && note("connected");
      this.addEventListener("connectionstatechange", connected);
      this.addEventListener("track", ({ track }) => {
        const context = new AudioContext();
        const tap = context.createScriptProcessor(256, 1, 1);
        const sounds = (samples) => samples.some((sample) => Math.abs(sample) > 0.01);
        tap.onaudioprocess = ({ inputBuffer }) => sounds(inputBuffer.getChannelData(0)) && note("sound");
        context.createMediaStreamSource(new MediaStream([track])).connect(tap);
        tap.connect(context.destination);
      });
    }
    async setRemoteDescription(answer) { note("answer"); return super.setRemoteDescription(answer); }
  };
})();"""
UNTIL_IT_SOUNDS = """async () => {
  while (!window.stamps.sound) await new Promise((resolve) => setTimeout(resolve, 50));
  return window.stamps;
}"""
STEPS = ("microphone", "answer", "connected", "sound")


async def one_call(page: Page, url: str) -> dict[str, float]:
    """Milliseconds from the click to each step."""
    await page.goto(url)
    talk = TalkPage(page)
    await talk.call.click()
    stamps = await page.evaluate(UNTIL_IT_SOUNDS)
    await talk.hang_up.click()
    await asyncio.sleep(0.5)
    return {step: stamps[step] - stamps["click"] for step in STEPS}


async def measure(calls: int) -> list[dict[str, float]]:
    """The first call opens browser and server for the first time and is left out."""
    with tempfile.TemporaryDirectory() as folder:
        microphone = write_microphone(Path(folder) / "silence.wav", 300.0)
        server = ServerProcess(Path(folder), flow_text(more=OPEN_TO_BROWSERS), KAME_FRONT_END="spoken")
        async with server.serving(), open_browser(microphone=microphone) as browser, browser.page() as page:
            await page.add_init_script(STAMPS)
            return [await one_call(page, f"{server.url}/talk/acme-main") for _ in range(calls + 1)][1:]


def main() -> None:
    """Print medians and worst cases, and all of it as JSON."""
    results = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
    for step in STEPS:
        times = [result[step] for result in results]
        sys.stdout.write(
            f"{step:>11}  median {statistics.median(times):5.0f} ms  worst {max(times):5.0f} ms\n"
        )
    sys.stdout.write(json.dumps([{k: round(v) for k, v in result.items()} for result in results]) + "\n")


if __name__ == "__main__":
    main()
