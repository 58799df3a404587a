"""The real model on what a telephone carries."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

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


async def listen(stt: SpeechToText, frames: list[HeardFrame], finals: int) -> list[Transcript]:
    """Every final of `frames`, fed as fast as they are understood."""
    transcriber = stt.transcriber("call")
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


@pytest.mark.parametrize("sound", ["silence", "noise", "hiss", "hum", "dtmf", "chord"])
async def test_what_is_not_speech_has_no_words(stt: SpeechToText, sound: str) -> None:
    seconds = np.arange(3 * 24_000) / 24_000
    noise = np.random.default_rng(7).standard_normal(len(seconds))
    made = {
        "silence": np.zeros(len(seconds)),
        "noise": 0.1 * noise,
        "hiss": 0.005 * noise,
        "hum": 0.1 * np.sin(2 * np.pi * 60 * seconds) + 0.05 * np.sin(2 * np.pi * 120 * seconds),
        "dtmf": 0.2 * (np.sin(2 * np.pi * 697 * seconds) + np.sin(2 * np.pi * 1209 * seconds)),
        "chord": 0.1 * sum(np.sin(2 * np.pi * hz * seconds) for hz in (261.6, 329.6, 392.0)),
    }[sound]
    pcm = through_the_telephone(np.asarray(made, np.float32))
    (final,) = await listen(stt, turn_of(pcm), 1)
    assert final.text == ""


def test_a_model_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SttModelMissing, match="KAME_STT_MODEL"):
        WhisperRecogniser(str(tmp_path))
