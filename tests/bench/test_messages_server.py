"""The stand-in for a language model: answers from the prompt alone, and tells what it was asked."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from kame_voice.bench.messages_author import FactsAuthor
from kame_voice.bench.messages_server import Behaviour, messages_process, running_server
from kame_voice.bench.questions import load_questions
from kame_voice.core.nouns import Speaker
from kame_voice.oracle.base import AnswerFailed, OracleRequest, Said
from kame_voice.oracle.claude import Claude
from kame_voice.oracle.prompt import build_prompt
from tests.oracle.examples import CALL, MONDAY_NOON, request


@pytest.fixture(scope="module")
def author() -> FactsAuthor:
    return FactsAuthor()


def written(author: FactsAuthor, asked: OracleRequest) -> str:
    prompt = build_prompt(asked)
    return author.write({"system": prompt.system, "messages": prompt.messages})


def test_it_knows_what_the_prompt_tells_and_nothing_else(author: FactsAuthor) -> None:
    assert "free parking" in written(author, request("Where can I leave my car?"))
    assert "nine in the morning to one" in written(author, request("When do you open on Saturday?"))
    assert "closed" in written(author, request("Are you open on Friday?"))
    assert "I don't have that here" in written(author, request("Who won the game last night?"))


def test_it_answers_the_benchmarks_questions(author: FactsAuthor) -> None:
    """So that a wrong answer in a benchmark is the system's, not the stand-in's."""
    for asked in load_questions(Path("flows")):
        for question in asked.questions:
            text = written(author, OracleRequest(CALL, asked.flow, (), question.ask, True, MONDAY_NOON))
            assert all(asked.answers[fact] in text for fact in question.facts), question.ask


def test_a_follow_up_is_understood_from_the_conversation(author: FactsAuthor) -> None:
    before = (Said(Speaker.CALLER, "Are you open on Saturday?"), Said(Speaker.AGENT, "Until one."))
    assert "On Monday we are open" in written(author, request("And on Monday?", history=before))


@pytest.mark.anyio
async def test_it_counts_requests_and_tokens() -> None:
    async with running_server(Behaviour(text="Yes, we do.")) as server:
        claude = Claude("key", model="test", base_url=server.url)
        _ = [delta async for delta in claude.answer(request("Do you?"))]
        await claude.close()
        async with httpx.AsyncClient(trust_env=False) as http:
            stats = (await http.get(f"{server.url}/stats")).json()
    assert (stats["requests"], stats["finished"], stats["output_tokens"]) == (1, 1, 3)
    assert stats["input_tokens"] > 200


@pytest.mark.anyio
async def test_it_is_told_to_misbehave_while_it_runs() -> None:
    async with running_server(Behaviour(text="Yes, we do.")) as server:
        claude = Claude("key", model="test", base_url=server.url)
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{server.url}/mode/529")).raise_for_status()
        with pytest.raises(AnswerFailed, match="overloaded"):
            _ = [delta async for delta in claude.answer(request("Do you?"))]
        await claude.close()


def test_it_runs_as_a_process() -> None:
    with messages_process("--text", "Yes.") as url:
        assert httpx.get(f"{url}/stats", trust_env=False).json()["requests"] == 0
