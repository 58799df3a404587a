"""The far browser's connection: ICE, DTLS, SRTP and the data channel, by aiortc.

aiortc's own way with sound is not used: its jitter buffer stalls for 320 ms at a lost packet and
holds 80 ms always, and it decodes and encodes in threads. RTP packets are handed out as they arrive,
and payloads are taken ready made. Knows no call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Protocol

import structlog
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpCodecParameters,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.codecs import CODECS
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.sdp import SessionDescription
from av import Packet

from kame_voice.core.errors import KameError

__all__ = ["BadOffer", "PacketReceived", "Peer", "PeerGone", "PeerListener", "check_offer"]

_LONGEST_OFFER: Final = 64 * 1024
_MOST_CANDIDATES: Final = 64
_ANSWER_WITHIN_S: Final = 8.0
"""Gathering waits up to 5 s for a STUN server that is silent."""
_CLOSE_WITHIN_S: Final = 3.0
_CHANNEL_FULL: Final = 64 * 1024
"""Bytes that may wait in the data channel."""
_LAST_WORD_S: Final = 0.1
"""For the last message to arrive before the connection is closed under it."""
_TIME_BASE: Final = Fraction(1, 48_000)
_PACKET_TICKS: Final = 960

_EVENT: Final = "audio/telephone-event"
if not any(codec.mimeType == _EVENT for codec in CODECS["audio"]):
    # aiortc's table of what it can negotiate: telephone events (RFC 4733) at the clock of Opus
    CODECS["audio"].append(RTCRtpCodecParameters(mimeType=_EVENT, clockRate=48_000, payloadType=110))

log = structlog.get_logger()


class BadOffer(KameError):
    """The offer is no SDP that this server can answer."""

    code = "bad-offer"


class PeerGone(KameError):
    """The connection could not be made, or is lost."""

    code = "no-connection"


@dataclass(frozen=True, slots=True)
class PacketReceived:
    """One RTP packet of the caller's audio: `payload` is Opus, or with `is_event` a telephone event."""

    sequence: int
    timestamp: int
    payload: bytes
    is_event: bool = False


class PeerListener(Protocol):
    """Whoever is told what comes from the far side. None of it may block."""

    def packet(self, packet: PacketReceived) -> None: ...

    def message(self, text: str) -> None: ...

    def gone(self, reason: str, *, orderly: bool) -> None:
        """The connection is over; `orderly` when the far side closed it."""
        ...


class Peer:
    """One connection, made from a browser's offer. `close` it, whatever happened."""

    def __init__(self, stun_urls: Sequence[str] = ()) -> None:
        servers = [RTCIceServer(urls=url) for url in stun_urls]
        # max-bundle: one transport for sound and data, as every browser offers it
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._track = _Outgoing()
        self._listener: PeerListener | None = None
        loop = asyncio.get_running_loop()
        self._channel: asyncio.Future[RTCDataChannel] = loop.create_future()
        self._up: asyncio.Future[None] = loop.create_future()
        self._closing = False
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._opened)

    def listen(self, listener: PeerListener) -> None:
        """Everything from now on goes to `listener`, and that the connection is over, if it is already."""
        self._listener = listener
        if self._up.done() and self._connection.connectionState != "connected":
            self._state_changed()

    async def answer(self, offer: str) -> str:
        """The SDP answer, candidates included. Raises BadOffer or PeerGone."""
        check_offer(offer)
        transceiver = self._connection.addTransceiver(self._track, direction="sendrecv")
        known = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences(
            [one for wanted in ("audio/opus", _EVENT) for one in known if one.mimeType == wanted]
        )
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
                await self._connection.setLocalDescription(await self._connection.createAnswer())
                # nothing arrives before this method has returned to the loop
                events = _event_types(self._connection.localDescription.sdp)
                _tap(transceiver.receiver, _Tap(self._received, events))
        except (ValueError, OperationError, InvalidStateError, InvalidAccessError, InternalError) as error:
            raise _bad(str(error)) from error
        except TimeoutError as error:
            raise PeerGone(
                "no answer in time: a STUN server is silent", do="mend KAME_ICE_SERVERS"
            ) from error
        return self._connection.localDescription.sdp

    async def connected(self, within_s: float) -> None:
        """Return once sound can flow. Raises PeerGone."""
        try:
            await asyncio.wait_for(asyncio.shield(self._up), within_s)
        except TimeoutError as error:
            raise PeerGone(f"no connection within {within_s:g} s", do=_FIREWALL) from error

    def play(self, source: Callable[[], Awaitable[bytes]]) -> None:
        """Send what `source` gives, one payload of 20 ms at a time; `source` paces."""
        self._track.source.set_result(source)

    @property
    def has_channel(self) -> bool:
        """The browser has opened its data channel."""
        return self._channel.done()

    async def send(self, text: str) -> bool:
        """Send a message once the data channel is open and has room; false where it is closed again."""
        channel = await asyncio.shield(self._channel)
        await self._drained(channel, _CHANNEL_FULL)
        if channel.readyState != "open":
            return False
        channel.send(text)
        return True

    async def flushed(self) -> None:
        """Return once every message has gone out."""
        if self._channel.done():
            await self._drained(self._channel.result(), 0)
            await asyncio.sleep(_LAST_WORD_S)

    @staticmethod
    async def _drained(channel: RTCDataChannel, to_bytes: int) -> None:
        while channel.readyState == "open" and channel.bufferedAmount > to_bytes:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def round_trip_s(self) -> float | None:
        """The path's round trip as RTCP tells it, None while it does not."""
        stats: dict[str, Any] = await self._connection.getStats()
        for entry in stats.values():
            if entry.type == "remote-inbound-rtp" and entry.roundTripTime is not None:
                return float(entry.roundTripTime)
        return None

    async def close(self) -> None:
        """End everything that aiortc runs for this connection."""
        self._closing = True
        self._up.cancel()
        self._channel.cancel()
        self._track.stop()
        try:
            await asyncio.wait_for(self._connection.close(), _CLOSE_WITHIN_S)
        except TimeoutError:
            log.warning("connection not closed in time", waited_s=_CLOSE_WITHIN_S)

    # What aiortc tells.

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            if not self._up.done():
                self._up.set_result(None)
        elif state in {"failed", "closed"} and not self._closing:
            orderly = state == "closed"
            if not self._up.done():
                self._up.set_exception(PeerGone("the connection failed", do=_FIREWALL))
                self._up.exception()
            if self._listener is not None:
                self._listener.gone(
                    "closed by the browser" if orderly else "the connection failed", orderly=orderly
                )

    def _opened(self, channel: RTCDataChannel) -> None:
        if not self._channel.done():
            self._channel.set_result(channel)
            channel.on("message", self._message)

    def _message(self, message: str | bytes) -> None:
        if self._listener is not None:
            text = message if isinstance(message, str) else message.decode("utf-8", "replace")
            self._listener.message(text)

    def _received(self, packet: PacketReceived) -> None:
        if self._listener is not None:
            self._listener.packet(packet)


