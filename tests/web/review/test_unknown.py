"""What we did not know: gathered questions, and the fact drafted from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from kame_voice.review.meanings import Meanings
from tests.web.review.conftest import Office, Person

pytestmark = pytest.mark.anyio

UNKNOWN = "I'm sorry, I don't have that here. Is there anything else I can help with?"


def put_question(office: Office, call_id: str, question: str, days_ago: int = 0, **changes: str) -> None:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    office.put_call(call_id, question, UNKNOWN, started_at=at, answered_at=at, **changes)


def read(office: Office) -> None:
    """Compute what the questions mean: here, whether they are about a dog."""

    def embed(sentences: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.array([[1, 0] if "dog" in one else [0, 1] for one in sentences], np.float32)

    Meanings(office.parts.questions, embed, office.parts.threads).round()


async def test_questions_without_an_answer_are_gathered_with_their_moments(
    office: Office, ana: Person
) -> None:
    put_question(office, "c1", "Can I bring my dog?")
    put_question(office, "c2", "Are dogs allowed?")
    put_question(office, "c3", "Who won?")
    page = await ana.sees("/unknown")
    assert "3 new questions are still being read" in page
    read(office)
    page = await ana.sees("/unknown")
    assert "asked 2 times" in page
    assert 'href="/calls/c1#t=0.82"' in page
    assert page.index("dog") < page.index("Who won?")  # the most asked first
    found = await ana.json("/api/unknown?line=acme-main")
    assert [group["count"] for group in found["groups"]] == [2, 1]
    assert found["waiting"] == 0


async def test_only_the_days_asked_for_count(office: Office, ana: Person) -> None:
    put_question(office, "c1", "Can I bring my dog?", days_ago=40)
    read(office)
    assert (await ana.json("/api/unknown?line=acme-main&days=30"))["groups"] == []
    assert len((await ana.json("/api/unknown?line=acme-main&days=90"))["groups"]) == 1


async def test_what_todays_flow_answers_is_said_and_comes_last(office: Office, ana: Person) -> None:
    for call_id in ("c1", "c2"):
        put_question(office, call_id, "What of the rental?")
    put_question(office, "c3", "Can I bring my dog?")
    read(office)
    page = await ana.sees("/unknown")
    assert "today&#39;s flow answers: rental" in page
    assert page.index("dog") < page.index("rental")


async def test_another_customers_questions_are_not_there(office: Office, ana: Person, ben: Person) -> None:
    put_question(office, "c1", "Can I bring my dog?")
    read(office)
    assert "dog" not in await ben.sees("/unknown?line=acme-main")
    assert (await ben.json("/api/unknown?line=acme-main"))["groups"] == []
    assert (await ben.http.get("/unknown/draft?line=acme-main&questions=x")).status_code == 404
    assert "dog" in await ana.sees("/unknown")


async def test_a_fact_is_drafted_checked_and_written_as_yaml(ana: Person) -> None:
    start = await ana.sees("/unknown/draft?line=acme-main&questions=Can+I+bring+my+dog%3F%0AAre+dogs+allowed")
    assert 'value="bring-dog"' in start
    assert "Paste this" not in start
    query = "line=acme-main&id=dogs&questions=Can+I+bring+my+dog%0D%0AAre+dogs+allowed"
    done = await ana.sees(f"/unknown/draft?{query}&answer=Of+course.")
    assert "  - id: dogs\n    questions:\n      - Can I bring my dog?\n      - Are dogs allowed?\n" in done
    taken = await ana.sees(f"/unknown/draft?{query.replace('dogs', 'rental', 1)}&answer=Of+course.")
    assert "has a fact rental already" in taken
    empty = await ana.sees(f"/unknown/draft?{query}&answer=")
    assert "answer: must not be empty" in empty
