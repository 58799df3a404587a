"""One house and one browser for all tests of a module: opening either takes seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.browser import OpenBrowser, open_browser, write_microphone
from tests.support.house import House, open_house


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Where everybody says ordinary things."""
    async with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBrowser]:
    """Its microphone hears nothing."""
    silence = write_microphone(tmp_path_factory.mktemp("microphone") / "silence.wav", 60.0)
    async with open_browser(microphone=silence) as browser:
        yield browser
