"""The Messages API's streaming form, and the ways in which a stream goes wrong. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Behaviour", "Mode", "stream_events", "usage_of"]


class Mode(StrEnum):
    """How one request is answered."""

    NORMAL = "normal"
    BAD_REQUEST = "400"
    BAD_KEY = "401"
    NOT_FOUND = "404"
    RATE_LIMITED = "429"
    SERVER_ERROR = "500"
    OVERLOADED = "529"
    HANG = "hang"
    """The request is taken and nothing ever comes."""
    SILENT_STREAM = "silent-stream"
    """The stream opens and no token ever comes."""
    STALL = "stall"
    """Half the tokens come, then nothing, with the connection left open."""
    STALL_EARLY = "stall-early"
    """Two tokens come, then nothing: the answer is begun and cannot be spoken."""
    CUT = "cut"
    """The connection is closed in the middle of an event's JSON."""
    GARBAGE = "garbage"
    """Half the tokens, then an event whose data is no JSON."""
    RESET = "reset"
    """The connection is reset before any answer."""
    OVERLOADED_LATE = "overloaded-late"
    """Half the tokens, then an `overloaded_error` event."""
    REFUSAL = "refusal"
    EMPTY = "empty"
    """A well-formed stream without a word."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One answer. Delays in milliseconds; `first_token_ms` is drawn evenly from the two ends.

    `text` None: whatever the server's author writes.
    """

    mode: Mode = Mode.NORMAL
    text: str | None = "We are open until five."
    first_token_ms: tuple[float, float] = (0.0, 0.0)
    tokens_per_s: float = 1e6


def usage_of(body: dict[str, Any]) -> dict[str, int]:
    """Input tokens as the API counts them, at four characters a token; nothing comes from a cache."""
    characters = len(json.dumps([body.get("system", ""), body["messages"]]))
    return {
        "input_tokens": characters // 4,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def _tokens(text: str) -> list[str]:
    """`text` in pieces of about a token: a word with the space before it, or seven letters of one."""
    pieces: list[str] = []
    for number, word in enumerate(text.split(" ")):
        spaced = f" {word}" if number else word
        # Most words of a telephone answer are one token; long ones are two or three.
        pieces += [spaced[at : at + 7] for at in range(0, len(spaced), 7)]
    return pieces


def stream_events(  # noqa: PLR0911 - one return a way of going wrong
    body: dict[str, Any], text: str, how: Behaviour, usage: dict[str, int]
) -> list[tuple[bytes | None, bool]]:
    """The stream's events with whether each is a token; None: silence from here on."""
    message = {
        "id": "msg_stand_in", "type": "message", "role": "assistant", "model": body.get("model", ""),
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1},
    }  # fmt: skip
    block = {"type": "text", "text": ""}
    events: list[tuple[bytes | None, bool]] = [
        (_event("message_start", message=message), False),
        (_event("content_block_start", index=0, content_block=block), False),
        (_event("ping"), False),
    ]
    if how.mode is Mode.SILENT_STREAM:
        return [*events, (None, False)]
    pieces = _tokens(text)
    tokens: list[tuple[bytes | None, bool]] = [
        (_event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}), True)
        for piece in pieces
    ]
    half = tokens[: len(tokens) // 2]
    match how.mode:
        case Mode.STALL:
            return [*events, *half, (None, False)]
        case Mode.STALL_EARLY:
            return [*events, *tokens[:2], (None, False)]
        case Mode.CUT:
            last = tokens[-1][0] or b""
            return [*events, *half, (last[: len(last) // 2], False)]
        case Mode.GARBAGE:
            return [*events, *half, (b'event: content_block_delta\ndata: {"type": "conte\n\n', False)]
        case Mode.OVERLOADED_LATE:
            error = {"type": "overloaded_error", "message": "Overloaded"}
            return [*events, *half, (_event("error", error=error), False)]
        case Mode.EMPTY | Mode.REFUSAL:
            tokens = []
    reason = "refusal" if how.mode is Mode.REFUSAL else "end_turn"
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        *events,
        *tokens,
        (_event("content_block_stop", index=0), False),
        (_event("message_delta", delta=delta, usage={"output_tokens": len(tokens)}), False),
        (_event("message_stop"), False),
    ]


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
