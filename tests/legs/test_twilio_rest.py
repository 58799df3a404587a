"""Signatures, TwiML and the hang-up by REST."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs
from xml.etree import ElementTree

import httpx
import pytest
import stamina
from twilio.request_validator import RequestValidator

from kame_voice.legs import twilio_rest
from kame_voice.legs.twilio_rest import HangUpFailed, TwilioRest, sign, signature_fits

TOKEN = "0123456789abcdef"
FORM = {"CallSid": "CA1", "From": "+15550199", "To": "+15550100"}


def test_a_signature_of_twilios_own_making_fits() -> None:
    url = "https://voice.example.com/twilio/voice?site=a&b=c%20d"
    assert signature_fits(TOKEN, url, FORM, RequestValidator(TOKEN).compute_signature(url, FORM))


@pytest.mark.parametrize(
    ("signed", "configured"),
    [
        ("wss://v.example.com/twilio/media/t", "wss://v.example.com/twilio/media/t"),
        ("wss://v.example.com:443/twilio/media/t", "wss://v.example.com/twilio/media/t"),
        ("wss://v.example.com/twilio/media/t", "wss://v.example.com:443/twilio/media/t"),
        ("wss://v.example.com/twilio/media/t", "wss://v.example.com:8443/twilio/media/t"),
        ("wss://v.example.com:8443/twilio/media/t?x=1", "wss://v.example.com:8443/twilio/media/t?x=1"),
        ("https://v.example.com:443/twilio/voice?a=b", "https://v.example.com/twilio/voice?a=b"),
        ("http://127.0.0.1:8000/twilio/voice", "http://127.0.0.1:8000/twilio/voice"),
    ],
)
def test_the_port_may_be_in_the_signed_url_or_not(signed: str, configured: str) -> None:
    assert signature_fits(TOKEN, configured, {}, sign(TOKEN, signed, {}))


@pytest.mark.parametrize(
    ("token", "url", "form"),
    [
        ("another token", "https://v.example.com/twilio/voice", FORM),
        (TOKEN, "https://other.example.com/twilio/voice", FORM),
        (TOKEN, "http://v.example.com/twilio/voice", FORM),
        (TOKEN, "https://v.example.com/twilio/voice?x=1", FORM),
        (TOKEN, "https://v.example.com/twilio/voice", FORM | {"To": "+15550101"}),
        (TOKEN, "https://v.example.com/twilio/voice", {}),
    ],
)
def test_a_signature_for_anything_else_does_not_fit(token: str, url: str, form: dict[str, str]) -> None:
    assert not signature_fits(TOKEN, "https://v.example.com/twilio/voice", FORM, sign(token, url, form))


@pytest.mark.parametrize("signature", ["", "ü", "\ud800", "x" * 10_000])
def test_garbage_for_a_signature_does_not_fit(signature: str) -> None:
    assert not signature_fits(TOKEN, "https://v.example.com/", FORM, signature)


def test_without_a_token_nothing_fits() -> None:
    assert not signature_fits("", "https://v.example.com/", {}, sign("", "https://v.example.com/", {}))


def test_a_url_that_is_none_does_not_fit() -> None:
    assert not signature_fits(TOKEN, "http://[", {}, "x")


def verbs(twiml: str) -> list[tuple[str, str | None]]:
    return [(verb.tag, verb.text) for verb in ElementTree.fromstring(twiml)]


def test_a_call_is_connected_to_a_two_way_stream_with_parameters() -> None:
    twiml = twilio_rest.connect_stream("wss://v.example.com/twilio/media/t", parameters={"line": "a<b&c"})
    stream = ElementTree.fromstring(twiml).find("./Connect/Stream")
    assert stream is not None
    assert stream.get("url") == "wss://v.example.com/twilio/media/t"
    parameter = stream.find("Parameter")
    assert parameter is not None
    assert parameter.attrib == {"name": "line", "value": "a<b&c"}


def test_when_the_stream_is_lost_the_caller_is_spoken_to_and_passed_on() -> None:
    twiml = twilio_rest.connect_stream("wss://v/t", otherwise_say="Sorry.", otherwise_dial="+15550111")
    assert verbs(twiml)[1:] == [("Say", "Sorry."), ("Dial", "+15550111")]


def test_a_call_that_nobody_takes_over_is_ended_after_the_sentence() -> None:
    assert verbs(twilio_rest.say_and_hang_up("Closed & gone\x00.")) == [
        ("Say", "Closed & gone ."),
        ("Hangup", None),
    ]
    assert verbs(twilio_rest.say_and_dial("One moment.", "+15550111")) == [
        ("Say", "One moment."),
        ("Dial", "+15550111"),
    ]
    assert verbs(twilio_rest.say_and_dial(None, "+15550111")) == [("Dial", "+15550111")]


@pytest.mark.anyio
class TestHangUp:
    requests: list[httpx.Request]

    def rest(self, *answers: Callable[[], httpx.Response]) -> TwilioRest:
        self.requests = []
        script = iter(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return next(script)()

        return TwilioRest(
            "AC1", "secret", api_url="http://stand-in.test", transport=httpx.MockTransport(answer)
        )

    async def test_a_call_is_completed_at_the_address_given(self) -> None:
        async with self.rest(lambda: httpx.Response(200, json={"status": "completed"})) as rest:
            await rest.hang_up("CA1")
        (request,) = self.requests
        assert str(request.url) == "http://stand-in.test/2010-04-01/Accounts/AC1/Calls/CA1.json"
        assert parse_qs(request.content.decode()) == {"Status": ["completed"]}
        assert request.headers["authorization"].startswith("Basic ")

    @pytest.mark.parametrize("status", [404, 400])
    async def test_a_call_that_is_over_already_is_a_success(self, status: int) -> None:
        async with self.rest(lambda: httpx.Response(status, json={"code": 20404})) as rest:
            await rest.hang_up("CA1")

    async def test_a_busy_carrier_is_asked_again(self) -> None:
        def lost() -> httpx.Response:
            raise httpx.ConnectError("refused")

        with stamina.set_testing(True, attempts=4, cap=True):
            async with self.rest(lambda: httpx.Response(503), lost, lambda: httpx.Response(200)) as rest:
                await rest.hang_up("CA1")
        assert len(self.requests) == 3

    async def test_a_carrier_that_stays_out_of_reach_is_one_clear_error(self) -> None:
        with stamina.set_testing(True, attempts=4, cap=True):
            async with self.rest(*[lambda: httpx.Response(500)] * 4) as rest:
                with pytest.raises(HangUpFailed, match="CA1: Twilio cannot be reached"):
                    await rest.hang_up("CA1")
        assert len(self.requests) == 4

    async def test_wrong_credentials_are_not_tried_again(self) -> None:
        async with self.rest(lambda: httpx.Response(401, text="<html>")) as rest:
            with pytest.raises(HangUpFailed, match="TWILIO_AUTH_TOKEN"):
                await rest.hang_up("CA1")
        assert len(self.requests) == 1

    async def test_a_sid_cannot_leave_its_place_in_the_path(self) -> None:
        async with self.rest(lambda: httpx.Response(200)) as rest:
            await rest.hang_up("../../Other")
        assert self.requests[0].url.raw_path.endswith(b"/Calls/..%2F..%2FOther.json")
