"""What a page says over the data channel, and what means nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_voice.legs.webrtc_messages import HangUp, PlayoutDelay, Pressed, parse


def test_a_page_may_press_keys_hang_up_and_tell_its_delay() -> None:
    assert parse('{"type": "dtmf", "digit": "#"}') == Pressed("#")
    assert parse('{"type": "hangup"}') == HangUp()
    assert parse('{"type": "playout", "delay_ms": 120}') == PlayoutDelay(0.12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"type": "dtmf", "digit": "55"}',
        '{"type": "dtmf", "digit": 5}',
        '{"type": "playout", "delay_ms": -1}',
        '{"type": "playout", "delay_ms": 1e9}',
        '{"type": "playout", "delay_ms": NaN}',
        '{"type": "somewhat newer"}',
        '{"type": "hangup", "padding": "' + "x" * 2000 + '"}',
        "[" * 900,
    ],
)
def test_what_is_not_understood_means_nothing(text: str) -> None:
    assert parse(text) is None


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_ANY_JSON)
def test_no_json_breaks_it(message: object) -> None:
    parse(json.dumps(message))
