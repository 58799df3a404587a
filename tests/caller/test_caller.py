from __future__ import annotations

import base64

import httpx
import numpy as np
import pytest
from starlette.websockets import WebSocketDisconnect

from kame_voice.audio import g711
from kame_voice.caller.caller import PhoneCaller, Server
from kame_voice.caller.clip import Clip, clip_from_pcm
from kame_voice.caller.errors import BadTwiml, NotDtmf, ServerUnreachable, StreamRefused
from kame_voice.caller.live import LiveCall
from kame_voice.caller.rest import RestStandIn, serving_rest
from kame_voice.caller.result import CallResult, EndedBy, Outcome
from kame_voice.caller.scripts import Ending, Manners, conversation, stay
from kame_voice.caller.twilio_side import CallIdentity, sign
from tests.caller.line_under_test import LineUnderTest, Stream, greet_and_answer, serving

pytestmark = pytest.mark.anyio

VOICE = g711.encode((0.3 * np.cos(2 * np.pi * 440 / 8000 * np.arange(1600))).astype(np.float32))
QUICK = Manners(settle_ms=200, more_within_ms=0, greeting_within_ms=300, answer_within_ms=400, linger_ms=40)
WORDS = clip_from_pcm("hello", (0.3 * np.cos(np.arange(4800))).astype(np.float32))


def identity() -> CallIdentity:
    return CallIdentity("+15550111", "+15550100")


async def place(line: LineUnderTest, clips: tuple[Clip, ...] = (), **server: str) -> CallResult:
    caller = PhoneCaller(Server(line.url, **server))
    return await caller.call(identity(), conversation(clips, manners=QUICK))


async def test_a_call_goes_through_webhook_and_socket_and_ends_with_stop() -> None:
    async with serving(LineUnderTest()) as line:
        result = await PhoneCaller(Server(line.url)).call(identity(), stay(100))
    events = [message["event"] for message in line.streams[0].messages]
    assert line.forms[0][0] == "/twilio/voice"
    assert line.forms[0][1]["To"] == "+15550100"
    assert events[:2] == ["connected", "start"]
    assert events[-1] == "stop"
    assert set(events[2:-1]) == {"media"}
    assert (result.outcome, result.ended_by) == (Outcome.ANSWERED, EndedBy.CALLER)
    assert line.endings == [1000]


async def test_webhook_and_upgrade_are_signed_for_the_public_address() -> None:
    line = LineUnderTest(
        twiml='<Response><Connect><Stream url="wss://voice.example.com/media/t?x=1"/></Connect></Response>'
    )
    async with serving(line):
        await place(line, public_url="https://voice.example.com", auth_token="secret")
    _, form, signature = line.forms[0]
    assert signature == sign("secret", "https://voice.example.com/twilio/voice", form)
    # a query string is not dialled, so it is not signed either
    assert line.upgrades[0]["x-twilio-signature"] == sign("secret", "wss://voice.example.com/media/t")


async def test_the_caller_is_silent_as_0xff_when_it_says_nothing() -> None:
    async with serving(LineUnderTest()) as line:
        result = await PhoneCaller(Server(line.url)).call(identity(), stay(100))
    media = [message["media"] for message in line.streams[0].messages if message["event"] == "media"]
    assert {base64.b64decode(item["payload"]) for item in media} == {b"\xff" * 160}
    assert [int(item["chunk"]) for item in media] == list(range(1, len(media) + 1))
    assert len(result.said) == len(media) * 160
    assert not result.said.any()


async def test_what_was_said_and_answered_is_measured_to_the_sample() -> None:
    async with serving(LineUnderTest(behaviour=greet_and_answer)) as line:
        result = await place(line, (WORDS,))
    (exchange,) = result.exchanges
    assert exchange.said == "hello"
    assert exchange.answer is not None
    assert exchange.gap_ms is not None
    said = np.flatnonzero(np.abs(result.said) > 0.006)
    assert exchange.last_voiced_ms == pytest.approx((said[-1] + 1) / 8, abs=1)
    assert exchange.gap_ms == pytest.approx(exchange.answer[0] / 8 - exchange.last_voiced_ms)
    assert exchange.gap_ms > 0
    assert len(result.heard) == len(result.said)
    assert result.greeting_ms is not None
    assert result.greeting is not None
    assert result.greeting[1] - result.greeting[0] == pytest.approx(1600, abs=8)


