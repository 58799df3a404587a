from __future__ import annotations

import pytest

from kame_voice.caller.errors import BadTwiml
from kame_voice.caller.twiml import Connect, Dial, Hangup, Reject, Say, describe, parse_twiml


def test_a_stream_is_read_with_its_parameters_and_what_follows() -> None:
    verbs = parse_twiml(
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect>'
        '<Stream url="wss://a.example/media"><Parameter name="token" value="t"/></Stream></Connect>'
        "<Say>Sorry.</Say><Dial>+15550199</Dial></Response>"
    )
    assert verbs == (Connect("wss://a.example/media", {"token": "t"}), Say("Sorry."), Dial("+15550199"))


def test_a_refusal_is_told_in_words() -> None:
    verbs = parse_twiml("<Response><Say> All lines\n are busy. </Say><Hangup/></Response>")
    assert verbs == (Say("All lines are busy."), Hangup())
    assert describe(verbs) == "says: All lines are busy.; hangs up"
    assert describe(parse_twiml("<Response><Dial><Number>+15550199</Number></Dial></Response>")) == (
        "dials +15550199"
    )
    assert parse_twiml('<Response><Reject reason="busy"/></Response>') == (Reject("busy"),)
    assert describe(()) == "the call ends"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Internal Server Error",
        "<html/>",
        "<Response><Gather/></Response>",
        "<Response><Connect/></Response>",
        "<Response><Dial/></Response>",
    ],
)
def test_what_is_not_twiml_is_refused_clearly(text: str) -> None:
    with pytest.raises(BadTwiml):
        parse_twiml(text)
