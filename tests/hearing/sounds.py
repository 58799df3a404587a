"""Real speech for the ear: people from `tests/data/speech`, the agent's own voice, and a telephone wire."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import av
import numpy as np

from kame_voice.audio.g711 import decode, encode
from kame_voice.audio.resample import Resampler
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.flows.schema import TurnSettings
from kame_voice.hearing.base import HeardFrame, TurnEvent
from kame_voice.hearing.ear import Ear
from kame_voice.hearing.vad import VoiceDetector

__all__ = ["at_level", "events_of", "listen", "person", "silence", "through_the_wire"]

Event = TypeVar("Event", bound=TurnEvent)
_SPEECH = Path(__file__).parents[1] / "data" / "speech"


@cache
def person(name: str) -> Pcm:
    """A recorded person at 24 kHz."""
    with av.open(str(_SPEECH / f"{name}.flac")) as container:
        to_24k = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        frames = [out for frame in container.decode(audio=0) for out in to_24k.resample(frame)]
        frames += to_24k.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def silence(ms: int) -> Pcm:
    return np.zeros(ms * 24, np.float32)


def at_level(pcm: Pcm, db: float) -> Pcm:
    """`pcm` with its active speech at `db` dBFS."""
    blocks = pcm[: len(pcm) // 480 * 480].reshape(-1, 480)
    power = np.mean(blocks * blocks, axis=1)
    return np.asarray(pcm * (10 ** (db / 20) / np.sqrt(power[power > power.max() * 1e-3].mean())), np.float32)


def through_the_wire(pcm: Pcm) -> Pcm:
    """As it comes back from the telephone network: 8 kHz, mu-law, in 20 ms frames."""
    down, up = Resampler(SAMPLE_RATE, 8000), Resampler(8000, SAMPLE_RATE)
    frames = pcm[: len(pcm) // 480 * 480].reshape(-1, 480)
    return np.concatenate([up.feed(decode(encode(down.feed(frame)))) for frame in frames])


def listen(
    voices: VoiceDetector,
    caller: Pcm,
    agent: Pcm | None = None,
    *,
    frame_ms: int = 20,
    turns: TurnSettings | None = None,
) -> list[HeardFrame]:
    """What an ear makes of a whole call, in which the agent plays `agent`."""
    ear = Ear(voices, turns or TurnSettings())
    size = frame_ms * 24
    heard = []
    for start in range(0, len(caller) - size + 1, size):
        if agent is not None and start + size <= len(agent):
            ear.agent_played(agent[start : start + size], start // 24)
        heard.append(ear.listen(caller[start : start + size], start // 24))
    return heard


def events_of(heard: list[HeardFrame], kind: type[Event]) -> list[Event]:
    return [event for frame in heard for event in frame.events if isinstance(event, kind)]
