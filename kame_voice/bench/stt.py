"""Speech to text under load: callers who all talk at once, fed in real time; how old their words are.

No socket and no front end: ear, transcriber and the shared pool of threads, as a server has them.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from kame_voice.audio import g711
from kame_voice.audio.line_resample import LineResampler
from kame_voice.bench.questions import QuestionSet, load_questions
from kame_voice.bench.report import Goal, Report
from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.twilio_side import FRAME_BYTES, RATE
from kame_voice.caller.wire_stats import percentile
from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.flows.names import names_of
from kame_voice.hearing.base import TurnEnded, TurnStarted
from kame_voice.hearing.completeness import silence_after
from kame_voice.hearing.ear import Ear
from kame_voice.hearing.vad import VoiceActivity
from kame_voice.oracle.base import Transcriber
from kame_voice.oracle.transcriber import SpeechToText

__all__ = ["run"]

_PACKET_S: Final = FRAME_BYTES / RATE
_BREATH: Final = b"\xff" * (RATE * 15 // 100)
_WAIT: Final = b"\xff" * RATE
"""A second of silence ends a turn of three questions in one breath."""
_FIRST_WORDS_S: Final = 1.0
_SAMPLED_EVERY_S: Final = 0.1


class _Caller:
    """One caller's line: audio in real time, and how far behind the words are at any moment of talk."""

    def __init__(self, asked: QuestionSet, audio: bytes, voices: VoiceActivity, stt: SpeechToText) -> None:
        self.ages_ms: list[float] = []
        self.finals_ms: list[float] = []
        self.partials = 0
        self._flow = asked.flow
        self._audio = audio
        self._ear = Ear(voices, asked.flow.turns)
        self._transcriber: Transcriber = stt.transcriber(str(id(self)), names_of(asked.flow))
        self._resampler = LineResampler(RATE, SAMPLE_RATE)
        self._began = 0.0
        self._turn_ms: int | None = None
        self._covers_ms = 0
        self._ended_at: dict[int, float] = {}

    async def talk(self, delay_s: float) -> None:
        """Feed all the audio on the clock, follow the transcripts."""
        await asyncio.sleep(delay_s)
        self._began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            words = group.create_task(self._follow(), name="follow words")
            sampling = group.create_task(self._sample(), name="sample ages")
            for number in range(len(self._audio) // FRAME_BYTES):
                wait = self._began + (number + 1) * _PACKET_S - time.perf_counter()
                if wait > 0:
                    await asyncio.sleep(wait)
                self._hear(number)
            await asyncio.sleep(3.0)
            sampling.cancel()
            self._transcriber.close()
            await words

    def _hear(self, number: int) -> None:
        payload = self._audio[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]
        frame = self._ear.listen(self._resampler.feed(g711.decode(payload)), number * 20)
        self._transcriber.feed(frame)
        for event in frame.events:
            if isinstance(event, TurnStarted):
                self._turn_ms = self._covers_ms = event.at_ms
            elif isinstance(event, TurnEnded):
                self._turn_ms = None
                self._ended_at[event.start_ms] = time.perf_counter()

    async def _follow(self) -> None:
        async for transcript in self._transcriber.transcripts():
            if transcript.is_final:
                ended = self._ended_at.get(transcript.turn_start_ms)
                if ended is not None:
                    self.finals_ms.append(1000 * (time.perf_counter() - ended))
                continue
            self.partials += 1
            self._covers_ms = transcript.covers_ms
            if transcript.paused:
                wait_ms = silence_after(transcript.text, self._flow.turns)
                self._ear.expect_end(wait_ms, transcript.covers_ms)

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(_SAMPLED_EVERY_S)
            now_ms = 1000 * (time.perf_counter() - self._began)
            if self._turn_ms is not None and now_ms - self._turn_ms > 1000 * _FIRST_WORDS_S:
                self.ages_ms.append(now_ms - max(self._covers_ms, self._turn_ms))


def run(flows_dir: Path, *, callers: int = 8, seconds: float = 30.0, workers: int = 1) -> Report:
    """`callers` who talk at once for `seconds`, on `workers` threads for partials and one for finals."""
    voice = CallerVoice()
    sets = load_questions(flows_dir)
    spoken = [(one, [clip.audio for clip in one.clips(voice)]) for one in sets]
    voices, stt = VoiceActivity(), SpeechToText(workers=workers)
    try:
        lines, cpu_s = asyncio.run(_all(spoken, voices, stt, callers, seconds))
    finally:
        stt.close()
    return _report(lines, cpu_s, seconds)


async def _all(
    spoken: list[tuple[QuestionSet, list[bytes]]],
    voices: VoiceActivity,
    stt: SpeechToText,
    callers: int,
    seconds: float,
) -> tuple[list[_Caller], float]:
    lines = []
    for number in range(callers):
        asked, clips = spoken[number % len(spoken)]
        lines.append(_Caller(asked, _monologue(clips, number * 3, seconds), voices, stt))
    before = time.process_time()
    async with asyncio.TaskGroup() as group:
        for number, line in enumerate(lines):
            group.create_task(line.talk(0.13 * number), name=f"caller {number}")
    return lines, time.process_time() - before


def _monologue(clips: list[bytes], first: int, seconds: float) -> bytes:
    """Three questions in a breath, a second of silence, the next three."""
    audio, place = b"", first
    while len(audio) < seconds * RATE:
        audio += _BREATH.join(clips[(place + step) % len(clips)] for step in range(3)) + _WAIT
        place += 3
    return audio[: int(seconds / _PACKET_S) * FRAME_BYTES]


def _report(lines: list[_Caller], cpu_s: float, seconds: float) -> Report:
    ages = [age for line in lines for age in line.ages_ms]
    finals = [late for line in lines for late in line.finals_ms]
    report = Report("Speech to text under load", f"kame-voice bench stt --callers {len(lines)}")
    row: dict[str, Any] = {
        "callers": len(lines),
        "partials a second and caller": round(sum(line.partials for line in lines) / seconds / len(lines), 2),
        "age of the words, median ms": percentile(ages, 50),
        "p90 ms": percentile(ages, 90),
        "final after the turn's end, median ms": percentile(finals, 50),
        "final p90 ms": percentile(finals, 90),
        "worst caller, median ms": max((percentile(line.ages_ms, 50) or 0.0) for line in lines),
        "cores": round(cpu_s / seconds, 2),
    }
    report.rows = [row]
    median = float(np.median(ages)) if ages else float("inf")
    report.goals = [
        Goal("age of a talking caller's words, median", "≤ 1200 ms", f"{median:.0f} ms", median <= 1200)
    ]
    report.notes = [
        "Age: at every tenth of a second of talk, from the first second of a turn on, how long ago the "
        "latest words that are known were said.",
    ]
    report.data = {
        "ages_ms": [line.ages_ms for line in lines],
        "finals_ms": [line.finals_ms for line in lines],
    }
    return report
