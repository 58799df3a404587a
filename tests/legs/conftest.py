from __future__ import annotations

from typing import Any

import pytest

from tests.legs.virtual_time import VirtualTimeLoop


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Legs keep time: their tests run on a loop whose time passes only when nothing else happens."""
    return "asyncio", {"loop_factory": VirtualTimeLoop}
