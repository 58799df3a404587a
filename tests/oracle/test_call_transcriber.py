from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from kame_voice.core.telemetry import Telemetry
from kame_voice.hearing.base import (
    HeardFrame,
    TurnEnded,
    TurnEvent,
    TurnStarted,
    VoiceOnset,
    VoicePaused,
    VoiceResumed,
)
from kame_voice.oracle.base import Transcript
from kame_voice.oracle.call_transcriber import CallTranscriber
from kame_voice.oracle.doubt import Decoded
from kame_voice.oracle.hearing_window import Hearing, Reason
from kame_voice.oracle.stt_pool import SttPool

pytestmark = pytest.mark.anyio


class Stenographer:
    """A recogniser that hears one word a full 400 ms of audio. Waits for `open` before it writes."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.heard: list[Hearing] = []
        self.fails = False
        self.holds_up: dict[int, threading.Event] = {}
        self.went_on = threading.Event()

    def decode(self, hearing: Hearing) -> Decoded:
        self.open.wait(10)
        if hold_up := self.holds_up.get(hearing.turn_start_ms):
            hold_up.wait(10)
        else:
            self.went_on.set()
        self.heard.append(hearing)
        if self.fails:
            raise RuntimeError("no memory")
        words = " ".join(f"word-{chr(97 + n % 26)}" for n in range(len(hearing.audio) // 6400))
        return Decoded(words, -0.2, 0.02)


@pytest.fixture
def stenographer() -> Stenographer:
    return Stenographer()


@pytest.fixture
def pool(stenographer: Stenographer) -> Iterator[SttPool]:
    pool = SttPool(stenographer, 1, Telemetry())
    yield pool
    stenographer.open.set()
    pool.close()


class Line:
    def __init__(self, call_id: str, pool: SttPool) -> None:
        self.transcriber = CallTranscriber(call_id, pool)
        self.at_ms = 0

    def hears(self, *events: TurnEvent, frames: int = 1, voiced: bool = True) -> None:
        for number in range(frames):
            frame = HeardFrame(np.zeros(1920, np.float32), self.at_ms, voiced, events if number == 0 else ())
            self.transcriber.feed(frame)
            self.at_ms += 80

    def says_a_sentence(self) -> None:
        """1.2 s of voice, a pause, and the end of the turn."""
        start_ms = self.at_ms
        self.hears(VoiceOnset(start_ms), TurnStarted(start_ms), frames=15)
        self.hears(VoicePaused(self.at_ms), voiced=False, frames=3)
        self.hears(TurnEnded(start_ms, self.at_ms - 240), voiced=False)

    def goes_on(self) -> None:
        """Another such sentence, in the same turn."""
        start_ms = self.at_ms
        self.hears(VoiceOnset(start_ms), TurnStarted(start_ms, goes_on=True), frames=15)
        self.hears(VoicePaused(self.at_ms), voiced=False, frames=3)
        self.hears(TurnEnded(start_ms, self.at_ms - 240), voiced=False)

    async def until_final(self) -> list[Transcript]:
        heard = []
        async for transcript in self.transcriber.transcripts():
            heard.append(transcript)
            if transcript.is_final:
                break
        return heard


async def test_a_turn_has_one_final_and_it_is_the_hearing_at_the_pause(
    pool: SttPool, stenographer: Stenographer
) -> None:
    line = Line("a", pool)
    line.says_a_sentence()
    heard = await line.until_final()
    assert [one.is_final for one in heard].count(True) == 1
    assert heard[-1].text == heard[-1].stable
    assert heard[-1].text.startswith("word-a word-b")
    assert [one.reason for one in stenographer.heard].count(Reason.PAUSE) == 1
    assert not any(one.reason is Reason.FINAL for one in stenographer.heard)


async def test_a_final_waits_for_its_hearing(pool: SttPool, stenographer: Stenographer) -> None:
    stenographer.open.clear()
    line = Line("a", pool)
    line.says_a_sentence()
    final = asyncio.ensure_future(line.until_final())
    await asyncio.sleep(0)
    assert not final.done()
    stenographer.open.set()
    assert (await final)[-1].text


async def test_the_words_at_a_pause_are_told_as_such(pool: SttPool) -> None:
    line = Line("a", pool)
    line.hears(VoiceOnset(0), TurnStarted(0), frames=5)
    line.hears(VoicePaused(400), voiced=False)
    async for transcript in line.transcriber.transcripts():
        assert transcript.paused
        assert transcript.stable == transcript.text
        break


async def test_words_that_the_caller_went_on_from_before_they_were_read_are_no_pause(
    pool: SttPool, stenographer: Stenographer
) -> None:
    stenographer.open.clear()
    line = Line("a", pool)
    line.hears(VoiceOnset(0), TurnStarted(0), frames=5)
    line.hears(VoicePaused(400), voiced=False)
    line.hears(VoiceResumed(480))
    stenographer.open.set()
    async for transcript in line.transcriber.transcripts():
        assert not transcript.paused
        break


async def test_a_turn_without_words_ends_with_an_empty_final(pool: SttPool) -> None:
    line = Line("a", pool)
    line.hears(VoiceOnset(0), TurnStarted(0))
    line.hears(VoicePaused(80), voiced=False)
    line.hears(TurnEnded(0, 80), voiced=False)
    assert (await line.until_final())[-1].text == ""


async def test_the_next_turn_is_heard_as_well(pool: SttPool) -> None:
    line = Line("a", pool)
    line.says_a_sentence()
    await line.until_final()
    line.hears(voiced=False, frames=10)
    second_ms = line.at_ms
    line.says_a_sentence()
    assert (await line.until_final())[-1].turn_start_ms == second_ms


async def test_finals_come_in_the_order_of_their_turns(stenographer: Stenographer) -> None:
    with contextlib.closing(SttPool(stenographer, 2, Telemetry())) as two_at_once:
        line = Line("a", two_at_once)
        stenographer.holds_up[0] = threading.Event()
        line.says_a_sentence()
        line.says_a_sentence()
        assert await asyncio.to_thread(stenographer.went_on.wait, 5)
        stenographer.holds_up[0].set()
        assert (await line.until_final())[-1].turn_start_ms == 0


async def test_calls_do_not_hear_each_other(pool: SttPool) -> None:
    one, other = Line("a", pool), Line("b", pool)
    one.says_a_sentence()
    other.hears(VoiceOnset(0), TurnStarted(0), frames=2)
    other.hears(VoicePaused(160), voiced=False)
    other.hears(TurnEnded(0, 160), voiced=False)
    longer, shorter = await asyncio.gather(one.until_final(), other.until_final())
    assert len(longer[-1].text.split()) > len(shorter[-1].text.split())


async def test_a_window_that_cannot_be_decoded_costs_its_words_and_nothing_else(
    pool: SttPool, stenographer: Stenographer
) -> None:
    line = Line("a", pool)
    stenographer.fails = True
    line.says_a_sentence()
    assert (await line.until_final())[-1].text == ""
    stenographer.fails = False
    line.says_a_sentence()
    assert (await line.until_final())[-1].text


async def test_a_turn_under_way_at_the_end_is_still_read(pool: SttPool, stenographer: Stenographer) -> None:
    stenographer.open.clear()
    line = Line("a", pool)
    line.says_a_sentence()
    line.hears(VoiceOnset(line.at_ms), TurnStarted(line.at_ms), frames=15)
    line.transcriber.finish()
    line.transcriber.finish()
    line.hears(frames=3)
    stenographer.open.set()
    finals = [told async for told in line.transcriber.transcripts() if told.is_final]
    assert [final.text.startswith("word-a word-b") for final in finals] == [True, True]
    assert [final.covers_ms for final in finals] == [1200, 2720]


async def test_an_end_in_silence_has_nothing_to_wait_for(pool: SttPool) -> None:
    line = Line("a", pool)
    line.says_a_sentence()
    await line.until_final()
    line.transcriber.finish()
    assert [told async for told in line.transcriber.transcripts()] == []


async def test_after_close_there_are_no_more_transcripts(pool: SttPool, stenographer: Stenographer) -> None:
    stenographer.open.clear()
    line = Line("a", pool)
    line.says_a_sentence()
    line.transcriber.close()
    line.says_a_sentence()
    stenographer.open.set()
    assert [one async for one in line.transcriber.transcripts()] == []


def test_closing_the_pool_twice_is_harmless(stenographer: Stenographer) -> None:
    pool = SttPool(stenographer, 2, Telemetry())
    pool.close()
    pool.close()


async def test_a_turn_that_goes_on_has_a_final_of_all_its_words(pool: SttPool) -> None:
    line = Line("a", pool)
    line.hears(voiced=False, frames=5)
    line.says_a_sentence()
    half = (await line.until_final())[-1]
    line.hears(voiced=False, frames=10)
    line.goes_on()
    heard = await line.until_final()
    assert {one.turn_start_ms for one in heard} == {half.turn_start_ms}
    assert heard[-1].text.startswith(half.text)
    assert len(heard[-1].text.split()) >= 2 * len(half.text.split())
    assert heard[0].text.startswith(half.text)


async def test_half_a_sentence_that_was_not_read_before_the_caller_went_on_has_no_final(
    pool: SttPool, stenographer: Stenographer
) -> None:
    stenographer.open.clear()
    line = Line("a", pool)
    line.says_a_sentence()
    line.goes_on()
    stenographer.open.set()
    heard = await line.until_final()
    assert len(heard[-1].text.split()) >= 6
    assert sum(one.is_final for one in heard) == 1


async def test_what_was_said_long_before_stays_in_front(pool: SttPool) -> None:
    line = Line("a", pool)
    line.says_a_sentence()
    await line.until_final()
    line.hears(voiced=False, frames=50)
    line.goes_on()
    words = (await line.until_final())[-1].text.split()
    assert words.count("word-a") == 2
