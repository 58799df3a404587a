"""What all tests share: the event loop's kind, and one second chance for those that run in real time."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Final

import pytest

# A call placed in real time, its speech recognition, and a real browser all depend on a machine that keeps
# up for seconds on end. One stall of a shared machine must not be taken for a defect, so such a test is run a
# second time; `-rR` prints its name, so that one which needs it often is seen. All others have one chance.
_IN_REAL_TIME: Final = {"tests.support.browser", "tests.support.running_app", "tests.support.server_process"}


def _runs_in_real_time(module: ModuleType) -> bool:
    return module.__name__.startswith("tests.e2e.") or any(
        getattr(value, "__module__", None) in _IN_REAL_TIME for value in vars(module).values()
    )


def pytest_configure() -> None:
    """What a developer's shell sets for their own server is no part of a test."""
    for name in list(os.environ):
        if name.startswith(("KAME_", "TWILIO_", "ANTHROPIC_")) and name != "KAME_WRITE_GOLDEN":
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    second_chance = pytest.mark.flaky(reruns=1, reruns_delay=1)
    for item in items:
        if isinstance(item, pytest.Function) and _runs_in_real_time(item.module):
            item.add_marker(second_chance)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
