"""What a stranger is told of a fault of ours: what it is and what to do, not where we keep our things."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from kame_voice.store.errors import DatabaseFull
from kame_voice.web.errors import answer_errors

pytestmark = pytest.mark.anyio


async def test_a_fault_is_told_without_its_place() -> None:
    web = FastAPI()
    answer_errors(web)

    @web.get("/")
    def full() -> None:
        raise DatabaseFull(
            "no room is left", where="sqlite:////srv/secret/kame.db", do="free space on its disk"
        )

    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(transport=transport, base_url="http://kame.test") as http:
        answer = await http.get("/")
    assert answer.status_code == 503
    assert answer.json() == {"detail": "No room is left. Free space on its disk."}
