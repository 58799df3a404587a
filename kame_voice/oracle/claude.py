"""Answers from Claude by the Messages API: the only file that knows the anthropic library.

httpx2 is that library's transport; its errors come through in mid-stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any, Final

import anthropic
import httpx2

from kame_voice.core.nouns import OracleSource
from kame_voice.flows.schema import Flow
from kame_voice.oracle.base import AnswerDelta, AnswerFailed, OracleRequest, Said, Usage
from kame_voice.oracle.prices import Price
from kame_voice.oracle.prompt import Prompt, build_prompt, summary_prompt
from kame_voice.oracle.sources import WAIT, MarkedText, sourced

__all__ = ["Claude"]

_WHERE: Final = "Anthropic API"
_STATUS: Final = {
    400: ("refused-request", "the request was refused", "check KAME_CLAUDE_MODEL"),
    401: ("bad-key", "the API key is not accepted", "check ANTHROPIC_API_KEY"),
    403: ("bad-key", "the API key may not do this", "check ANTHROPIC_API_KEY"),
    404: ("refused-request", "there is no such model or address", "check KAME_CLAUDE_MODEL"),
    429: ("rate-limited", "too many requests", "raise the account's limits"),
    529: ("overloaded", "the service is overloaded", "nothing: the flow's facts answer meanwhile"),
}
_ERROR_TYPES: Final = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "invalid_request_error": 400,
}
_LETTERS_A_TOKEN: Final = 4
"""English text, roughly. Counts until the service tells, and where a stream was ended before it did."""


class Claude:
    """The `AnswerSource` of a language model; one a process.

    `first_token_s` and `stall_s` bound the wait for the first and for each further event of a
    stream. Nothing is retried: by the time a retry came, the flow's facts would have answered.
    Every failure is an `AnswerFailed`, whose codes are listed there.
    """

    source = OracleSource.LLM

    def __init__(
        self,
        key: str,
        *,
        model: str,
        base_url: str = "",
        first_token_s: float = 4.0,
        stall_s: float = 1.5,
        price: Price | None = None,
    ) -> None:
        self._has_key = bool(key)
        self.model: str | None = model
        self._first_token_s = first_token_s
        self._stall_s = stall_s
        self._price = price
        self._client = anthropic.AsyncAnthropic(
            api_key=key or "none",
            base_url=base_url or "https://api.anthropic.com",
            max_retries=0,
            timeout=anthropic.Timeout(connect=3.0, read=None, write=5.0, pool=3.0),
        )

    async def answer(self, question: OracleRequest) -> AsyncGenerator[AnswerDelta, None]:
        """Stream the answer without its marks; the last piece names its facts. Raises `AnswerFailed`."""
        text, marked = "", MarkedText()
        usage = Usage()
        async with aclosing(self._asked(build_prompt(question))) as pieces:
            async for piece, used in pieces:
                usage = used
                spoken = marked.feed(piece)
                text += spoken
                yield AnswerDelta(spoken, usage=usage)
        marked.finish()
        if not text.strip():
            if WAIT in marked.marks and not question.is_final:
                return
            raise AnswerFailed("empty-answer", "the model said nothing", where=_WHERE)
        found = sourced(text, marked.marks, question.flow, question.caller_words)
        yield AnswerDelta("", found.facts, found.grounded, usage)

    async def summarise(self, flow: Flow, summary: str, turns: tuple[Said, ...]) -> tuple[str, Usage]:
        """`summary` brought up to date with `turns`, and what that took. Raises `AnswerFailed`."""
        text, usage = "", Usage()
        async with aclosing(self._asked(summary_prompt(flow, summary, turns))) as pieces:
            async for piece, used in pieces:
                text += piece
                usage = used
        if not text.strip():
            raise AnswerFailed("empty-answer", "the model said nothing", where=_WHERE)
        return text.strip(), usage

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._client.close()

    async def _asked(self, prompt: Prompt) -> AsyncGenerator[tuple[str, Usage], None]:
        """Pieces of the answer to `prompt`, each with what was used so far; the first has no text."""
        if not self._has_key:
            raise AnswerFailed("no-key", "there is no API key", where=_WHERE, do="set ANTHROPIC_API_KEY")
        usage, letters = _estimated(prompt), 0
        yield "", self._priced(usage)
        with _told_as_failures():
            async with await self._stream(prompt) as stream, aclosing(self._events(stream)) as events:
                async for event in events:
                    piece = ""
                    if event.type == "message_start":
                        usage = _told(event.message.usage)
                    elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                        piece = event.delta.text
                        letters += len(piece)
                        usage = replace(usage, output_tokens=1 + letters // _LETTERS_A_TOKEN)
                    elif event.type == "message_delta":
                        usage = replace(usage, output_tokens=event.usage.output_tokens)
                        if event.delta.stop_reason == "refusal":
                            raise AnswerFailed("refusal", "the model declined to answer", where=_WHERE)
                    else:
                        continue
                    yield piece, self._priced(usage)

    async def _stream(self, prompt: Prompt) -> Any:
        asked: dict[str, Any] = {
            "model": self.model,
            "max_tokens": prompt.max_tokens,
            "system": prompt.system,
            "messages": prompt.messages,
            "stream": True,
        }
        try:
            async with asyncio.timeout(self._first_token_s):
                return await self._client.messages.create(**asked)
        except TimeoutError as late:
            raise AnswerFailed("first-token-late", "no answer in time", where=_WHERE) from late

    async def _events(self, stream: Any) -> AsyncGenerator[Any, None]:
        """The events of a stream, each of which must come in time, up to its proper end."""
        begun = False
        events = aiter(stream)
        while True:
            try:
                async with asyncio.timeout(self._stall_s if begun else self._first_token_s):
                    event = await anext(events)
            except StopAsyncIteration:
                raise AnswerFailed("cut-off", "the stream ended in the middle", where=_WHERE) from None
            except TimeoutError as late:
                code = "stalled" if begun else "first-token-late"
                raise AnswerFailed(code, "the stream fell silent", where=_WHERE) from late
            if event.type == "message_stop":
                return
            begun = begun or event.type == "content_block_delta"
            yield event

    def _priced(self, usage: Usage) -> Usage:
        return self._price.put_on(usage) if self._price else usage


@contextmanager
def _told_as_failures() -> Iterator[None]:
    """Whatever goes wrong with the service or on the way to it comes out as an `AnswerFailed`."""
    try:
        yield
    except anthropic.APIStatusError as error:
        raise _from_status(error) from error
    except anthropic.APITimeoutError as error:
        raise AnswerFailed("unreachable", "no connection in time", where=_WHERE) from error
    except (anthropic.APIConnectionError, httpx2.TransportError) as error:
        code, what = ("cut-off", "the stream broke off")
        if isinstance(error, (anthropic.APIConnectionError, httpx2.ConnectError)):
            code, what = ("unreachable", "no connection")
        raise AnswerFailed(
            code, f"{what} ({error})", where=_WHERE, do="check the network and ANTHROPIC_BASE_URL"
        ) from error
    except (anthropic.AnthropicError, ValueError) as error:
        raise AnswerFailed("cut-off", f"the stream made no sense ({error})", where=_WHERE) from error


def _estimated(prompt: Prompt) -> Usage:
    letters = sum(len(block["text"]) for block in prompt.system)
    letters += sum(len(message["content"]) for message in prompt.messages)
    return Usage(input_tokens=letters // _LETTERS_A_TOKEN)


def _told(usage: Any) -> Usage:
    return Usage(
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_read_tokens=usage.cache_read_input_tokens or 0,
        cache_write_tokens=usage.cache_creation_input_tokens or 0,
    )


def _from_status(error: anthropic.APIStatusError) -> AnswerFailed:
    """The API's error; one that comes in mid-stream carries its kind in the body, and status 200."""
    body = error.body if isinstance(error.body, dict) else {}
    detail = body.get("error")
    kind = detail.get("type", "") if isinstance(detail, dict) else ""
    status = _ERROR_TYPES.get(kind, error.status_code)
    code, what, do = _STATUS.get(status, ("server-error", "the service failed", "see status.claude.com"))
    return AnswerFailed(code, f"{what} (status {error.status_code} {kind})", where=_WHERE, do=do)