_FIREWALL: Final = "is UDP open between browser and server? See docs/webrtc.md on STUN and TURN"


class _Outgoing(MediaStreamTrack):
    """A track of ready-made Opus payloads."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.source: asyncio.Future[Callable[[], Awaitable[bytes]]] = (
            asyncio.get_running_loop().create_future()
        )
        self._at = -_PACKET_TICKS

    async def recv(self) -> Packet:
        """aiortc sends a packet as it is, where it would encode a frame."""
        source = await self.source
        packet = Packet(await source())
        self._at += _PACKET_TICKS
        packet.pts = self._at
        packet.time_base = _TIME_BASE
        return packet


class _Tap:
    """In the place of aiortc's jitter buffer: hands every packet out and keeps none."""

    def __init__(self, received: Callable[[PacketReceived], None], events: frozenset[int]) -> None:
        self._received = received
        self._events = events

    def add(self, packet: Any) -> tuple[bool, None]:
        is_event = packet.payload_type in self._events
        self._received(PacketReceived(packet.sequence_number, packet.timestamp, packet.payload, is_event))
        return False, None


def _event_types(answer: str) -> frozenset[int]:
    """The payload types that were agreed on for telephone events."""
    return frozenset(
        codec.payloadType
        for media in SessionDescription.parse(answer).media
        for codec in media.rtp.codecs
        if codec.mimeType.lower() == _EVENT and codec.payloadType is not None
    )


def _tap(receiver: RTCRtpReceiver, tap: _Tap) -> None:
    """The one place that reaches into aiortc; `tests/legs/test_webrtc_peer.py` fails where it moved."""
    name = "_RTCRtpReceiver__jitter_buffer"
    if not hasattr(receiver, name):
        raise AttributeError(f"aiortc's receiver has no {name}: pin the version in pyproject.toml")
    setattr(receiver, name, tap)


def check_offer(offer: str) -> None:
    """Raises BadOffer, with what is wrong: before anything is built, or taken, for a stranger's text."""
    if len(offer) > _LONGEST_OFFER:
        raise _bad(f"{len(offer)} characters are more than {_LONGEST_OFFER}")
    try:
        description = SessionDescription.parse(offer)
    except (ValueError, LookupError, AssertionError, AttributeError, TypeError) as error:
        raise _bad(f"it cannot be parsed ({type(error).__name__}: {error})") from error
    names = [media.rtp.muxId for media in description.media]
    bundled = [str(name) for group in description.group if group.semantic == "BUNDLE" for name in group.items]
    if len(names) != len(set(names)) or not set(bundled) <= set(names):
        raise _bad("its sections and its BUNDLE group do not have the same names")
    audio = [media for media in description.media if media.kind == "audio"]
    if len(audio) != 1 or any(media.kind not in {"audio", "application"} for media in description.media):
        raise _bad("it must have one audio section, a data channel if wanted, and nothing else")
    if audio[0].direction not in {"sendrecv", None}:
        raise _bad(f"its audio is {audio[0].direction}: a call goes both ways, sendrecv")
    if not any(codec.mimeType.lower() == "audio/opus" for codec in audio[0].rtp.codecs):
        raise _bad("it does not have the codec Opus")
    for media in description.media:
        if media.dtls is None or not media.dtls.fingerprints:
            raise _bad("a section has no DTLS fingerprint")
        if len(media.ice_candidates) > _MOST_CANDIDATES:
            raise _bad(f"more than {_MOST_CANDIDATES} candidates")


def _bad(what: str) -> BadOffer:
    return BadOffer(what, where="sdp", do="send what RTCPeerConnection.createOffer() gives")
