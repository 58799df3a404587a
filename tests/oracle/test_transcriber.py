"""The real model on what a telephone carries."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hibari import Hibari
from numpy.typing import NDArray

from kame_voice.audio import g711
from kame_voice.audio.resample import Resampler
from kame_voice.audio.wav import read_audio
from kame_voice.core.nouns import Pcm
from kame_voice.flows.schema import TurnSettings
from kame_voice.hearing.base import HeardFrame, TurnEnded, TurnEvent, TurnStarted, VoiceOnset, VoicePaused
from kame_voice.hearing.ear import Ear
from kame_voice.hearing.vad import VoiceActivity
from kame_voice.oracle.base import Transcript
from kame_voice.oracle.transcriber import SpeechToText, SttModelMissing, WhisperRecogniser
from kame_voice.oracle.words import spoken_words

pytestmark = pytest.mark.anyio

SPEECH = Path(__file__).parents[1] / "data" / "speech"
WORDS = {
    "jfk": "and so my fellow americans ask not what your country can do for you "
    "ask what you can do for your country",
    "librivox-0880": "he was not an ill disposed young man",
}
FRAME = 480


def through_the_telephone(pcm: Pcm) -> Pcm:
    """24 kHz to 8 kHz mu-law and back, in 20 ms frames."""
    down, up = Resampler(24_000, 8_000), Resampler(8_000, 24_000)
    whole = pcm[: len(pcm) // FRAME * FRAME]
    return np.concatenate(
        [up.feed(g711.decode(g711.encode(down.feed(frame)))) for frame in whole.reshape(-1, FRAME)]
    )


def word_errors(said: str, heard: str) -> int:
    wanted, got = (spoken_words(text.replace("-", " ")) for text in (said, heard))
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, 1):
        above, row = row, [number]
        for column, other in enumerate(got):
            row.append(min(above[column + 1] + 1, row[column] + 1, above[column] + (word != other)))
    return row[-1]


async def listen(
    stt: SpeechToText, frames: list[HeardFrame], finals: int, names: tuple[str, ...] = ()
) -> list[Transcript]:
    """Every final of `frames`, fed as fast as they are understood."""
    transcriber = stt.transcriber("call", names)
    for frame in frames:
        transcriber.feed(frame)
    heard: list[Transcript] = []
    stream = transcriber.transcripts()
    while len(heard) < finals:
        transcript = await asyncio.wait_for(anext(stream), 60)
        if transcript.is_final:
            heard.append(transcript)
    transcriber.close()
    return heard


def turn_of(pcm: Pcm) -> list[HeardFrame]:
    """All of `pcm` as one turn of a caller whose voice the ear believes in."""
    frames = [*pcm[: len(pcm) // 1920 * 1920].reshape(-1, 1920)]
    last = len(frames) - 1
    end_ms = len(frames) * 80
    events: dict[int, tuple[TurnEvent, ...]] = {
        0: (VoiceOnset(0), TurnStarted(0)),
        last: (VoicePaused(end_ms), TurnEnded(0, end_ms)),
    }
    return [HeardFrame(frame, n * 80, True, events.get(n, ())) for n, frame in enumerate(frames)]


async def test_a_persons_words_come_through_the_telephone(stt: SpeechToText) -> None:
    vad = VoiceActivity()
    errors = words = 0
    for name, said in WORDS.items():
        ear = Ear(vad, TurnSettings())
        silence = np.zeros(24_000, np.float32)
        pcm = np.concatenate((silence, through_the_telephone(read_audio(SPEECH / f"{name}.flac")), silence))
        frames = [
            ear.listen(frame, number * 20)
            for number, frame in enumerate(pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME))
        ]
        turns = sum(isinstance(event, TurnEnded) for frame in frames for event in frame.events)
        finals = await listen(stt, frames, turns)
        errors += word_errors(said, " ".join(final.text for final in finals))
        words += len(spoken_words(said))
    assert errors / words <= 0.15


async def test_a_sentence_with_long_pauses_is_understood_as_one(stt: SpeechToText) -> None:
    ear = Ear(VoiceActivity(), TurnSettings())
    speech = through_the_telephone(read_audio(SPEECH / "jfk.flac"))
    pcm = np.concatenate((speech, np.zeros(24_000, np.float32)))
    frames = [
        ear.listen(frame, number * 20)
        for number, frame in enumerate(pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME))
    ]
    ends = [event.end_ms for frame in frames for event in frame.events if isinstance(event, TurnEnded)]
    assert len(ends) > 1, "whoever hears only the pauses takes it for several turns"
    told = [
        replace(frame, events=tuple(_going_on(event, ends[0]) for event in frame.events)) for frame in frames
    ]
    whole = (await listen(stt, told, 1))[-1].text
    assert word_errors(WORDS["jfk"], whole) <= 3


def _going_on(event: TurnEvent, first_end_ms: int) -> TurnEvent:
    return (
        TurnStarted(event.at_ms, goes_on=event.at_ms > first_end_ms)
        if isinstance(event, TurnStarted)
        else event
    )


NAMES = ("Harbor Dental", "Pine Street", "Maria", "Aetna", "Doctor Ruiz")
SECONDS = np.arange(3 * 24_000) / 24_000


def tone(*hertz: float, level: float = 0.1) -> NDArray[np.float64]:
    waves: NDArray[np.float64] = np.sin(2 * np.pi * np.outer(hertz, SECONDS))
    return np.asarray(level * waves.sum(axis=0), np.float64)


def keys() -> NDArray[np.float64]:
    """1, 5, 9: 100 ms each, with pauses."""
    on = (SECONDS % 0.2 < 0.1).astype(float)
    pressed = [tone(697, 1209, level=0.2), tone(770, 1336, level=0.2), tone(852, 1477, level=0.2)]
    return np.asarray(np.choose(SECONDS.astype(int), pressed) * on, np.float64)


def hold_music() -> NDArray[np.float64]:
    """A scale of plucked notes over a chord."""
    notes = [261.6, 293.7, 329.6, 349.2, 392.0, 440.0, 493.9, 523.3]
    melody = sum(
        np.where(place == SECONDS // 0.375, tone(hz, 2 * hz) * np.exp(-6 * (SECONDS % 0.375)), 0)
        for place, hz in enumerate(notes)
    )
    return np.asarray(melody + tone(130.8, 196.0, level=0.03))


def sounds() -> dict[str, NDArray[np.float64]]:
    noise = np.random.default_rng(7).standard_normal(len(SECONDS))
    return {
        "silence": np.zeros(len(SECONDS)),
        "noise": 0.1 * noise,
        "hiss": 0.005 * noise,
        "hum": tone(60) + tone(120, level=0.05),
        "dtmf": tone(697, 1209, level=0.2),
        "keys": keys(),
        "chord": tone(261.6, 329.6, 392.0),
        "hold music": hold_music(),
    }


@pytest.mark.parametrize("names", [(), NAMES], ids=["no names", "names"])
@pytest.mark.parametrize("sound", [*sounds()])
async def test_what_is_not_speech_has_no_words(stt: SpeechToText, sound: str, names: tuple[str, ...]) -> None:
    pcm = through_the_telephone(np.asarray(sounds()[sound], np.float32))
    (final,) = await listen(stt, turn_of(pcm), 1, names)
    assert final.text == ""


async def test_the_lines_names_are_heard_where_they_are_known(stt: SpeechToText) -> None:
    pcm = np.asarray(Hibari()("Do you accept Aetna?", seed=0), np.float32)
    frames = turn_of(through_the_telephone(pcm))
    (unknown,) = await listen(stt, frames, 1)
    (known,) = await listen(stt, frames, 1, NAMES)
    assert "Aetna" not in unknown.text
    assert known.text == "Do you accept Aetna?"


def test_a_model_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SttModelMissing, match="KAME_STT_MODEL"):
        WhisperRecogniser(str(tmp_path))
