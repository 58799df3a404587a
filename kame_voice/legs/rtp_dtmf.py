"""Keys as RTP telephone events (RFC 4733). Pure."""

from __future__ import annotations

from typing import Final

__all__ = ["RtpDtmf"]

_DIGITS: Final = "0123456789*#ABCD"
_SHORTEST: Final = 4
"""Octets: event, end and volume, duration (two)."""


class RtpDtmf:
    """One stream's events. Each is sent in several packets, all with the timestamp of its start."""

    def __init__(self) -> None:
        self._last: int | None = None

    def pressed(self, timestamp: int, payload: bytes) -> str | None:
        """The digit, with the first packet of its event; None for the others, and for what is no key."""
        if len(payload) < _SHORTEST or payload[0] >= len(_DIGITS) or timestamp == self._last:
            return None
        self._last = timestamp
        return _DIGITS[payload[0]]
