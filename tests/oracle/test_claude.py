from __future__ import annotations

import pytest

from kame_voice.bench.messages_server import Behaviour, Mode, running_server
from kame_voice.core.nouns import Speaker
from kame_voice.oracle.base import AnswerFailed, Said
from kame_voice.oracle.claude import Claude
from kame_voice.oracle.prices import Price
from tests.oracle.examples import DENTIST, request

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
        (Mode.BAD_REQUEST, "refused-request"),
        (Mode.NOT_FOUND, "refused-request"),
        (Mode.CUT, "cut-off"),
        (Mode.GARBAGE, "cut-off"),
        (Mode.RESET, "unreachable"),
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


async def test_an_answer_names_its_facts_and_what_it_cost_without_a_word_of_it_spoken() -> None:
    text = "Parking is free behind the house. [parking]"
    async with running_server(Behaviour(text=text)) as server:
        claude = Claude("test-key", model="claude-test", base_url=server.url, price=Price(1, 5))
        deltas = [delta async for delta in claude.answer(request("Where can I park?"))]
        await claude.close()
    assert "".join(delta.text for delta in deltas).strip() == "Parking is free behind the house."
    assert (deltas[-1].facts, deltas[-1].grounded) == (("parking",), True)
    usage = deltas[-1].usage
    assert usage is not None
    assert usage.input_tokens > 300
    assert usage.cost_usd == pytest.approx((usage.input_tokens + 5 * usage.output_tokens) / 1e6)


async def test_a_guess_may_have_nothing_to_say_yet() -> None:
    async with running_server(Behaviour(text="[wait]")) as server:
        claude = Claude("test-key", model="claude-test", base_url=server.url)
        guess = [delta.text async for delta in claude.answer(request("Hello I", is_final=False))]
        with pytest.raises(AnswerFailed) as failed:
            _ = [delta async for delta in claude.answer(request("Hello I"))]
        await claude.close()
    assert "".join(guess) == ""
    assert failed.value.code == "empty-answer"


async def test_a_long_call_is_summed_up() -> None:
    async with running_server(Behaviour(text="She wants two cleanings.")) as server:
        claude = Claude("test-key", model="claude-test", base_url=server.url)
        text, usage = await claude.summarise(DENTIST, "", (Said(Speaker.CALLER, "Two cleanings, please."),))
        await claude.close()
    assert text == "She wants two cleanings."
    assert usage.output_tokens > 0
