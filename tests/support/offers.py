"""A browser's offer, as aiortc makes it."""

from __future__ import annotations

from aiortc import RTCConfiguration, RTCPeerConnection

__all__ = ["offer_text"]

_made: list[str] = []


async def offer_text() -> str:
    """One offer with sound and a data channel, made once; nobody is there to be connected to."""
    if not _made:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.createDataChannel("call")
        connection.addTransceiver("audio", direction="sendrecv")
        await connection.setLocalDescription(await connection.createOffer())
        _made.append(str(connection.localDescription.sdp))
        await connection.close()
    return _made[0]
