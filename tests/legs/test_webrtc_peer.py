"""A connection made from a browser's offer: what is answered, what is refused, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from kame_voice.legs.webrtc_peer import BadOffer, PacketReceived, Peer, PeerGone
from tests.support.offers import offer_text

pytestmark = pytest.mark.anyio


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    yield peer
    await peer.close()


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.packets: list[PacketReceived] = []
        self.messages: list[str] = []
        self.over: asyncio.Future[tuple[str, bool]] = asyncio.get_running_loop().create_future()
        self.enough = asyncio.Event()

    def packet(self, packet: PacketReceived) -> None:
        self.packets.append(packet)
        if len(self.packets) == 5:
            self.enough.set()

    def message(self, text: str) -> None:
        self.messages.append(text)

    def gone(self, reason: str, *, orderly: bool) -> None:
        self.over.set_result((reason, orderly))


async def silence() -> bytes:
    await asyncio.sleep(0.02)
    return b"\xf8\xff\xfe"


async def test_sound_and_words_go_both_ways_and_the_end_is_told(peer: Peer) -> None:
    """Fails where a new aiortc keeps its jitter buffer somewhere else: see `_tap`."""
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel = browser.createDataChannel("call")
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    channel.on("message", told.set_result)
    browser.addTransceiver("audio", direction="sendrecv")
    other = Peer()  # only for its track of ready-made packets
    browser.getSenders()[0].replaceTrack(other._track)
    other.play(silence)
    await browser.setLocalDescription(await browser.createOffer())
    listener = Listener()
    peer.listen(listener)
    peer.play(silence)
    answer = await peer.answer(browser.localDescription.sdp)
    await browser.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    async with asyncio.timeout(10):
        await peer.connected(5)
        await listener.enough.wait()
        assert await peer.send("hello")
        assert await told == "hello"
        await browser.close()
        reason, orderly = await listener.over
    await other.close()
    first, second = listener.packets[:2]
    assert first.payload == b"\xf8\xff\xfe"
    assert (second.timestamp - first.timestamp) % 2**32 == 960
    assert orderly, reason


async def test_telephone_events_are_agreed_on_where_a_browser_offers_them(peer: Peer) -> None:
    sdp = await offer_text()
    assert "telephone-event/48000" in await peer.answer(sdp)


async def test_a_browser_that_never_comes_is_given_up(peer: Peer) -> None:
    await peer.answer(await offer_text())
    with pytest.raises(PeerGone):
        await peer.connected(0.2)


async def test_closing_leaves_no_task_and_no_thread() -> None:
    before, threads = asyncio.all_tasks(), threading.active_count()
    for _ in range(3):
        peer = Peer()
        await peer.answer(await offer_text())
        await peer.close()
        await peer.close()
    async with asyncio.timeout(2):  # what is cancelled ends a few turns of the loop later
        while asyncio.all_tasks() != before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert threading.active_count() <= threads + 1, "one of the loop's own pool may have come"


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        (lambda _: "", "audio"),
        (lambda _: "GET / HTTP/1.1", "audio"),
        (lambda sdp: sdp.replace("m=audio ", "m=audio x"), "parsed"),
        (lambda sdp: sdp.replace("BUNDLE 0", "BUNDLE 7"), "BUNDLE"),
        (lambda sdp: sdp.replace("opus/48000/2", "speex/8000"), "Opus"),
        (lambda sdp: sdp.replace("a=sendrecv", "a=recvonly"), "recvonly"),
        (lambda sdp: sdp.replace("m=audio", "m=video"), "audio"),
        (lambda sdp: sdp.replace("a=fingerprint", "a=f"), "fingerprint"),
        (lambda sdp: sdp.replace("a=ice-pwd", "a=p"), "ICE"),
        (lambda sdp: sdp.replace("a=rtcp-mux", "a=r"), "mux"),
        (lambda sdp: sdp + "a=" + "x" * 70_000, "characters"),
        (
            lambda sdp: sdp + "a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n" * 100,
            "candidates",
        ),
    ],
)
async def test_an_offer_that_cannot_be_answered_says_why(peer: Peer, mistake: object, named: str) -> None:
    assert callable(mistake)
    with pytest.raises(BadOffer) as raised:
        await peer.answer(mistake(await offer_text()))
    assert named in str(raised.value)


@pytest.mark.parametrize("seed", range(4))
async def test_no_mutilated_offer_raises_anything_but_a_bad_offer(seed: int) -> None:
    chance = random.Random(seed)
    whole = (await offer_text()).split("\r\n")
    for _ in range(40):
        lines = list(whole)
        for _ in range(chance.randint(1, 4)):
            _mutilate(lines, chance)
        peer = Peer()
        try:
            await peer.answer("\r\n".join(lines))
        except BadOffer:
            pass
        finally:
            await peer.close()


def _mutilate(lines: list[str], chance: random.Random) -> None:
    at = chance.randrange(len(lines))
    match chance.choice(["drop", "cut", "swap", "junk", "number", "twice"]):
        case "drop":
            lines[at] = ""
        case "cut":
            lines[at] = lines[at][: chance.randint(0, len(lines[at]))]
        case "swap":
            lines[at], lines[0] = lines[0], lines[at]
        case "junk":
            lines[at] = lines[at][:6] + chance.choice(["", "\0", "é☃", "9" * 400, "a b c", ":::", "-1 -1"])
        case "number":
            lines[at] = re.sub(r"\d+", chance.choice(["-1", "99999999999", "", "x"]), lines[at])
        case "twice":
            lines.insert(at, lines[at])