async def test_marks_come_back_once_played_and_at_once_on_clear() -> None:
    order: list[str] = []

    async def greet(stream: Stream) -> None:
        await stream.opened()
        await stream.play(VOICE)
        await stream.mark("played")
        order.append((await stream.until("mark"))["mark"]["name"])
        await stream.play(VOICE * 50)
        await stream.mark("cleared")
        await stream.send("clear")
        order.append((await stream.until("mark"))["mark"]["name"])

    async with serving(LineUnderTest(behaviour=greet)) as line:
        result = await PhoneCaller(Server(line.url)).call(identity(), stay(500))
    assert order == ["played", "cleared"]
    assert [(mark.name, mark.heard) for mark in result.marks] == [("played", True), ("cleared", False)]
    assert result.marks[0].at_s - line_lead(result) >= 0.19
    assert len(result.clears_ms) == 1


def line_lead(result: CallResult) -> float:
    """Seconds until the first audio came."""
    assert result.greeting_ms is not None
    return result.greeting_ms / 1000


async def test_keys_are_pressed_one_by_one() -> None:
    async with serving(LineUnderTest()) as line:
        caller = PhoneCaller(Server(line.url))
        await caller.call(identity(), conversation((), manners=QUICK, dtmf="1#"))
    digits = [message["dtmf"] for message in line.streams[0].messages if message["event"] == "dtmf"]
    assert digits == [{"track": "inbound_track", "digit": "1"}, {"track": "inbound_track", "digit": "#"}]


async def test_a_key_that_no_telephone_has_is_refused() -> None:
    async with serving(LineUnderTest()) as line:
        with pytest.raises(NotDtmf):
            await PhoneCaller(Server(line.url)).call(identity(), conversation((), manners=QUICK, dtmf="x"))


async def test_a_refusal_is_reported_in_the_carriers_words() -> None:
    async with serving(LineUnderTest(twiml="<Response><Say>We are full.</Say><Hangup/></Response>")) as line:
        result = await place(line)
    assert result.outcome is Outcome.REFUSED
    assert result.detail == "says: We are full.; hangs up"


async def test_a_socket_that_is_refused_runs_the_next_verb() -> None:
    line = LineUnderTest(accepts=False)
    line.twiml = line.twiml.replace("</Connect>", "</Connect><Say>Sorry.</Say>")
    async with serving(line):
        result = await place(line)
    assert result.outcome is Outcome.FAILED
    assert "HTTP 403" in result.detail
    assert result.afterwards == "says: Sorry."


async def test_a_socket_that_the_server_closes_runs_the_next_verb() -> None:
    async def close(stream: Stream) -> None:
        await stream.opened()
        await stream.socket.close(1011)

    line = LineUnderTest(behaviour=close)
    line.twiml = line.twiml.replace("</Connect>", "</Connect><Dial>+15550199</Dial>")
    async with serving(line):
        result = await PhoneCaller(Server(line.url)).call(identity(), stay(2000))
    assert (result.outcome, result.ended_by) == (Outcome.FAILED, EndedBy.SERVER_CLOSED)
    assert result.afterwards == "dials +15550199"
    assert result.duration_ms < 2000


async def test_a_message_that_twilio_does_not_know_ends_the_stream() -> None:
    async def shout(stream: Stream) -> None:
        await stream.opened()
        await stream.send("shout")

    async with serving(LineUnderTest(behaviour=shout)) as line:
        result = await PhoneCaller(Server(line.url)).call(identity(), stay(2000))
    assert (result.outcome, result.ended_by) == (Outcome.FAILED, EndedBy.FAULT)
    assert "'shout'" in result.detail


async def test_a_dropped_line_sends_no_stop_and_no_closing_handshake() -> None:
    gone: list[int] = []

    async def listen(stream: Stream) -> None:
        try:
            await stream.until("stop")
        except WebSocketDisconnect as end:
            gone.append(end.code)
            raise

    async with serving(LineUnderTest(behaviour=listen)) as line:
        script = conversation((), manners=QUICK, ending=Ending.DROP)
        result = await PhoneCaller(Server(line.url)).call(identity(), script)
    assert result.ended_by is EndedBy.DROPPED
    assert gone in ([1005], [1006])  # no close code came: uvicorn calls it one or the other


