"""Deleting one call: by an admin alone, for good, and on the audit log."""

from __future__ import annotations

import pytest

from kame_voice.store.rows import CallStatus
from tests.web.review.conftest import Office, Person

pytestmark = pytest.mark.anyio


async def test_an_admin_deletes_a_call_on_its_page(office: Office, boss: Person) -> None:
    office.put_call("c1", "hello")
    office.put_call("c2", "hello")
    office.record("c1")
    assert 'action="/calls/c1/delete"' in await boss.sees("/calls/c1")
    answer = await boss.sends("/calls/c1/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls")
    assert (await boss.http.get("/calls/c1")).status_code == 404
    assert office.archive.recordings.path_of("c1") is None
    assert [call.id for call in office.archive.calls.list().calls] == ["c2"]
    assert ("boss", "call.delete", "c1") in office.audited()


async def test_an_admin_deletes_a_call_by_the_api(office: Office, boss: Person) -> None:
    office.put_call("c1", "hello")
    headers = {"X-CSRF-Token": boss.csrf}
    assert (await boss.http.delete("/api/calls/c1", headers=headers)).status_code == 204
    assert (await boss.http.delete("/api/calls/c1", headers=headers)).status_code == 404
    assert office.archive.calls.list().calls == []


async def test_nobody_else_can(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    assert "/delete" not in await ana.sees("/calls/c1")
    assert (await ana.sends("/calls/c1/delete")).status_code == 403
    assert (await ana.http.delete("/api/calls/c1", headers={"X-CSRF-Token": ana.csrf})).status_code == 403
    assert office.archive.calls.list().calls


async def test_a_running_call_cannot_be_deleted(office: Office, boss: Person) -> None:
    office.put_call("c1", "hello", status=CallStatus.IN_PROGRESS, duration_ms=None)
    assert "/delete" not in await boss.sees("/calls/c1")
    answer = await boss.sends("/calls/c1/delete")
    assert answer.status_code == 409
    assert "Delete it a minute after its end." in answer.text
    assert office.archive.calls.list().calls
