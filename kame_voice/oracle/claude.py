"""Answers from Claude by the Messages API: the only file that knows the anthropic library.

httpx2 is that library's transport; its errors come through in mid-stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

import anthropic
import httpx2

from kame_voice.core.nouns import OracleSource
from kame_voice.oracle.base import AnswerDelta, AnswerFailed, OracleRequest
from kame_voice.oracle.prompt import build_prompt

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
        first_token_s: float = 8.0,
        stall_s: float = 4.0,
    ) -> None:
        self._has_key = bool(key)
        self.model: str | None = model
        self._first_token_s = first_token_s
        self._stall_s = stall_s
        self._client = anthropic.AsyncAnthropic(
            api_key=key or "none",
            base_url=base_url or "https://api.anthropic.com",
            max_retries=0,
            timeout=anthropic.Timeout(connect=3.0, read=None, write=5.0, pool=3.0),
        )

    async def answer(self, question: OracleRequest) -> AsyncGenerator[AnswerDelta, None]:
        """Stream the answer. Raises `AnswerFailed`."""
        if not self._has_key:
            raise AnswerFailed("no-key", "there is no API key", where=_WHERE, do="set ANTHROPIC_API_KEY")
        try:
            async for text in self._stream(question):
                yield AnswerDelta(text)
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

    async def _stream(self, question: OracleRequest) -> AsyncGenerator[str, None]:
        prompt = build_prompt(question)
        asked: dict[str, Any] = {
            "model": self.model,
            "max_tokens": prompt.max_tokens,
            "system": prompt.system,
            "messages": prompt.messages,
            "stream": True,
        }
        try:
            async with asyncio.timeout(self._first_token_s):
                stream: Any = await self._client.messages.create(**asked)
        except TimeoutError as late:
            raise AnswerFailed("first-token-late", "no answer in time", where=_WHERE) from late
        async with stream:
            async for text in self._texts(stream):
                yield text

    async def _texts(self, stream: Any) -> AsyncGenerator[str, None]:
        """The text of a stream of events, each of which must come in time, up to its proper end."""
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
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                begun = True
                yield event.delta.text
            elif event.type == "message_delta" and event.delta.stop_reason == "refusal":
                raise AnswerFailed("refusal", "the model declined to answer", where=_WHERE)
            elif event.type == "message_stop":
                if not begun:
                    raise AnswerFailed("empty-answer", "the model said nothing", where=_WHERE)
                return

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._client.close()


def _from_status(error: anthropic.APIStatusError) -> AnswerFailed:
    """The API's error; one that comes in mid-stream carries its kind in the body, and status 200."""
    body = error.body if isinstance(error.body, dict) else {}
    detail = body.get("error")
    kind = detail.get("type", "") if isinstance(detail, dict) else ""
    status = _ERROR_TYPES.get(kind, error.status_code)
    code, what, do = _STATUS.get(status, ("server-error", "the service failed", "see status.claude.com"))
    return AnswerFailed(code, f"{what} (status {error.status_code} {kind})", where=_WHERE, do=do)
