"""A starlette WebSocket as the text socket that a leg speaks over."""

from __future__ import annotations

from starlette.websockets import WebSocket, WebSocketDisconnect

from kame_voice.legs.socket import SocketClosed

__all__ = ["WebSocketText"]


class WebSocketText:
    """See `legs.socket.TextSocket`. Raw messages: this is the 20 ms path."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive_text(self) -> str:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise SocketClosed
        text: str | None = message.get("text")
        return text if text is not None else bytes(message["bytes"]).decode("utf-8", "replace")

    async def send_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})

    async def _send(self, message: dict[str, object]) -> None:
        try:
            await self._websocket.send(message)
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            # starlette has a RuntimeError for whatever is sent after the close
            raise SocketClosed from error
