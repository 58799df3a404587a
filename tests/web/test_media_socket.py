"""The media socket on the wire: what a peer sends arrives, however it is cut up, and faults close it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.uri import parse_uri

from kame_voice.web.media_socket import MediaSocket, Upgrade
from tests.legs.virtual_time import VirtualTimeLoop

QUIET_S = 20


class Wire:
    """A socket of ours, and the peer's end of the connection by the `websockets` library."""

    def __init__(self, *, welcome: bool = True) -> None:
        self.upgrades: list[Upgrade] = []
        self.heard: list[bytes] = []
        self.closed = False
        self.lost = False
        self.connections: set[Any] = set()
        self._welcome = welcome
        self.socket = MediaSocket(self._knock, self.connections)
        self.peer = ClientProtocol(parse_uri("ws://example.com/twilio/media/token?x=1"))
        self.socket.connection_made(cast(asyncio.Transport, self))

    def opens(self, **headers: str) -> None:
        request = self.peer.connect()
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value
        self.peer.send_request(request)
        self.passes()

    def passes(self, cuts: Callable[[bytes], Iterator[bytes]] = lambda data: iter([data])) -> None:
        """Bring to us what the peer has to send, cut up."""
        for part in cuts(b"".join(self.peer.data_to_send())):
            self.socket.data_received(part)

    def got(self) -> list[Frame]:
        """What came to the peer since it last looked."""
        return [event for event in self.peer.events_received() if isinstance(event, Frame)]

    def listens(self) -> None:
        self.socket.listen(self.heard.append, lambda: setattr(self, "lost", True))

    def _knock(self, upgrade: Upgrade, socket: MediaSocket) -> bool:
        self.upgrades.append(upgrade)
        return self._welcome

    # asyncio.Transport, as far as it is used

    def write(self, data: bytes) -> None:
        if self.closed:
            raise RuntimeError("the handler is closed")  # as uvloop's transports do
        self.peer.receive_data(data)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.socket.connection_lost(None)

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def set_write_buffer_limits(self, high: int) -> None:
        """Bounded somewhere."""

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return ("192.0.2.7", 4000)


@pytest.fixture(autouse=True)
def loop() -> Iterator[VirtualTimeLoop]:
    """Sockets set timers on the running loop."""
    loop = VirtualTimeLoop()
    asyncio._set_running_loop(loop)
    yield loop
    asyncio._set_running_loop(None)
    loop.close()


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.opens()
    wire.listens()
    return wire


def code(frames: list[Frame]) -> int:
    (last,) = [frame for frame in frames if frame.opcode is Opcode.CLOSE]
    return int(Close.parse(last.data).code)


# The upgrade.


def test_who_knocks_is_known_by_path_signature_and_address() -> None:
    wire = Wire()
    wire.opens(X_Twilio_Signature="sealed")
    assert wire.upgrades == [Upgrade("/twilio/media/token?x=1", "sealed", "192.0.2.7")]
    assert wire.peer.handshake_exc is None
    assert wire.socket in wire.connections


def test_two_signatures_are_none() -> None:
    wire = Wire()
    request = wire.peer.connect()
    request.headers["X-Twilio-Signature"] = "one"
    request.headers["X-Twilio-Signature"] = "two"
    wire.peer.send_request(request)
    wire.passes()
    assert wire.upgrades[0].signature is None


def test_who_is_not_welcome_gets_403_and_the_connection_ends() -> None:
    wire = Wire(welcome=False)
    wire.opens()
    assert "403" in str(wire.peer.handshake_exc)
    assert wire.closed
    assert wire.connections == set()


def test_a_broken_upgrade_does_not_even_knock() -> None:
    wire = Wire()
    wire.opens(Sec_WebSocket_Key="twice")
    assert wire.upgrades == []
    assert wire.closed


def test_no_compression_is_agreed_on() -> None:
    wire = Wire()
    wire.opens(Sec_WebSocket_Extensions="permessage-deflate")
    assert wire.peer.handshake_exc is None
    assert wire.peer.extensions == []


# What comes.

lengths = st.integers(0, 300) | st.integers(65_500, 65_600)
"""Below and above where a frame's length takes two bytes, and eight."""
messages = st.lists(st.tuples(lengths.map(lambda n: ("né€" * n)[:n]), st.integers(1, 4)), max_size=6)


