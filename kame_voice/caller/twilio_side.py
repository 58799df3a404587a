"""Twilio's side of a call without I/O: webhook forms, signatures, stream messages.

Written from Twilio's public documentation and independent of `legs/`, so that the two check each
other. Knows nothing of sockets and time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kame_voice.caller.errors import WireFault

__all__ = [
    "FRAME_BYTES",
    "FRAME_MS",
    "RATE",
    "SILENT_FRAME",
    "CallIdentity",
    "Clear",
    "Mark",
    "Media",
    "MediaStream",
    "ServerMessage",
    "new_sid",
    "parse",
    "sign",
    "voice_form",
]

RATE: Final = 8_000
"""Hz of the telephone network's mu-law; one byte a sample."""
FRAME_MS: Final = 20
FRAME_BYTES: Final = RATE * FRAME_MS // 1000
SILENT_FRAME: Final = b"\xff" * FRAME_BYTES
"""20 ms of digital silence: 0xFF is mu-law's positive zero."""
_API_VERSION: Final = "2010-04-01"


def new_sid(prefix: str) -> str:
    """A fresh identifier: two letters (CA call, AC account, MZ stream) and 32 hex digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Who calls whom, and the carrier's names for it. Numbers are E.164."""

    from_number: str
    to_number: str
    call_sid: str = field(default_factory=lambda: new_sid("CA"))
    account_sid: str = field(default_factory=lambda: new_sid("AC"))
    stream_sid: str = field(default_factory=lambda: new_sid("MZ"))


def voice_form(call: CallIdentity, status: str = "ringing", **more: str) -> dict[str, str]:
    """The form parameters of a voice webhook (`ringing`) or a status callback (`completed`)."""
    return {
        "AccountSid": call.account_sid,
        "ApiVersion": _API_VERSION,
        "CallSid": call.call_sid,
        "CallStatus": status,
        "Called": call.to_number,
        "Caller": call.from_number,
        "Direction": "inbound",
        "From": call.from_number,
        "To": call.to_number,
        **more,
    }


def sign(auth_token: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """`X-Twilio-Signature` of a request: base64 HMAC-SHA1 over the URL and the sorted form.

    Of a WebSocket upgrade: over the wss URL alone.
    """
    text = url + "".join(name + value for name, value in sorted((form or {}).items()))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


@dataclass(slots=True)
class MediaStream:
    """Builds what Twilio sends over one media socket, with its counters.

    All numbers travel as strings. `sequenceNumber` counts every message after `connected` from 1;
    `chunk` counts media from 1. `first_timestamp_ms`: Twilio's first packet comes a little after
    the stream's start, and its timestamp says so; from there each one is 20 ms on.
    """

    call: CallIdentity
    parameters: Mapping[str, str] = field(default_factory=dict)
    first_timestamp_ms: int = FRAME_MS * 3
    sequence: int = 0
    chunk: int = 0

    def connected(self) -> str:
        """The first message; it has no sequence number."""
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self) -> str:
        """The stream's metadata, right after `connected`."""
        return self._numbered(
            "start",
            {
                "accountSid": self.call.account_sid,
                "streamSid": self.call.stream_sid,
                "callSid": self.call.call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": RATE, "channels": 1},
                "customParameters": dict(self.parameters),
            },
        )

    def media(self, payload_base64: str) -> str:
        """One 20 ms packet, its mu-law bytes already in base64 (the hot path of load tests)."""
        self.sequence += 1
        timestamp = self.first_timestamp_ms + FRAME_MS * self.chunk
        self.chunk += 1
        return (
            f'{{"event":"media","sequenceNumber":"{self.sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self.chunk}","timestamp":"{timestamp}","payload":"{payload_base64}"}},'
            f'"streamSid":"{self.call.stream_sid}"}}'
        )

    def skip(self, frames: int = 1) -> None:
        """Let packets get lost on the way: their numbers are used up, nothing is sent."""
        self.sequence += frames
        self.chunk += frames

    def dtmf(self, digit: str) -> str:
        """A key the caller pressed."""
        return self._numbered("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        """A mark of the server's comes back."""
        return self._numbered("mark", {"name": name})

    def stop(self) -> str:
        """The stream is over: the last message."""
        return self._numbered("stop", {"accountSid": self.call.account_sid, "callSid": self.call.call_sid})

    def _numbered(self, event: str, body: dict[str, Any]) -> str:
        self.sequence += 1
        return json.dumps(
            {
                "event": event,
                "sequenceNumber": str(self.sequence),
                event: body,
                "streamSid": self.call.stream_sid,
            }
        )


@dataclass(frozen=True, slots=True)
class Media:
    """Audio for the caller: mu-law bytes at 8 kHz, any length."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """To be returned once everything before it was played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Empty the buffer; return all pending marks."""


ServerMessage = Media | Mark | Clear


def parse(text: str | bytes, stream_sid: str) -> ServerMessage:
    """One message of the server's, as strictly as Twilio takes it. Raises WireFault."""
    if isinstance(text, bytes):
        raise WireFault("is binary; Media Streams are text messages", where="message")
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise WireFault(f"is not JSON ({error})", where="message") from error
    if not isinstance(raw, dict):
        raise WireFault("is not a JSON object", where="message")
    if raw.get("streamSid") != stream_sid:
        raise WireFault(f"is {raw.get('streamSid')!r}, not this stream's", where="streamSid")
    match raw.get("event"):
        case "media":
            return Media(_audio(_part(raw, "media").get("payload")))
        case "mark":
            name = _part(raw, "mark").get("name")
            if not isinstance(name, str) or not name:
                raise WireFault("is not a name", where="mark.name")
            return Mark(name)
        case "clear":
            return Clear()
        case other:
            raise WireFault(f"is {other!r}, not media, mark or clear", where="event")


def _part(raw: dict[str, Any], key: str) -> dict[str, Any]:
    part = raw.get(key)
    if not isinstance(part, dict):
        raise WireFault("is missing or not an object", where=key)
    return part


def _audio(payload: object) -> bytes:
    if not isinstance(payload, str) or not payload:
        raise WireFault("is missing or empty", where="media.payload")
    try:
        return binascii.a2b_base64(payload, strict_mode=True)
    except (ValueError, binascii.Error) as error:
        raise WireFault(f"is not base64 ({error})", where="media.payload") from error