async def test_the_servers_own_hang_up_comes_by_rest_and_ends_with_stop() -> None:
    rest = RestStandIn("secret")
    with serving_rest(rest):

        async def hang_up(stream: Stream) -> None:
            start = (await stream.opened())["start"]
            path = f"/2010-04-01/Accounts/{start['accountSid']}/Calls/{start['callSid']}.json"
            async with httpx.AsyncClient(trust_env=False, auth=(start["accountSid"], "secret")) as http:
                answer = await http.post(rest.url + path, data={"Status": "completed"})
                assert answer.json()["status"] == "completed"
                await stream.until("stop")
                # the call is only known while it lasts
                await stream.socket.close()
                assert answer.status_code == 200

        async with serving(LineUnderTest(behaviour=hang_up)) as line:
            caller = PhoneCaller(Server(line.url), rest=rest)
            result = await caller.call(
                identity(), conversation((), manners=QUICK, ending=Ending.WAIT_FOR_AGENT, wait_ms=5000)
            )
    assert (result.outcome, result.ended_by) == (Outcome.ANSWERED, EndedBy.AGENT)
    assert line.streams[0].messages[-1]["event"] == "stop"


def test_the_rest_stand_in_answers_as_twilio_does() -> None:
    rest = RestStandIn("secret")
    call = identity()
    path = f"/2010-04-01/Accounts/{call.account_sid}/Calls/{call.call_sid}.json"
    basic = "Basic " + base64.b64encode(f"{call.account_sid}:secret".encode()).decode()
    assert rest.answer("POST", path, "", "Status=completed")[1]["code"] == 20003
    status, body = rest.answer("POST", path, basic, "Status=completed")
    assert (status, body["code"]) == (404, 20404)


async def test_the_status_callback_follows_the_call() -> None:
    async with serving(LineUnderTest()) as line:
        await place(line, status_path="/twilio/status", auth_token="secret")
    path, form, signature = line.forms[-1]
    assert path == "/twilio/status"
    assert form["CallStatus"] == "completed"
    assert form["CallSid"] == line.forms[0][1]["CallSid"]
    assert signature == sign("secret", f"{line.url}/twilio/status", form)


async def test_a_caller_that_never_reads_still_talks() -> None:
    async def pour(stream: Stream) -> None:
        await stream.opened()
        await stream.play(VOICE * 5)
        await stream.until("stop")

    async with serving(LineUnderTest(behaviour=pour)) as line:
        result = await PhoneCaller(Server(line.url), reads=False).call(identity(), stay(100))
    assert result.wire.messages == 0
    assert line.streams[0].messages[-1]["event"] == "stop"


async def test_lost_packets_leave_a_gap_in_the_numbers() -> None:
    async def script(live: LiveCall) -> None:
        await live.pause(60)
        live.lose(3)
        await live.pause(60)

    async with serving(LineUnderTest()) as line:
        await PhoneCaller(Server(line.url)).call(identity(), script)
    chunks = [int(m["media"]["chunk"]) for m in line.streams[0].messages if m["event"] == "media"]
    assert max(np.diff(chunks)) == 4


async def test_no_server_is_one_clear_error() -> None:
    with pytest.raises(ServerUnreachable, match="is the server running there"):
        await PhoneCaller(Server("http://127.0.0.1:9")).call(identity(), stay(0))


async def test_a_forbidden_webhook_says_what_to_compare() -> None:
    async with serving(LineUnderTest(webhook_status=403)) as line:
        with pytest.raises(ServerUnreachable, match=r"HTTP 403.*TWILIO_AUTH_TOKEN"):
            await place(line)


async def test_an_answer_that_is_not_twiml_is_one_clear_error() -> None:
    async with serving(LineUnderTest(twiml="It works!")) as line:
        with pytest.raises(BadTwiml, match="It works!"):
            await place(line)


def test_only_wss_is_dialled_but_on_loopback() -> None:
    server = Server("http://127.0.0.1:8080", public_url="https://voice.example.com")
    assert server.dialled("wss://voice.example.com/m/t") == "ws://127.0.0.1:8080/m/t"
    assert server.dialled("wss://other.example/m") == "wss://other.example/m"
    assert Server("http://localhost:1").dialled("ws://localhost:1/m") == "ws://localhost:1/m"
    with pytest.raises(StreamRefused, match="31922"):
        server.dialled("ws://voice.example.com/m")
    with pytest.raises(StreamRefused, match="31922"):
        server.dialled("https://voice.example.com/m")
