"""One call: what its page shows, and whom."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kame_voice.store.rows import TurnRow
from tests.web.review.conftest import Office, Person

pytestmark = pytest.mark.anyio


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_what_was_said_and_not_heard_is_struck_through(office: Office, ana: Person) -> None:
    office.writer.put(
        TurnRow(
            call_id="c1", index=7, speaker="agent", text="We open at nine tomorrow.", heard_text="We open",
            start_ms=8000, end_ms=9000, word_ms=(8000, 8300, 8500),
        )
    )  # fmt: skip
    office.put_call("c1", "When do you open?")
    page = await ana.sees("/calls/c1")
    assert 'data-ms="8000 8300"><span>We open</span> <del' in page
    assert "at nine tomorrow.</del>" in page


async def test_a_candidate_is_told_with_its_words_source_tokens_and_what_became_of_it(
    office: Office, ana: Person
) -> None:
    office.put_oracle(
        "c1", "g0", "how much is", "Twelve euros, I believe.", 400, source="llm", model="claude-haiku-4-5",
        outcome="superseded", is_final=False, input_tokens=1200, output_tokens=34, cost_usd=0.0021,
        first_token_ms=730,
    )  # fmt: skip
    office.put_call("c1", "How much is a puncture repair?", "Twelve euros.")
    page = text_of(await ana.sees("/calls/c1"))
    assert "asked on “how much is” …" in page
    assert (
        "superseded · claude-haiku-4-5 · first word after 0.33 s · 1,234 tokens · $0.0021 · never spoken"
        in page
    )
    assert "2 candidates" in page
    assert 'href="#turn-1"' in await ana.sees("/calls/c1")


async def test_an_answer_without_a_source_is_marked(office: Office, ana: Person) -> None:
    office.put_call("c1", "Are you hiring?", "Yes, we are.")
    office.put_oracle("c1", "o0", "Are you hiring?", "Yes, we are.", 820, source="llm", grounded=False)
    office.write()
    page = await ana.sees("/calls/c1")
    assert 'class="turn agent ungrounded"' in page
    assert "Nothing in the flow stands behind this." in page


async def test_of_a_turn_of_several_answers_only_the_sentence_without_a_source_is_marked(
    office: Office, ana: Person
) -> None:
    office.put_oracle("c1", "o1", "open", "We open at nine.", 900, facts=("hours",), grounded=True)
    office.put_oracle("c1", "o2", "hiring", "We are hiring.", 950, source="llm", grounded=False)
    office.writer.put(
        TurnRow(
            call_id="c1", index=7, speaker="agent", text="We open at nine. We are hiring.",
            heard_text="We open at nine. We are", start_ms=1000, end_ms=3000, oracle_ids=("o1", "o2"),
            portions=(
                {"oracle_id": "o1", "words": 4, "heard_words": 4},
                {"oracle_id": "o2", "words": 3, "heard_words": 2},
            ),
        )
    )  # fmt: skip
    office.put_call("c1", "Open? Hiring?")
    page = await ana.sees("/calls/c1")
    assert "<span>We open at nine.</span><sup" in page
    assert '<span class="no-source">We are</span> <del' in page
    assert '<span class="no-source">hiring.</span></del>' in page
    assert "Nothing in the flow stands behind “We are hiring.”" in page
    assert "We open at nine. 1 We are hiring. 2" in text_of(page), "each tells which answer it came from"
    turn = (await ana.json("/api/calls/c1"))["turns"][-1]
    assert [(one["oracle_id"], one["grounded"]) for one in turn["sentences"]] == [("o1", True), ("o2", False)]
    assert "We are (no source)" in (await ana.http.get("/api/calls/c1/transcript.txt")).text


async def test_a_call_that_could_not_be_summed_up_says_so(office: Office, ana: Person) -> None:
    office.put_event("c1", 0, "caller-audio-lost", gap_ms="much")
    office.put_call("c1", "hello")
    why = (await ana.json("/api/calls/c1"))["summary_error"]
    assert why.startswith("TypeError at ")
    assert f"Not summed up: {why}." in text_of(await ana.sees("/calls/c1"))
    assert "not summed up" in text_of(await ana.sees("/calls"))
    assert why in (await ana.http.get("/api/calls.csv")).text


async def test_no_callers_word_becomes_mark_up(office: Office, ana: Person) -> None:
    evil = '<script>alert(1)</script> "onmouseover="x'
    office.put_event("c1", 0, "dtmf", digit=evil)
    office.put_call("c1", evil, evil, evil, from_number=evil[:20])
    office.parts.notes.add("c1", "ana", evil, office.archive.calls.list().calls[0].started_at)
    for path in ("/calls/c1", "/calls/c1?text=alert", "/calls", "/calls?text=alert"):
        page = await ana.sees(path)
        assert "<script>alert" not in page
        assert '"onmouseover="' not in page


async def test_the_flow_as_it_was_is_held_against_todays(office: Office, ana: Person) -> None:
    office.put_call("c1", "hello")
    then = office.parts.flows.generation.by_line["acme-main"].model_dump(mode="json")
    assert "as it is today" in await ana.sees("/calls/c1")
    folder = office.parts.flows.folder
    changed = (folder / "acme.yaml").read_text().replace("how can I help?", "what can I do?")
    (folder / "acme.yaml").write_text(changed)
    office.parts.flows.reload()
    assert "changed since" in await ana.sees("/calls/c1")
    page = await ana.sees("/calls/c1/flow")
    assert "− greeting: Acme Bicycles, how can I help?" in page
    assert "+ greeting: Acme Bicycles, what can I do?" in page
    flow = await ana.json("/api/calls/c1/flow")
    assert (flow["version"], flow["today"]) == (office.archive.calls.list().calls[0].flow_version, "changed")
    assert then["greeting"] in flow["yaml"]
    office.put_call("c9", "hello", flow_version="never-kept")
    assert "not kept" in await ana.sees("/calls/c9")
    assert (await ana.http.get("/calls/c9/flow")).status_code == 404


async def test_another_customers_call_is_not_there_on_any_route(office: Office, ben: Person) -> None:
    office.put_call("c1", "secret words")
    office.record("c1")
    note = office.parts.notes.add("c1", "ana", "private", office.archive.calls.list().calls[0].started_at)
    paths = [
        "/calls/c1", "/calls/c1/flow", "/api/calls/c1", "/api/calls/c1/flow", "/api/calls/c1/notes",
        "/api/calls/c1/peaks", "/api/calls/c1/recording", "/api/calls/c1/recording.wav",
        "/api/calls/c1/recording.opus", "/api/calls/c1/transcript.txt", "/api/calls/c1/transcript.vtt",
        "/api/calls/c1/transcript.json",
    ]  # fmt: skip
    for path in paths:
        answer = await ben.http.get(path)
        assert answer.status_code == 404, path
        assert "secret" not in answer.text
    for path in ("/calls/c1/notes", "/calls/c1/judgement", f"/calls/c1/notes/{note.id}/remove"):
        assert (await ben.sends(path, text="mine", tags="mine")).status_code == 404
    assert [one.text for one in office.parts.notes.of("c1")] == ["private"]


async def test_an_hour_of_600_turns_is_one_page(office: Office, ana: Person) -> None:
    office.put_call("c1", *(f"words number {number} and some more of them" for number in range(600)))
    page = await ana.sees("/calls/c1")
    assert page.count('class="turn ') == 600
    assert len(page) < 1_000_000


def routes_of(office: Office) -> set[str]:
    """Every route that a call's id leads to."""
    found: Any = office.web.openapi()["paths"]
    return {path for path in found if "{call_id}" in path}


def test_every_route_of_a_call_is_known_to_the_test_above(office: Office) -> None:
    assert routes_of(office) == {
        "/api/calls/{call_id}", "/api/calls/{call_id}/flow", "/api/calls/{call_id}/notes",
        "/api/calls/{call_id}/notes/{note_id}", "/api/calls/{call_id}/tags",
        "/api/calls/{call_id}/disposition", "/api/calls/{call_id}/peaks", "/api/calls/{call_id}/recording",
        "/api/calls/{call_id}/recording.wav", "/api/calls/{call_id}/recording.opus",
        "/api/calls/{call_id}/transcript.txt", "/api/calls/{call_id}/transcript.vtt",
        "/api/calls/{call_id}/transcript.json",
    }  # fmt: skip
