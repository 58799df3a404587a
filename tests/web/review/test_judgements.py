"""Notes, tags and dispositions by form and by API: kept, audited, and by nobody else's page."""

from __future__ import annotations

import pytest

from tests.web.review.conftest import Office, Person

pytestmark = pytest.mark.anyio


async def test_a_note_is_written_at_its_moment_and_removed(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    answer = await ana.sends("/calls/c1/notes", text="Sounds upset", at_ms="1500")
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls/c1#notes")
    page = await ana.sees("/calls/c1")
    assert "Sounds upset" in page
    assert 'data-t="1500"' in page
    (note,) = await ana.json("/api/calls/c1/notes")
    assert (note["author"], note["at_ms"]) == ("ana", 1500)
    await ana.sends(f"/calls/c1/notes/{note['id']}/remove")
    assert await ana.json("/api/calls/c1/notes") == []
    notes = [entry for entry in office.audited() if entry[1] == "call.note"]
    assert notes == [("ana", "call.note", "c1")] * 2


async def test_htmx_gets_the_notes_alone(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    answer = await ana.http.post(
        "/calls/c1/notes", data={"text": "ok"}, headers={"HX-Request": "true", "X-CSRF-Token": ana.csrf}
    )
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section id="notes"')
    assert "ok" in answer.text


async def test_tags_and_disposition_are_set_and_taken_back(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    await ana.sends("/calls/c1/judgement", tags="Billing, urgent", disposition="call_back")
    call = await ana.json("/api/calls/c1")
    assert (call["tags"], call["disposition"]) == (["billing", "urgent"], "call_back")
    await ana.sends("/calls/c1/judgement", tags="", disposition="")
    call = await ana.json("/api/calls/c1")
    assert (call["tags"], call["disposition"]) == ([], None)
    done = [action for _, action, call_id in office.audited() if call_id == "c1" and action != "call.open"]
    assert done == ["call.tag", "call.disposition"] * 2


async def test_saving_what_is_there_already_is_no_deed(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    await ana.sends("/calls/c1/judgement", tags="", disposition="")
    assert office.audited() == []


async def test_a_mistake_is_told_beside_the_form(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    assert "is no tag" in (await ana.sends("/calls/c1/judgement", tags="<b>")).text
    assert "has no words" in (await ana.sends("/calls/c1/notes", text="  ")).text
    assert (await ana.sends("/calls/c1/notes", text="x", at_ms="-1")).status_code == 422


async def test_another_sites_form_changes_nothing(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    for path in ("/calls/c1/notes", "/calls/c1/judgement"):
        assert (await ana.http.post(path, data={"text": "x", "tags": "x"})).status_code == 403
        headers = {"Origin": "https://elsewhere.example", "X-CSRF-Token": ana.csrf}
        assert (await ana.http.post(path, data={"text": "x"}, headers=headers)).status_code == 403
    assert await ana.json("/api/calls/c1/notes") == []


async def test_the_api_writes_too(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    headers = {"X-CSRF-Token": ana.csrf}
    made = await ana.http.post("/api/calls/c1/notes", json={"text": "by api"}, headers=headers)
    assert made.status_code == 201
    tags = await ana.http.put("/api/calls/c1/tags", json={"tags": ["A", "b"]}, headers=headers)
    assert tags.json() == {"tags": ["a", "b"]}
    judged = await ana.http.put(
        "/api/calls/c1/disposition", json={"disposition": "resolved"}, headers=headers
    )
    assert judged.status_code == 200
    gone = await ana.http.delete(f"/api/calls/c1/notes/{made.json()['id']}", headers=headers)
    assert gone.status_code == 204
    assert (await ana.http.delete("/api/calls/c1/notes/99", headers=headers)).status_code == 404
    bad = await ana.http.put("/api/calls/c1/tags", json={"tags": ["<b>"]}, headers=headers)
    assert bad.status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("notes", r'{"text": "x", "at_ms": 99999999999999999999}', 422),
        ("notes", r'{"text": "\ud800"}', 422),
        ("notes", r'{"text": 1e999}', 422),
        ("tags", r'{"tags": ["\ud800"]}', 400),
    ],
)
async def test_what_json_can_write_and_nobody_can_keep_is_refused(
    office: Office, ana: Person, path: str, body: str, status: int
) -> None:
    office.put_call("c1", "hello")
    answer = await ana.http.request(
        "POST" if path == "notes" else "PUT",
        f"/api/calls/c1/{path}",
        content=body,
        headers={"X-CSRF-Token": ana.csrf, "content-type": "application/json"},
    )
    assert answer.status_code == status
    assert answer.json()["detail"]
