"""Twilio's messages: exact when well-formed, one clear error when not, never another."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.legs import twilio_wire as wire
from kame_voice.legs.twilio_wire import WireError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["media", "start", "mark", "dtmf", "stop", "connected", "event", "streamSid"])
FIELDS = st.sampled_from(
    ["track", "chunk", "timestamp", "payload", "name", "digit", "streamSid", "callSid", "accountSid",
     "tracks", "mediaFormat", "customParameters", "encoding", "sampleRate", "channels"]
)  # fmt: skip
NEARLY = st.fixed_dictionaries(
    {"event": st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "weather"])},
    optional={
        name: JSON | st.dictionaries(FIELDS, JSON | st.sampled_from(["1", "AAAA", "5"]), max_size=8)
        for name in ("media", "start", "mark", "dtmf", "stop", "protocol", "version")
    },
)


def a_start(**changes: Any) -> dict[str, Any]:
    start: dict[str, Any] = {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "abc"},
    }
    return {"event": "start", "sequenceNumber": "1", "start": start | changes, "streamSid": "MZ1"}


def a_packet(**changes: Any) -> dict[str, Any]:
    fields = {"track": "inbound", "chunk": "7", "timestamp": "120", "payload": "/38="}
    return {"event": "media", "sequenceNumber": "9", "media": fields | changes, "streamSid": "MZ1"}


def test_start_tells_stream_call_format_and_parameters() -> None:
    assert wire.parse(json.dumps(a_start())) == wire.StreamStart(
        stream_sid="MZ1",
        call_sid="CA1",
        account_sid="AC1",
        tracks=("inbound",),
        encoding="audio/x-mulaw",
        sample_rate=8000,
        channels=1,
        custom_parameters={"token": "abc"},
    )


def test_numbers_may_be_strings_or_numbers() -> None:
    expected = wire.Media("inbound", 7, 120, b"\xff\x7f")
    assert wire.parse(json.dumps(a_packet())) == expected
    assert wire.parse(json.dumps(a_packet(chunk=7, timestamp=120))) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"event":"connected","protocol":"Call","version":"1.0.0"}', wire.Connected("Call", "1.0.0")),
        ('{"event":"mark","mark":{"name":"m-1"}}', wire.MarkReturned("m-1")),
        ('{"event":"dtmf","dtmf":{"track":"inbound_track","digit":"#"}}', wire.DtmfPressed("#")),
        ('{"event":"stop","stop":{"accountSid":"AC1","callSid":"CA1"}}', wire.Stop()),
        ('{"event":"weather","weather":{}}', wire.Unknown("weather")),
    ],
)
def test_the_other_messages(text: str, message: wire.Message) -> None:
    assert wire.parse(text) == message


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ([], "message"),
        ({}, "event"),
        ({"event": 7}, "event"),
        ({"event": "media"}, "media"),
        ({"event": "media", "media": "x"}, "media"),
        (a_packet(payload="not base64!"), "media.payload"),
        (a_packet(payload=None), "media.payload"),
        (a_packet(payload="ü"), "media.payload"),
        (a_packet(chunk="-1"), "media.chunk"),
        (a_packet(timestamp="٣"), "media.timestamp"),
        (a_packet(timestamp="9" * 40), "media.timestamp"),
        (a_packet(timestamp=True), "media.timestamp"),
        (a_packet(timestamp=1.5), "media.timestamp"),
        (a_packet(track=1), "media.track"),
        ({"event": "mark", "mark": {}}, "mark.name"),
        ({"event": "dtmf", "dtmf": {"digit": "55"}}, "dtmf.digit"),
        (a_start(tracks="inbound"), "start.tracks"),
        (a_start(customParameters={"a": 1}), "start.customParameters"),
        (a_start(mediaFormat=None), "start.mediaFormat"),
        (a_start(callSid=None), "start.callSid"),
    ],
)
def test_what_is_malformed_is_named_by_its_field(raw: object, field: str) -> None:
    with pytest.raises(WireError) as error:
        wire.parse(json.dumps(raw))
    assert error.value.where == field
    assert error.value.code == "wire-malformed"


def test_json_nested_past_all_reason_is_malformed() -> None:
    with pytest.raises(WireError):
        wire.parse("[" * 200_000)


@given(st.binary(max_size=200) | st.text(max_size=200) | JSON.map(json.dumps) | NEARLY.map(json.dumps))
def test_anything_at_all_is_a_message_or_a_wire_error(text: str | bytes) -> None:
    def parsed() -> object:
        try:
            return wire.parse(text)
        except WireError as error:
            return error

    result = parsed()
    assert result.where if isinstance(result, WireError) else isinstance(result, wire.Message)


@given(st.text(max_size=30), st.binary(max_size=400))
def test_outbound_media_is_json_that_carries_exactly_the_payload(stream_sid: str, payload: bytes) -> None:
    message = json.loads(wire.Envelope(stream_sid).media(payload))
    assert message["event"] == "media"
    assert message["streamSid"] == stream_sid
    assert base64.b64decode(message["media"]["payload"]) == payload


@given(st.binary(max_size=400), st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_packet_survives_the_wire(payload: bytes, chunk: int, timestamp: int) -> None:
    text = a_packet(chunk=str(chunk), timestamp=str(timestamp), payload=base64.b64encode(payload).decode())
    assert wire.parse(json.dumps(text)) == wire.Media("inbound", chunk, timestamp, payload)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_mark_comes_back_under_its_own_name(stream_sid: str, name: str) -> None:
    sent = json.loads(wire.Envelope(stream_sid).mark(name))
    assert sent["streamSid"] == stream_sid
    assert wire.parse(json.dumps(sent)) == wire.MarkReturned(name)


def test_clear_names_its_stream() -> None:
    assert json.loads(wire.Envelope("MZ1").clear()) == {"event": "clear", "streamSid": "MZ1"}
