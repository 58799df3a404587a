"""The heavy models, loaded once a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kame_voice.oracle.knowledge import Knowledge
from kame_voice.oracle.transcriber import SpeechToText


@pytest.fixture(scope="session")
def knowledge() -> Iterator[Knowledge]:
    source = Knowledge()
    yield source
    source.close()


@pytest.fixture(scope="session")
def stt() -> Iterator[SpeechToText]:
    speech_to_text = SpeechToText()
    yield speech_to_text
    speech_to_text.close()
