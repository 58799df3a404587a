"""Messages of Twilio Media Streams, parsed and built without I/O.

https://www.twilio.com/docs/voice/media-streams/websocket-messages. Twilio sends its numbers as
strings; numbers are taken as well. Knows nothing of sockets, order or time.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from kame_voice.core.errors import KameError

__all__ = [
    "Connected",
    "DtmfPressed",
    "Envelope",
    "MarkReturned",
    "Media",
    "Message",
    "Stop",
    "StreamStart",
    "Unknown",
    "WireError",
    "parse",
]

_MAX_NUMBER: Final = 2**53
_DTMF_DIGITS: Final = frozenset("0123456789*#ABCD")


class WireError(KameError):
    """A peer's message does not follow the protocol; `where` names the field."""

    code = "wire-malformed"


@dataclass(frozen=True, slots=True)
class Connected:
    """The first message: the protocol's name and version."""

    protocol: str
    version: str


@dataclass(frozen=True, slots=True)
class StreamStart:
    """The stream's identity and format. `custom_parameters` are the TwiML's `<Parameter>`s."""

    stream_sid: str
    call_sid: str
    account_sid: str
    tracks: tuple[str, ...]
    encoding: str
    sample_rate: int
    channels: int
    custom_parameters: Mapping[str, str]


class Media(NamedTuple):
    """One packet. `timestamp_ms` is since the stream's start, `chunk` counts from 1 per track."""

    track: str
    chunk: int
    timestamp_ms: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class DtmfPressed:
    """A key the caller pressed."""

    digit: str


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """A mark of ours came back: played, or thrown away by a clear."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The stream is over."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event this module has no name for; to be ignored."""

    event: str


Message = Connected | StreamStart | Media | DtmfPressed | MarkReturned | Stop | Unknown


def parse(text: str | bytes) -> Message:
    """One message of Twilio's. Raises WireError, and nothing else, whatever the input."""
    try:
        raw = orjson.loads(text)
    except ValueError as error:
        raise _wrong("message", f"is not JSON ({error})") from error
    if not isinstance(raw, dict):
        raise _wrong("message", "is not a JSON object")
    event = _text(raw, "event", "event")
    if event == "media":
        return _media(raw)
    if event == "mark":
        return MarkReturned(_text(_part(raw, "mark"), "name", "mark.name"))
    if event == "dtmf":
        return _dtmf(raw)
    if event == "start":
        return _start(raw)
    if event == "connected":
        return Connected(_optional(raw, "protocol"), _optional(raw, "version"))
    return Stop() if event == "stop" else Unknown(event)


def _media(raw: dict[str, Any]) -> Media:
    part = _part(raw, "media")
    payload = part.get("payload")
    try:
        # strict: garbage between the letters is a fault of the peer's, not to be skipped
        data = binascii.a2b_base64(payload, strict_mode=True)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise _wrong("media.payload", f"is not base64 ({error})") from error
    return Media(
        _text(part, "track", "media.track"),
        _number(part, "chunk", "media.chunk"),
        _number(part, "timestamp", "media.timestamp"),
        data,
    )


def _dtmf(raw: dict[str, Any]) -> DtmfPressed:
    digit = _text(_part(raw, "dtmf"), "digit", "dtmf.digit")
    if digit not in _DTMF_DIGITS:
        raise _wrong("dtmf.digit", f"is {digit[:20]!r}, not one key of a telephone")
    return DtmfPressed(digit)


def _start(raw: dict[str, Any]) -> StreamStart:
    part = _part(raw, "start")
    tracks = part.get("tracks", [])
    if not isinstance(tracks, list) or not all(isinstance(track, str) for track in tracks):
        raise _wrong("start.tracks", "is not a list of strings")
    parameters = part.get("customParameters", {})
    if not isinstance(parameters, dict) or not all(isinstance(value, str) for value in parameters.values()):
        raise _wrong("start.customParameters", "is not an object of strings")
    media_format = _part(part, "mediaFormat", "start.mediaFormat")
    return StreamStart(
        stream_sid=_text(part, "streamSid", "start.streamSid"),
        call_sid=_text(part, "callSid", "start.callSid"),
        account_sid=_text(part, "accountSid", "start.accountSid"),
        tracks=tuple(tracks),
        encoding=_text(media_format, "encoding", "start.mediaFormat.encoding"),
        sample_rate=_number(media_format, "sampleRate", "start.mediaFormat.sampleRate"),
        channels=_number(media_format, "channels", "start.mediaFormat.channels"),
        custom_parameters=parameters,
    )


def _part(raw: dict[str, Any], key: str, where: str | None = None) -> dict[str, Any]:
    part = raw.get(key)
    if not isinstance(part, dict):
        raise _wrong(where or key, "is missing" if part is None else "is not an object")
    return part


def _text(raw: dict[str, Any], key: str, where: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str):
        raise _wrong(where, "is missing" if value is None else "is not a string")
    return value


def _optional(raw: dict[str, Any], key: str) -> str:
    return _text(raw, key, key) if key in raw else ""


def _number(raw: dict[str, Any], key: str, where: str) -> int:
    value = raw.get(key)
    # isdecimal alone takes every script's digits
    if isinstance(value, str) and len(value) <= 16 and value.isascii() and value.isdecimal():
        value = int(value)
    if type(value) is not int or not 0 <= value <= _MAX_NUMBER:
        raise _wrong(where, "is missing" if value is None else "is not a whole number")
    return value


def _wrong(field: str, what: str) -> WireError:
    return WireError(what, where=field, do="the peer must speak Twilio Media Streams")


class Envelope:
    """Builds the outbound messages of one stream, as UTF-8. What stays the same is built once."""

    def __init__(self, stream_sid: str) -> None:
        self._stream_sid = stream_sid
        sid = json.dumps(stream_sid).encode()
        self._before = b'{"event":"media","streamSid":' + sid + b',"media":{"payload":"'

    def media(self, payload: bytes) -> bytes:
        """Audio for the caller: mu-law bytes at 8 kHz."""
        return self._before + binascii.b2a_base64(payload, newline=False) + b'"}}'

    def mark(self, name: str) -> bytes:
        """Comes back once everything before it was played, or at once after a clear."""
        return _encode({"event": "mark", "streamSid": self._stream_sid, "mark": {"name": name}})

    def clear(self) -> bytes:
        """Throw away all audio that is buffered at the peer; it returns the pending marks."""
        return _encode({"event": "clear", "streamSid": self._stream_sid})


def _encode(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()
