"""Voices and ears that the end-to-end tests share: loading them takes a second each."""

from __future__ import annotations

import pytest

from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.listener import Listener


@pytest.fixture(scope="session")
def voice() -> CallerVoice:
    return CallerVoice(pitch=1.15)


@pytest.fixture(scope="session")
def listener() -> Listener:
    return Listener(threads=1)
