"""The front end with a real, tiny, random model: it babbles, but every seam is the true one."""

import asyncio
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the gpu extra is not installed")
pytest.importorskip("moshi", reason="the gpu extra is not installed")

from kame_voice.core.nouns import OracleSource
from kame_voice.core.oracle_stream import OracleAppend, OracleClose, OracleOpen
from kame_voice.core.settings import Settings
from kame_voice.core.telemetry import Telemetry
from kame_voice.front_end.base import SpokenFrame
from kame_voice.front_end.kame.factory import build_kame_front_end, load_engine
from kame_voice.hearing.base import HeardFrame
from tests.front_end.kame.fakes import FRAME, beep
from tests.front_end.kame.test_front_end import CALL, FLOW, listen, until

pytestmark = pytest.mark.anyio


def settings(checkpoint: Path) -> Settings:
    return Settings(engine_weights=str(checkpoint), engine_device="cpu", capacity=2)


async def test_a_call_is_greeted_exactly_and_then_talks(checkpoint: Path) -> None:
    front_end = build_kame_front_end(settings(checkpoint), Telemetry(), beep)
    await front_end.warm([FLOW])
    running = asyncio.create_task(front_end.run())
    async with asyncio.timeout(60):
        await until(lambda: front_end.ready)
        slot = await front_end.take_slot(CALL, FLOW)
        frames: list[SpokenFrame] = []
        listening = asyncio.create_task(listen(slot, frames))
        saying = asyncio.create_task(slot.say("hello there"))
        chance = np.random.default_rng(0)
        heard = 0
        while not saying.done() or heard < 12:
            pcm = chance.standard_normal(FRAME).astype(np.float32) * 0.05
            slot.hear(HeardFrame(pcm, heard * 80, True))
            heard += 1
            if heard == 3:
                slot.guide(OracleOpen("o1", OracleSource.LLM, 0, True))
                slot.guide(OracleAppend("o1", "we are open"))
                slot.guide(OracleClose("o1"))
            await until(lambda count=heard: len(frames) >= count)  # type: ignore[misc]
        assert await saying is True
        await slot.release()
        await listening
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert len(frames) == heard, "one frame for every frame heard"
    assert all(frame.pcm.shape == (FRAME,) for frame in frames)
    verbatim = [word.text for frame in frames for word in frame.words if word.verbatim]
    assert verbatim == ["hello", "there"]


async def test_the_scribes_codes_are_those_of_the_codec_and_its_text_stands_beside_them(
    checkpoint: Path,
) -> None:
    loaded = load_engine(settings(checkpoint), beep)
    try:
        script = await asyncio.wrap_future(loaded.scribe.write("open today", interruptible=False))
        again = await asyncio.wrap_future(loaded.scribe.write("open today", interruptible=True))
    finally:
        loaded.close()
    assert script.codes.shape == (1 + 3 + 2, 8)
    assert ((script.codes >= 0) & (script.codes < 64)).all()
    pieces = [token for token in script.text.tolist() if token not in (0, 3)]
    assert pieces[:2] == loaded.vocabulary.pieces.encode("open today")[:2]
    assert [word.text for word in script.words] == ["open", "today"]
    assert again.codes is script.codes, "a text said before is not encoded twice"
    assert again.begun == 0
