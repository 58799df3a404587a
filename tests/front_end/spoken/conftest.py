from collections.abc import Iterator

import pytest

from kame_voice.front_end.spoken.voice import Voice


@pytest.fixture(scope="session")
def voice() -> Iterator[Voice]:
    """The real voice, loaded once."""
    voice = Voice()
    yield voice
    voice.close()
