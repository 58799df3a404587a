"""The review's pages over a store that was filled by hand, and two people to look at them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from kame_voice.accounts.accounts import Accounts
from kame_voice.accounts.secrets import csrf_token, digest, new_secret
from kame_voice.core.nouns import SAMPLE_RATE, Role
from kame_voice.core.settings import load_settings
from kame_voice.core.telemetry import Telemetry
from kame_voice.core.threads import background_threads
from kame_voice.flows.directory import FlowDirectory
from kame_voice.store.archive import Archive
from kame_voice.store.rows import CallStatus, EventRow, FlowRow, OracleRow, TurnRow
from kame_voice.store.writer import StoreWriter
from kame_voice.web.review.parts import ReviewParts
from kame_voice.web.review.routes import routers
from kame_voice.web.site import new_site
from tests.store.conftest import TurnedClock, a_call
from tests.support.running_app import flow_text

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Office:
    """A store with its pages. `write` brings what was put to disk."""

    archive: Archive
    writer: StoreWriter
    parts: ReviewParts
    web: FastAPI
    clock: TurnedClock

    def write(self) -> None:
        self.clock.now += 10
        self.writer.round()

    def put_call(self, call_id: str, *said: str, **changes: Any) -> None:
        """A finished call; the caller speaks first, then the two take turns, a second each."""
        fields = {
            "status": CallStatus.COMPLETED,
            "duration_ms": 9000,
            "customer": "acme",
            "line": "acme-main",
            "flow_version": self.flow_version,
        }
        self.writer.put(a_call(call_id, **{**fields, **changes}))
        for index, words in enumerate(said):
            speaker = "agent" if index % 2 else "caller"
            at_ms = 1000 * index
            self.writer.put(
                TurnRow(
                    call_id=call_id, index=index, speaker=speaker, text=words, start_ms=at_ms,
                    end_ms=at_ms + 800, oracle_ids=(f"o{index - 1}",) if index % 2 else (),
                )
            )  # fmt: skip
            if speaker == "caller":
                answer = said[index + 1] if index + 1 < len(said) else ""
                self.put_oracle(call_id, f"o{index}", words, answer, at_ms + 820)
        self.write()

    def put_oracle(self, call_id: str, id_: str, basis: str, answer: str, at_ms: int, **more: Any) -> None:
        """A candidate answer."""
        fields: dict[str, Any] = {"source": "knowledge", "outcome": "adopted", "is_final": True, **more}
        self.writer.put(
            OracleRow(call_id=call_id, id=id_, basis=basis, text=answer, asked_ms=at_ms, **fields)
        )

    def put_event(self, call_id: str, index: int, kind: str, **data: Any) -> None:
        self.writer.put(EventRow(call_id=call_id, index=index, at_ms=1500, kind=kind, data=data))

    def record(self, call_id: str, seconds: float = 2.0) -> Path:
        """A recording: the caller is loud, the agent silent."""
        recording = self.archive.recordings.create(call_id)
        recording.caller(np.full(int(seconds * SAMPLE_RATE), 0.5, np.float32), 0)
        recording.finish(int(seconds * SAMPLE_RATE))
        path = self.archive.recordings.path_of(call_id)
        assert path is not None
        return path

    @property
    def flow_version(self) -> str:
        return self.parts.flows.generation.by_line["acme-main"].content_hash

    def audited(self) -> list[tuple[str, str, str | None]]:
        """Who did what to which call, in order."""
        self.write()
        with self.archive.database.engine.connect() as connection:
            rows = connection.execute(text("SELECT who, action, call_id FROM audit ORDER BY at")).all()
        return [(who, action, call_id) for who, action, call_id in rows]

    def sign_in(self, name: str, *customers: str, role: Role = Role.REVIEWER) -> str:
        """The session cookie of somebody new, who reviews these customers."""
        now = datetime.now(UTC)
        user = self.archive.users.add(name, role, customers, now)
        secret = new_secret()
        self.archive.keys.open_session(
            digest(secret), user.id, now, timedelta(hours=1), address=None, browser=None
        )
        return secret

    @asynccontextmanager
    async def person(self, name: str, *customers: str, role: Role = Role.REVIEWER) -> AsyncIterator[Person]:
        """Somebody who reviews these customers, signed in."""
        secret = self.sign_in(name, *customers, role=role)
        transport = httpx.ASGITransport(self.web, raise_app_exceptions=False)
        headers = {"Accept": "text/html"}
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://kame.test",
            cookies={"kame_session": secret},
            headers=headers,
        ) as http:
            yield Person(http, csrf_token(secret))


@dataclass(frozen=True)
class Person:
    """A browser."""

    http: httpx.AsyncClient
    csrf: str

    async def sees(self, path: str) -> str:
        """The page at `path`."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        return answer.text

    async def json(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])
        return answer.json()

    async def sends(self, path: str, **fields: str) -> httpx.Response:
        """A form of a page of ours."""
        return await self.http.post(path, data={"csrf": self.csrf, **fields})


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "acme.yaml").write_text(flow_text())
    settings = load_settings(
        flows_dir=tmp_path / "flows", data_dir=tmp_path / "data", public_url="http://kame.test"
    )
    archive = Archive.open(settings.effective_database_url, settings.data_dir)
    telemetry, clock = Telemetry(), TurnedClock()
    writer = StoreWriter(archive.database, archive.recordings, telemetry, clock)
    flows = FlowDirectory(settings.flows_dir, telemetry)
    accounts = Accounts(settings, archive, writer.put)
    threads = background_threads("review", 1)
    web = new_site(settings, archive, accounts)
    parts = ReviewParts.over(
        archive,
        flows,
        settings.data_dir,
        lambda flow, question: [fact.id for fact in flow.facts if fact.id in question],
        threads,
    )
    for routes in routers(parts):
        web.include_router(routes)
    flow = flows.generation.by_line["acme-main"]
    writer.put(
        FlowRow(
            version=flow.content_hash,
            line=flow.line,
            customer=flow.customer,
            content=flow.model_dump(mode="json"),
            first_used_at=NOON,
        )
    )
    yield Office(archive, writer, parts, web, clock)
    threads.shutdown()
    accounts.close()
    writer.stop()
    archive.close()


@pytest.fixture
async def ana(office: Office) -> AsyncIterator[Person]:
    """Ana reviews Acme's calls."""
    async with office.person("ana", "acme") as person:
        yield person


@pytest.fixture
async def boss(office: Office) -> AsyncIterator[Person]:
    """An admin."""
    async with office.person("boss", role=Role.ADMIN) as person:
        yield person


@pytest.fixture
async def ben(office: Office) -> AsyncIterator[Person]:
    """Ben reviews another customer's."""
    async with office.person("ben", "bolt") as person:
        yield person
