from __future__ import annotations

import pytest

from kame_voice.bench.messages_server import Behaviour, Mode, running_server
from kame_voice.oracle.base import AnswerFailed
from kame_voice.oracle.claude import Claude
from tests.oracle.examples import request

pytestmark = pytest.mark.anyio


async def answer(
    url: str, *, key: str = "test-key", first_token_s: float = 5, stall_s: float = 5
) -> list[str]:
    claude = Claude(key, model="claude-test", base_url=url, first_token_s=first_token_s, stall_s=stall_s)
    try:
        return [delta.text async for delta in claude.answer(request("Are you open?"))]
    finally:
        await claude.close()


async def failure(mode: Mode, *, first_token_s: float = 5, stall_s: float = 5) -> AnswerFailed:
    async with running_server(Behaviour(mode)) as server:
        with pytest.raises(AnswerFailed) as failed:
            await answer(server.url, first_token_s=first_token_s, stall_s=stall_s)
        assert len(server.requests) == 1, "a failure is not retried"
    return failed.value


async def test_an_answer_is_streamed_as_it_is_written() -> None:
    async with running_server(Behaviour(text="We are open until five.")) as server:
        pieces = await answer(server.url)
    assert len(pieces) > 3
    assert "".join(pieces) == "We are open until five."


async def test_the_request_is_the_prompt_with_its_cached_part_marked() -> None:
    async with running_server() as server:
        await answer(server.url)
    (body,) = server.requests
    assert body["stream"] is True
    assert body["model"] == "claude-test"
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["messages"][-1]["content"].startswith("Are you open?")


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (Mode.BAD_KEY, "bad-key"),
        (Mode.RATE_LIMITED, "rate-limited"),
        (Mode.SERVER_ERROR, "server-error"),
        (Mode.OVERLOADED, "overloaded"),
        (Mode.OVERLOADED_LATE, "overloaded"),
        (Mode.CUT, "cut-off"),
        (Mode.REFUSAL, "refusal"),
        (Mode.EMPTY, "empty-answer"),
    ],
)
async def test_every_failure_has_its_code(mode: Mode, code: str) -> None:
    assert (await failure(mode)).code == code


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.SILENT_STREAM])
async def test_no_first_token_in_time_is_a_failure(mode: Mode) -> None:
    assert (await failure(mode, first_token_s=0.2)).code == "first-token-late"


async def test_a_stream_that_falls_silent_is_a_failure() -> None:
    assert (await failure(Mode.STALL, stall_s=0.2)).code == "stalled"


async def test_a_service_that_is_not_there_is_a_failure() -> None:
    async with running_server() as server:
        gone = server.url
    with pytest.raises(AnswerFailed) as failed:
        await answer(gone)
    assert failed.value.code == "unreachable"


async def test_without_a_key_nobody_is_asked() -> None:
    async with running_server() as server:
        with pytest.raises(AnswerFailed) as failed:
            await answer(server.url, key="")
        assert server.requests == []
    assert failed.value.code == "no-key"


async def test_after_a_failure_the_next_question_is_answered() -> None:
    async with running_server(Behaviour(text="Yes."), Behaviour(Mode.OVERLOADED)) as server:
        claude = Claude("test-key", model="claude-test", base_url=server.url)
        with pytest.raises(AnswerFailed):
            _ = [delta async for delta in claude.answer(request("Are you open?"))]
        assert "".join([delta.text async for delta in claude.answer(request("Are you open?"))]) == "Yes."
        await claude.close()
