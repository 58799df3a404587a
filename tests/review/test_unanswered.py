"""Open questions: what they mean, which belong together, and the fact that would answer them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kame_voice.flows.loader import parse_flow
from kame_voice.flows.schema import Flow
from kame_voice.oracle.embedder import Embedder
from kame_voice.review.drafts import draft_fact, suggested_id
from kame_voice.review.flow_diff import as_yaml, difference
from kame_voice.review.unanswered import grouped, pack, unpack
from kame_voice.store.questions import Asked
from tests.support.running_app import flow_text

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="module")
def flow() -> Flow:
    return parse_flow(flow_text(), "acme.yaml").flow


def asked(embedder: Embedder, *texts: str) -> list[Asked]:
    """These questions, a minute apart."""
    vectors = embedder.embed(list(texts))
    return [
        Asked(f"c{n}", "o", "acme", "acme", 0, NOON + timedelta(minutes=n), text, pack(vectors[n]))
        for n, text in enumerate(texts)
    ]


def test_questions_that_mean_the_same_are_gathered_largest_group_first(embedder: Embedder) -> None:
    questions = asked(
        embedder,
        "do you accept crypto currency",
        "can I bring my dog",
        "can I pay in bitcoin",
        "are dogs allowed",
        "do you take bitcoin",
        "who won the game last night",
    )
    groups = grouped(questions)
    assert [sorted(one.text for one in group.questions) for group in groups] == [
        ["can I pay in bitcoin", "do you accept crypto currency", "do you take bitcoin"],
        ["are dogs allowed", "can I bring my dog"],
        ["who won the game last night"],
    ]
    assert groups[0].questions[0].text == "do you take bitcoin"  # the newest first
    assert groups[0].last_asked == NOON + timedelta(minutes=4)


def test_the_same_words_twice_are_one_wording(embedder: Embedder) -> None:
    (group,) = grouped(asked(embedder, "Can I pay in Bitcoin?", "can I pay in bitcoin?"))
    assert len(group.questions) == 2
    assert len(group.wordings(5)) == 1


def test_a_vector_keeps_its_direction_in_the_database(embedder: Embedder) -> None:
    (vector,) = embedder.embed(["are you open"])
    assert float(unpack(pack(vector)) @ vector) == pytest.approx(1.0, abs=1e-3)


def test_questions_without_a_vector_wait(embedder: Embedder) -> None:
    waiting = Asked("c", "o", "acme", "acme", 0, NOON, "hello", None)
    assert grouped([waiting]) == []


def test_a_draft_is_yaml_that_the_flow_takes(flow: Flow) -> None:
    fact_id = suggested_id(flow, "do you accept crypto currency?")
    draft = draft_fact(
        flow,
        fact_id,
        ["do you accept crypto currency", "Can I pay: in bitcoin?"],
        "No: cards or cash.",
    )
    assert draft.mistakes == ()
    pasted = parse_flow(flow_text().rstrip() + "\n" + (draft.yaml or ""), "acme.yaml").flow
    assert pasted.facts[-1].id == "accept-crypto-currency"
    assert pasted.facts[-1].questions == ("Do you accept crypto currency?", "Can I pay: in bitcoin?")
    assert pasted.facts[-1].answer == "No: cards or cash."


def test_what_a_flow_would_not_take_is_said(flow: Flow) -> None:
    assert draft_fact(flow, "puncture", ["How much?"], "Ten.").mistakes == (
        "id: the flow has a fact puncture already",
    )
    mistakes = draft_fact(flow, "Not a name", [], " ").mistakes
    assert [mistake.split(":")[0] for mistake in mistakes] == ["id", "questions", "answer"]


def test_a_suggested_name_is_free(flow: Flow) -> None:
    assert suggested_id(flow, "puncture?") == "puncture-2"
    assert suggested_id(flow, "what is it?") == "new-fact"


def test_the_difference_of_two_flows_is_in_their_own_words(flow: Flow) -> None:
    then = flow.model_dump(mode="json")
    now = flow.model_copy(update={"greeting": "Welcome to Acme."}).model_dump(mode="json")
    assert difference(then, then) == []
    changed = [(line.kind, line.text) for line in difference(then, now) if line.kind in ("gone", "new")]
    assert changed == [
        ("gone", "greeting: Acme Bicycles, how can I help?"),
        ("new", "greeting: Welcome to Acme."),
    ]
    assert parse_flow(as_yaml(then), "again.yaml").flow == flow
