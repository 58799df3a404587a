"""The carrier's webhooks and socket: signed, one-shot, and never answered with silence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from kame_voice.caller.scripts import stay
from kame_voice.caller.twilio_side import sign, voice_form
from kame_voice.store.calls import CallFilter, ListedCall
from tests.support.running_app import TOKEN, RunningApp, flow_text, running_app

pytestmark = pytest.mark.anyio

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START = (
    '{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"streamSid":"MZ1",'
    '"accountSid":"AC1","callSid":"CA-other","tracks":["inbound"],"customParameters":{},'
    '"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, capacity=2) as line:
        yield line


async def ring(line: RunningApp, to: str = "+15550100", sid: str = "", **sent: str) -> httpx.Response:
    form = voice_form(line.identity(to)) | ({"CallSid": sid} if sid else {}) | sent
    url = f"{line.url}/twilio/voice"
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(url, data=form, headers={"X-Twilio-Signature": sign(TOKEN, url, form)})


def stream_url(twiml: str) -> str:
    found = re.search(r'<Stream url="([^"]+)"', twiml)
    assert found, twiml
    return found.group(1)


async def open_socket(url: str, *, signed_for: str | None = None) -> str:
    """How the server takes an upgrade: `open`, or the HTTP status it refuses with."""
    headers = {"X-Twilio-Signature": sign(TOKEN, signed_for or url)}
    try:
        async with connect(url, additional_headers=headers, proxy=None):
            return "open"
    except InvalidStatus as refused:
        return str(refused.response.status_code)


def signed_socket(url: str) -> connect:
    return connect(url, additional_headers={"X-Twilio-Signature": sign(TOKEN, url)}, proxy=None)


async def closed(socket: ClientConnection) -> None:
    """Returns once the server has closed the socket."""
    async with asyncio.timeout(5):
        await socket.wait_closed()


async def test_a_call_is_connected_to_a_socket_of_its_own(line: RunningApp) -> None:
    first, second = await ring(line), await ring(line)
    assert stream_url(first.text).startswith(line.url.replace("http", "ws") + "/twilio/media/")
    assert stream_url(first.text) != stream_url(second.text)


async def test_a_webhook_without_the_carriers_signature_is_refused(line: RunningApp) -> None:
    form = voice_form(line.identity())
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{line.url}/twilio/voice", data=form)
    assert answer.status_code == 403
    assert "KAME_PUBLIC_URL" in answer.text
    assert line.counted("wire_refused_total", reason="signature") == 1


async def test_a_form_changed_after_signing_is_refused(line: RunningApp) -> None:
    form = voice_form(line.identity())
    url = f"{line.url}/twilio/voice"
    headers = {"X-Twilio-Signature": sign(TOKEN, url, form)}
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(url, data=form | {"To": "+15550101"}, headers=headers)
    assert answer.status_code == 403


async def test_a_signed_webhook_that_lacks_a_field_names_it(line: RunningApp) -> None:
    form = {"CallSid": "CA1", "From": "+15550111"}
    url = f"{line.url}/twilio/voice"
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(url, data=form, headers={"X-Twilio-Signature": sign(TOKEN, url, form)})
    assert (answer.status_code, "To" in answer.text) == (400, True)


async def test_an_unknown_number_is_told_so(line: RunningApp) -> None:
    answer = await ring(line, to="+15550199")
    assert "<Say>" in answer.text
    assert "not in service" in answer.text


async def test_a_full_house_speaks_the_overflow_sentence(line: RunningApp) -> None:
    await ring(line)
    await ring(line)
    answer = await ring(line)
    assert "All our lines are busy" in answer.text
    assert "<Hangup" in answer.text or "<Say>" in answer.text


async def recorded(line: RunningApp, status: str) -> list[ListedCall]:
    async with asyncio.timeout(5):
        while True:
            if calls := line.app.archive.calls.list(CallFilter(status=status)).calls:
                return calls
            await asyncio.sleep(0.05)


async def test_a_caller_who_is_turned_away_is_on_the_record(line: RunningApp) -> None:
    for _ in range(3):
        await ring(line)
    [call] = await recorded(line, "refused")
    assert (call.line, call.end_reason, call.answered_at) == ("acme-main", "every slot was taken", None)
    assert call.duration_ms == 0


async def test_a_caller_who_is_gone_before_the_answer_is_on_the_record(line: RunningApp) -> None:
    await ring(line, sid="CA-gone")
    await line.app.admission.abandon("CA-gone")
    [call] = await recorded(line, "abandoned")
    assert (call.provider_id, call.end_reason, call.answered_at) == ("CA-gone", "the caller was gone", None)


async def test_a_full_house_dials_the_overflow_number_where_there_is_one(tmp_path: Path) -> None:
    flow = flow_text(more='overflow: {number: "+15550177"}\n')
    async with running_app(tmp_path, flow, capacity=1) as line:
        await ring(line)
        answer = await ring(line)
    assert "<Dial>+15550177</Dial>" in answer.text


async def test_a_draining_server_takes_no_calls_and_says_it_is_not_ready(line: RunningApp) -> None:
    line.app.admission.drain()
    answer = await ring(line)
    assert "All our lines are busy" in answer.text
    async with httpx.AsyncClient(trust_env=False) as http:
        ready = await http.get(f"{line.url}/health/ready")
        live = await http.get(f"{line.url}/health/live")
    assert (ready.status_code, ready.json()["reason"], live.status_code) == (503, "draining", 200)


async def test_a_socket_is_opened_once_with_its_token(line: RunningApp) -> None:
    url = stream_url((await ring(line)).text)
    assert await open_socket(url) == "open"
    assert await open_socket(url) == "403", "a replayed token"
    assert line.counted("wire_refused_total", reason="token") == 1


async def test_a_made_up_token_is_refused(line: RunningApp) -> None:
    assert await open_socket(f"{line.url.replace('http', 'ws')}/twilio/media/guess") == "403"


async def test_a_socket_that_is_none_of_the_carriers_is_refused_too(line: RunningApp) -> None:
    assert await open_socket(f"{line.url.replace('http', 'ws')}/elsewhere") == "403"


async def test_an_upgrade_signed_for_another_address_is_refused(line: RunningApp) -> None:
    url = stream_url((await ring(line)).text)
    assert await open_socket(url, signed_for=url + "x") == "403"
    assert await open_socket(url) == "open", "the rightful socket still gets in"


async def test_a_socket_that_starts_another_call_is_closed(line: RunningApp) -> None:
    url = stream_url((await ring(line, sid="CA" + "1" * 32)).text)
    async with signed_socket(url) as socket:
        await socket.send(CONNECTED)
        await socket.send(START)
        await closed(socket)
    assert line.counted("wire_refused_total", reason="foreign-call") == 1
    assert line.app.front_end.free == 2


@pytest.mark.parametrize("garbage", ["", "{", "[]", '{"event":7}', '{"event":"media"}', "\x00" * 100])
async def test_garbage_instead_of_a_start_closes_that_socket_alone(line: RunningApp, garbage: str) -> None:
    url = stream_url((await ring(line)).text)
    async with signed_socket(url) as socket:
        await socket.send(garbage)
        await closed(socket)
    result = await line.caller().call(line.identity(), stay(600))
    assert result.outcome.value == "answered"
    assert line.app.front_end.free == 2


@pytest.mark.parametrize(
    "garbage",
    [
        "{",
        "null",
        '{"event":"media","media":{"payload":"%%%"}}',
        '{"event":"start"}',
        '{"event":"mark","mark":{}}',
        '{"event":"dtmf","dtmf":{"digit":"99"}}',
    ],
)
async def test_garbage_in_mid_call_ends_that_call_and_no_other(line: RunningApp, garbage: str) -> None:
    identity = line.identity()
    url = stream_url((await ring(line, sid=identity.call_sid)).text)
    async with asyncio.TaskGroup() as group:
        other = group.create_task(line.caller().call(line.identity(), stay(1500)))
        async with signed_socket(url) as socket:
            await socket.send(CONNECTED)
            await socket.send(START.replace("CA-other", identity.call_sid))
            await socket.send(garbage)
            await closed(socket)
    await line.app.desk.idle()
    assert other.result().outcome.value == "answered"
    assert line.counted("calls_total", status="failed") == 1
    assert line.counted("wire_malformed_total") == 1
    assert line.app.front_end.free == 2


async def test_a_slot_whose_socket_never_comes_is_freed_by_the_carriers_status(line: RunningApp) -> None:
    await ring(line, sid="CA" + "2" * 32)
    assert line.app.front_end.free == 1
    form = voice_form(line.identity(), "canceled") | {"CallSid": "CA" + "2" * 32}
    url = f"{line.url}/twilio/status"
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(url, data=form, headers={"X-Twilio-Signature": sign(TOKEN, url, form)})
    assert line.app.front_end.free == 2


async def test_with_signatures_off_loopback_may_call(tmp_path: Path) -> None:
    async with running_app(tmp_path, twilio_signatures=False) as line:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{line.url}/twilio/voice", data=voice_form(line.identity()))
        assert "<Stream" in answer.text
