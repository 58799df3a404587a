"""Who listens in hears both sides together, and can never hold up a call."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from numpy.typing import NDArray

from kame_voice.calls.listening_in import CallSound, Listening
from kame_voice.core.nouns import SAMPLE_RATE, Pcm

pytestmark = pytest.mark.anyio

FRAME = SAMPLE_RATE // 50


def tone(level: float, samples: int = FRAME) -> Pcm:
    return np.full(samples, level, np.float32)


def talk(sound: CallSound, frames: int, level: float = 0.25, since: int = 0) -> None:
    for number in range(since, since + frames):
        sound.caller(tone(level), number * FRAME)


async def heard(listening: Listening) -> NDArray[np.int16]:
    blocks = [block async for block in listening]
    return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.int16)


async def test_the_caller_is_left_and_the_agent_right_in_the_same_moment() -> None:
    sound = CallSound()
    with sound.listen() as listening:
        sound.agent(tone(0.5), FRAME)
        talk(sound, 4)
        sound.close()
        both = await heard(listening)
    assert both.shape == (4 * FRAME, 2)
    assert set(both[:, 0]) == {int(0.25 * 32767)}
    assert not both[:FRAME, 1].any()
    assert set(both[FRAME : 2 * FRAME, 1]) == {int(0.5 * 32767)}
    assert not both[2 * FRAME :, 1].any()


async def test_speech_that_was_cut_is_not_heard() -> None:
    sound = CallSound()
    with sound.listen() as listening:
        sound.agent(tone(0.5, 3 * FRAME), 0)
        sound.cut(FRAME + 100)
        talk(sound, 3)
        sound.close()
        both = await heard(listening)
    assert both[FRAME + 99, 1]
    assert not both[FRAME + 100 :, 1].any()


async def test_a_listener_hears_from_now_on() -> None:
    sound = CallSound()
    talk(sound, 5)
    with sound.listen() as listening:
        talk(sound, 2, since=5)
        sound.close()
        assert len(await heard(listening)) == 2 * FRAME
    assert not sound.listeners


async def test_a_slow_listener_loses_the_oldest_sound_and_memory_stays_bounded() -> None:
    sound = CallSound()
    with sound.listen() as listening:
        for second in range(10):
            sound.agent(tone(0.5, SAMPLE_RATE), second * SAMPLE_RATE)
            talk(sound, 50, level=second / 10, since=50 * second)
        sound.close()
        both = await heard(listening)
    assert listening.lost_ms == 8_000
    assert len(both) == 2 * SAMPLE_RATE
    assert set(both[:SAMPLE_RATE, 0]) == {int(0.8 * 32767)}


async def test_loud_sound_is_clipped_and_not_wrapped_around() -> None:
    sound = CallSound()
    with sound.listen() as listening:
        sound.caller(tone(1.5), 0)
        sound.close()
        assert int((await heard(listening))[0, 0]) == 32767


async def test_two_listeners_hear_the_same() -> None:
    sound = CallSound()
    with sound.listen() as one, sound.listen() as other:
        talk(sound, 3)
        sound.close()
        assert (await heard(one) == await heard(other)).all()


async def test_a_listener_waits_for_sound_without_turning_the_loop() -> None:
    sound = CallSound()
    with sound.listen() as listening:
        waiting = asyncio.ensure_future(anext(listening))
        await asyncio.sleep(0)
        assert not waiting.done()
        talk(sound, 2)
        assert len(await waiting) == 2 * FRAME
