"""What a browser says over the data channel, without I/O. docs/webrtc.md has both directions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["HangUp", "PlayoutDelay", "Pressed", "parse"]

_LONGEST: Final = 1024
_DIGITS: Final = frozenset("0123456789*#ABCD")
_SLOWEST_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key of the page's keypad: 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller ended the call."""


@dataclass(frozen=True, slots=True)
class PlayoutDelay:
    """What arrives at the browser is heard this much later: its jitter buffer and its loudspeaker."""

    seconds: float


def parse(text: str) -> Pressed | HangUp | PlayoutDelay | None:
    """The message, or None for one that means nothing here: newer pages may say more than we know."""
    match _json(text):
        case {"type": "dtmf", "digit": str(digit)} if digit in _DIGITS:
            return Pressed(digit)
        case {"type": "hangup"}:
            return HangUp()
        case {"type": "playout", "delay_ms": int() | float() as delay_ms} if 0 <= delay_ms <= _SLOWEST_MS:
            return PlayoutDelay(delay_ms / 1000)
        case _:
            return None


def _json(text: str) -> Any:
    try:
        return json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None
