"""A caller whose connection is reset, without a goodbye: on the event loop that serves, with real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from kame_voice.web.media_socket import MediaSocket, Upgrade
from tests.support.eventually import eventually

uvloop = pytest.importorskip("uvloop")

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def a_call_that_is_reset() -> MediaSocket:
    """Its socket, which was told of it, while there still was something to say."""
    sockets: list[MediaSocket] = []

    def welcome(_: Upgrade, socket: MediaSocket) -> bool:
        sockets.append(socket)
        return True

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: MediaSocket(welcome, set()), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    peer = ClientProtocol(parse_uri("ws://127.0.0.1/media"))
    peer.send_request(peer.connect())
    writer.write(b"".join(peer.data_to_send()))
    await reader.readuntil(b"\r\n\r\n")
    lost: list[bool] = []
    sockets[0].listen(lambda _: None, lambda: lost.append(True))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()

    def says_something_until_told() -> bool:
        sockets[0].send(b"x" * 160)
        return bool(lost)

    await eventually(says_something_until_told)
    server.close()
    return sockets[0]


def test_saying_goodbye_to_a_connection_that_was_reset_does_nothing() -> None:
    """Else the call's end would take the server, and every other call, down with it."""

    async def end_it() -> None:
        lost = await a_call_that_is_reset()
        lost.send(b"too late")
        lost.close(1000)
        lost.shutdown()

    uvloop.run(end_it())
