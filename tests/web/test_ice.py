"""What a browser is told of STUN and TURN."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from kame_voice.core.settings import SettingsError, load_settings
from kame_voice.web.ice import ice_servers


def servers(**settings: Any) -> list[dict[str, object]]:
    return ice_servers(load_settings(**settings)).for_call(1_800_000_000.9, "ab12")


def test_without_servers_there_are_none() -> None:
    assert servers() == []


def test_turn_passwords_are_what_coturn_expects() -> None:
    stun, turn = servers(
        ice_servers="stun:stun.example.com:3478, stun:other.example.com",
        turn_servers="turn:turn.example.com:3478,turns:turn.example.com:5349",
        turn_secret="north",
        turn_ttl_s=600,
    )
    assert stun == {"urls": ["stun:stun.example.com:3478", "stun:other.example.com"]}
    assert turn["username"] == "1800000600:ab12", "expires ten minutes from now"
    digest = hmac.new(b"north", b"1800000600:ab12", hashlib.sha1).digest()
    assert turn["credential"] == base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"ice_servers": "stun.example.com"}, "KAME_ICE_SERVERS"),
        ({"ice_servers": "turn:turn.example.com"}, "KAME_ICE_SERVERS"),
        ({"turn_servers": "turn:", "turn_secret": "x"}, "KAME_TURN_SERVERS"),
        ({"turn_servers": "turn:turn.example.com"}, "KAME_TURN_SECRET"),
    ],
)
def test_a_wrong_address_or_a_missing_secret_ends_the_start(settings: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as raised:
        servers(**settings)
    assert named in str(raised.value)
