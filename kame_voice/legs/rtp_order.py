"""RTP packets of one audio stream back in order, on the caller's media clock. Pure; knows no time.

RFC 3550: sequence numbers of 16 bits and timestamps of 32 bits both wrap, and start anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kame_voice.core.nouns import SAMPLE_RATE

__all__ = ["Hole", "OrderedPacket", "RtpOrder"]

_LONGEST_JUMP: Final = 20
"""Seconds: a longer jump of the timestamp is a sender that began anew."""
_PACKET: Final = 480
"""Samples of 20 ms at our rate."""
_HELD: Final = 50
"""Packets (one second) held behind a missing one at most."""


@dataclass(frozen=True, slots=True)
class OrderedPacket:
    """`at_sample`: where its audio begins, at 24 kHz, from the stream's first packet."""

    at_sample: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Hole:
    """`packets` are missing before the first that waits, whose audio begins at `until`."""

    packets: int
    until: int


class RtpOrder:
    """`push` what arrives; take what is in order from `ready`; `skip` what will not come any more.

    `rtp_hz` is the clock of the timestamps; positions are at our own rate. `received`, `late` (also
    duplicates), `lost`: packets.
    """

    def __init__(self, rtp_hz: int) -> None:
        self._step = rtp_hz // SAMPLE_RATE
        self._jump = _LONGEST_JUMP * rtp_hz
        self._next: int | None = None
        self._highest = 0
        self._timestamp = 0
        self._position = 0
        self._held: dict[int, OrderedPacket] = {}
        self.received = 0
        self.late = 0
        self.lost = 0

    def push(self, sequence: int, timestamp: int, payload: bytes) -> int:
        """A packet arrived, in whatever order; where its audio begins, also when it came too late."""
        self.received += 1
        if self._next is None:
            self._next = self._highest = sequence
            self._timestamp = timestamp
        number = self._highest + _signed(sequence - self._highest, 16)
        advance = _signed(timestamp - self._timestamp, 32)
        if abs(advance) > self._jump:
            self._begin_anew(number, timestamp)
            advance = 0
        at_sample = self._position + advance // self._step
        if number < self._next or number in self._held:
            self.late += 1
            return at_sample
        if number > self._highest:
            self._highest, self._timestamp, self._position = number, timestamp, at_sample
        self._held[number] = OrderedPacket(at_sample, payload)
        return at_sample

    def ready(self) -> Iterator[OrderedPacket]:
        """What is next in order, as far as it is there."""
        while self._next is not None and (packet := self._held.pop(self._next, None)) is not None:
            self._next += 1
            yield packet

    @property
    def hole(self) -> Hole | None:
        """What is missing while later packets wait; None when none wait."""
        if not self._held or self._next is None:
            return None
        first = min(self._held)
        return Hole(first - self._next, self._held[first].at_sample)

    @property
    def overfull(self) -> bool:
        """So much waits that the missing packet must be given up."""
        return len(self._held) >= _HELD

    def skip(self) -> None:
        """Give up the next packet, where later ones wait for it."""
        if self._held and self._next is not None and self._next not in self._held:
            self.lost += 1
            self._next += 1

    def _begin_anew(self, number: int, timestamp: int) -> None:
        """The sender's clock jumped: its audio follows on what there was."""
        if self._held:
            self._position = max(packet.at_sample for packet in self._held.values())
        self._held.clear()
        self._position += _PACKET
        self._next = self._highest = number
        self._timestamp = timestamp


def _signed(difference: int, bits: int) -> int:
    """The difference of two wrapping counters: the shorter way round."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