@given(messages, st.integers(0, 1 << 32).map(Random), st.sampled_from([3, 20, 300, 70_000]))
def test_every_message_comes_once_and_whole_however_it_is_cut(
    texts: list[tuple[str, int]], random: Random, largest: int
) -> None:
    loop = VirtualTimeLoop()
    asyncio._set_running_loop(loop)
    wire = Wire()
    wire.opens()
    wire.listens()
    for text, parts in texts:
        coded = text.encode()
        step = max(1, -(-len(coded) // parts))
        pieces = [coded[at : at + step] for at in range(0, len(coded), step)] or [b""]
        for place, piece in enumerate(pieces):
            last = place == len(pieces) - 1
            if place:
                wire.peer.send_continuation(piece, last)
                wire.peer.send_ping(b"are you there")
            else:
                wire.peer.send_text(piece, last)

    def cut(whole: bytes) -> Iterator[bytes]:
        while whole:
            size = max(random.randrange(largest), len(whole) // 50) + 1
            yield whole[:size]
            whole = whole[size:]

    wire.passes(cut)
    assert wire.heard == [text.encode() for text, _ in texts]
    assert not wire.closed
    loop.close()


def test_what_comes_before_anybody_listens_is_kept() -> None:
    wire = Wire()
    wire.opens()
    for text in (b"one", b"two", b"three"):
        wire.peer.send_text(text)
    wire.passes()
    first: list[bytes] = []

    def only_one(text: bytes) -> None:
        first.append(text)
        wire.socket.hold()

    wire.socket.listen(only_one, lambda: None)
    wire.listens()
    assert (first, wire.heard) == ([b"one"], [b"two", b"three"])


def test_a_ping_is_answered(wire: Wire) -> None:
    wire.peer.send_ping(b"mark")
    wire.passes()
    assert [(frame.opcode, frame.data) for frame in wire.got()] == [(Opcode.PONG, b"mark")]


def test_a_message_that_is_too_long_closes_the_socket_before_it_has_come(wire: Wire) -> None:
    wire.peer.send_text(b"x" * ((1 << 20) + 1))
    wire.passes(lambda data: iter([data[:100], data[100:200]]))
    assert code(wire.got()) == 1009
    assert (wire.heard, wire.closed, wire.lost) == ([], True, True)


def test_a_frame_without_a_mask_closes_the_socket(wire: Wire) -> None:
    wire.socket.data_received(b"\x81\x02hi" * 2)
    assert code(wire.got()) == 1002
    assert (wire.heard, wire.closed) == ([], True)


def test_reserved_bits_close_the_socket(wire: Wire) -> None:
    wire.socket.data_received(b"\xc1\x80\x00\x00\x00\x00")
    assert code(wire.got()) == 1002


# What goes.


@given(st.lists(lengths.map("a".__mul__), max_size=4))
def test_what_is_sent_in_one_go_comes_as_so_many_messages(texts: list[str]) -> None:
    loop = VirtualTimeLoop()
    asyncio._set_running_loop(loop)
    wire = Wire()
    wire.opens()
    wire.socket.send(*(text.encode() for text in texts))
    assert [frame.data for frame in wire.got()] == [text.encode() for text in texts]
    loop.close()


def test_a_peer_that_does_not_read_shows(wire: Wire) -> None:
    wire.socket.pause_writing()
    assert not wire.socket.writable
    wire.socket.resume_writing()
    assert wire.socket.writable


# The end.


def test_the_peers_close_is_answered_and_told_once(wire: Wire) -> None:
    wire.peer.send_close(1000)
    wire.passes()
    assert code(wire.got()) == 1000
    assert (wire.lost, wire.closed) == (True, True)
    wire.socket.send(b"too late")
    wire.socket.close(1000)


def test_a_lost_connection_is_told_to_who_listens_later() -> None:
    wire = Wire()
    wire.opens()
    wire.peer.send_text(b"last words")
    wire.passes()
    wire.close()
    wire.listens()
    assert (wire.heard, wire.lost) == ([b"last words"], True)


def test_after_a_reset_nothing_is_written(wire: Wire) -> None:
    wire.close()
    wire.socket.send(b"too late")
    wire.socket.close(1000)
    wire.socket.shutdown()
    assert wire.lost


def test_our_close_waits_a_moment_for_the_peers(wire: Wire, loop: VirtualTimeLoop) -> None:
    wire.socket.close(1000)
    assert (code(wire.got()), wire.closed) == (1000, False)
    run(loop, 3)
    assert wire.closed


def test_a_stopping_server_says_so(wire: Wire) -> None:
    wire.socket.shutdown()
    assert code(wire.got()) == 1012
    assert wire.closed


def test_a_quiet_peer_is_asked_for_a_sign(wire: Wire, loop: VirtualTimeLoop) -> None:
    run(loop, 2.5 * QUIET_S)
    assert [frame.opcode for frame in wire.got()] == [Opcode.PING]
    wire.passes()
    run(loop, QUIET_S)
    assert not wire.closed


def test_a_peer_that_gives_no_sign_is_gone(wire: Wire, loop: VirtualTimeLoop) -> None:
    run(loop, 3.5 * QUIET_S)
    assert (wire.closed, wire.lost) == (True, True)


def run(loop: VirtualTimeLoop, seconds: float) -> None:
    asyncio._set_running_loop(None)
    loop.run_until_complete(asyncio.sleep(seconds))
    asyncio._set_running_loop(loop)
