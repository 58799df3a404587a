"""RTP packets back in order: whatever the network did to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kame_voice.legs.rtp_order import Hole, RtpOrder

TICKS = 960
SAMPLES = 480


class Line:
    """A stream that starts anywhere in both counters; `packet` counts from 0."""

    def __init__(self, sequence: int = 65_530, timestamp: int = 2**32 - 3000) -> None:
        self.order = RtpOrder(48_000)
        self._sequence = sequence
        self._timestamp = timestamp

    def arrives(self, packet: int, *, ticks: int | None = None) -> list[tuple[int, bytes]]:
        """What becomes ready by its arrival: (position in packets, payload)."""
        at = packet * TICKS if ticks is None else ticks
        self.order.push(
            (self._sequence + packet) % 2**16, (self._timestamp + at) % 2**32, bytes([packet % 256])
        )
        return [(one.at_sample // SAMPLES, one.payload) for one in self.order.ready()]


def hole(line: Line) -> Hole | None:
    return line.order.hole


def test_packets_in_order_are_ready_at_once_across_both_wraps() -> None:
    line = Line()
    assert [line.arrives(n) for n in range(20)] == [[(n, bytes([n]))] for n in range(20)]


def test_a_packet_that_was_overtaken_is_put_in_its_place() -> None:
    line = Line()
    line.arrives(0)
    assert line.arrives(2) == []
    assert hole(line) == Hole(packets=1, until=2 * SAMPLES)
    assert line.arrives(1) == [(1, b"\x01"), (2, b"\x02")]
    assert hole(line) is None
    assert line.order.lost == 0


def test_a_packet_given_up_is_lost_and_too_late_afterwards() -> None:
    line = Line()
    line.arrives(0)
    line.arrives(3)
    line.order.skip()
    assert line.arrives(1) == []
    assert line.order.late == 1
    assert line.arrives(2) == [(2, b"\x02"), (3, b"\x03")], "the one behind it may still come"
    assert line.order.lost == 1


def test_nothing_is_given_up_that_nothing_waits_for() -> None:
    line = Line()
    line.arrives(0)
    line.order.skip()
    assert line.arrives(1) == [(1, b"\x01")]
    assert line.order.lost == 0


def test_a_packet_that_comes_twice_is_taken_once() -> None:
    line = Line()
    line.arrives(0)
    assert line.arrives(0) == []
    line.arrives(2)
    assert line.arrives(2) == []
    assert line.order.late == 2


def test_a_pause_of_the_senders_is_a_hole_in_time_but_no_loss() -> None:
    line = Line()
    line.arrives(0)
    assert line.arrives(1, ticks=50 * TICKS) == [(50, b"\x01")]
    assert line.order.lost == 0


def test_a_sender_whose_clock_jumps_goes_on_where_it_was() -> None:
    line = Line()
    line.arrives(0)
    assert line.arrives(1, ticks=2**31) == [(1, b"\x01")]
    assert line.arrives(2, ticks=2**31 + TICKS) == [(2, b"\x02")]


def test_no_more_than_a_second_is_held_behind_a_missing_packet() -> None:
    line = Line()
    line.arrives(0)
    for packet in range(2, 52):
        assert not line.order.overfull
        line.arrives(packet)
    assert line.order.overfull


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=80),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**32 - 1),
)
def test_whatever_arrives_nothing_goes_back_or_comes_twice(
    arrivals: list[int], sequence: int, timestamp: int
) -> None:
    line = Line(sequence, timestamp)
    heard = []
    for number, packet in enumerate(arrivals):
        heard += line.arrives(packet)
        if number % 7 == 6:
            line.order.skip()
            heard += [(one.at_sample // SAMPLES, one.payload) for one in line.order.ready()]
    positions = [position for position, _ in heard]
    assert positions == sorted(set(positions))
    assert len(heard) + line.order.late <= len(arrivals)
