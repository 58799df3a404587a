import numpy as np
import pytest

from kame_voice.core.nouns import Pcm
from kame_voice.front_end.spoken.voice import Need, Voice
from kame_voice.hearing.vad import VoiceActivity
from tests.hearing.sounds import silence


@pytest.fixture(scope="session")
def voices() -> VoiceActivity:
    """The real detector, loaded once."""
    return VoiceActivity()


@pytest.fixture(scope="session")
def agent() -> Pcm:
    """About eleven seconds of the agent's own voice, at −20 dBFS."""
    voice = Voice()
    sentences = (
        "We are open on Saturday from nine to one, and parking is free behind the building.",
        "A cleaning costs ninety five dollars, and the first visit takes forty five minutes.",
    )
    speech = [voice.prepare(sentence, Need.NOW).result(30).pcm for sentence in sentences]
    voice.close()
    parts = [part for pcm in speech for part in (pcm, silence(200))]
    return np.concatenate((silence(200), *parts))
