from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from kame_voice.caller.errors import WireFault
from kame_voice.caller.twilio_side import (
    CallIdentity,
    Clear,
    Mark,
    Media,
    MediaStream,
    parse,
    sign,
    voice_form,
)
from kame_voice.legs import twilio_wire

CALL = CallIdentity("+15550111", "+15550100")


def test_the_voice_webhook_carries_what_twilio_sends() -> None:
    form = voice_form(CALL)
    assert form["CallStatus"] == "ringing"
    assert form["Direction"] == "inbound"
    assert (form["From"], form["To"]) == ("+15550111", "+15550100")
    assert form["CallSid"].startswith("CA")
    assert len(form["CallSid"]) == 34


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_signature_is_the_one_that_twilios_own_library_computes(form: dict[str, str]) -> None:
    url = "https://voice.example.com/twilio/voice"
    assert sign("secret", url, form) == RequestValidator("secret").compute_signature(url, form)


def test_numbers_travel_as_strings_and_count_from_one() -> None:
    stream = MediaStream(CALL, {"line": "main"}, first_timestamp_ms=60)
    assert "sequenceNumber" not in json.loads(stream.connected())
    start = json.loads(stream.start())
    first, second = json.loads(stream.media("//8=")), json.loads(stream.media("//8="))
    assert start["sequenceNumber"] == "1"
    assert start["start"]["customParameters"] == {"line": "main"}
    assert (first["sequenceNumber"], second["sequenceNumber"]) == ("2", "3")
    assert (first["media"]["chunk"], second["media"]["chunk"]) == ("1", "2")
    assert (first["media"]["timestamp"], second["media"]["timestamp"]) == ("60", "80")
    assert json.loads(stream.stop())["sequenceNumber"] == "4"


def test_lost_packets_leave_a_gap_in_every_counter() -> None:
    stream = MediaStream(CALL, first_timestamp_ms=0)
    stream.media("")
    stream.skip(3)
    after = json.loads(stream.media(""))
    assert (after["sequenceNumber"], after["media"]["chunk"], after["media"]["timestamp"]) == ("5", "5", "80")


def test_the_servers_own_parser_reads_every_message() -> None:
    stream = MediaStream(CALL)
    start = twilio_wire.parse(stream.start())
    assert isinstance(start, twilio_wire.StreamStart)
    assert (start.call_sid, start.encoding, start.sample_rate) == (CALL.call_sid, "audio/x-mulaw", 8000)
    kinds = [
        twilio_wire.parse(text)
        for text in (
            stream.connected(),
            stream.media(base64.b64encode(b"abc").decode()),
            stream.dtmf("#"),
            stream.mark("m1"),
            stream.stop(),
        )
    ]
    assert [type(kind).__name__ for kind in kinds] == [
        "Connected",
        "Media",
        "DtmfPressed",
        "MarkReturned",
        "Stop",
    ]


def test_what_the_server_sends_is_understood() -> None:
    sid = CALL.stream_sid
    envelope = twilio_wire.Envelope(sid)
    assert parse(envelope.media(b"\x00\xff").decode(), sid) == Media(b"\x00\xff")
    assert parse(envelope.mark("a").decode(), sid) == Mark("a")
    assert parse(envelope.clear().decode(), sid) == Clear()


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ("{", "message"),
        ("[]", "message"),
        ('{"event":"clear"}', "streamSid"),
        ('{"event":"clear","streamSid":"MZother"}', "streamSid"),
        ('{"event":"shout","streamSid":"MZ1"}', "event"),
        ('{"event":"media","streamSid":"MZ1"}', "media"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"?"}}', "media.payload"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":""}}', "media.payload"),
        ('{"event":"mark","streamSid":"MZ1","mark":{}}', "mark.name"),
    ],
)
def test_a_message_that_twilio_would_refuse_is_named(message: str, where: str) -> None:
    with pytest.raises(WireFault) as fault:
        parse(message, "MZ1")
    assert fault.value.where == where


@given(st.text() | st.binary())
def test_no_input_raises_anything_but_a_wire_fault(text: str | bytes) -> None:
    with pytest.raises(WireFault):
        parse(text, "MZ1")
