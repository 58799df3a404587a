"""`/api/calls/{id}/listen`: both sides of a running call over a WebSocket, for who listens in."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from fastapi import APIRouter, WebSocketException
from starlette.status import WS_1000_NORMAL_CLOSURE, WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocket, WebSocketDisconnect

from kame_voice.accounts.trail import Action
from kame_voice.calls.listening_in import Listening
from kame_voice.calls.live import LiveCalls
from kame_voice.core.nouns import SAMPLE_RATE
from kame_voice.web.auth.viewer import Supervisor, audit

__all__ = ["add_sound"]

_FORMAT: Final = {"type": "format", "rate": SAMPLE_RATE, "channels": 2, "sample": "s16le"}


def add_sound(routes: APIRouter, live_calls: LiveCalls) -> None:
    """Add the route. Text messages: `format` first, `lost` where the listener is slow, `ended` last.

    Binary ones: 16-bit little-endian samples at 24 kHz, caller left and agent right.
    """

    @routes.websocket("/api/calls/{call_id}/listen")
    async def listen(websocket: WebSocket, call_id: str, viewer: Supervisor) -> None:
        live = live_calls.get(call_id)
        if live is None or not viewer.may_see(live.call.customer):
            raise WebSocketException(WS_1008_POLICY_VIOLATION, "no such call runs")
        audit(websocket, Action.LIVE_LISTEN, call_id=call_id, customer=live.call.customer)
        await websocket.accept()
        with live.sound.listen() as listening:
            async with asyncio.TaskGroup() as group:
                # A listener says nothing: what is read here is that they are gone.
                gone = group.create_task(_until_gone(websocket), name=f"listener leaves {call_id}")
                sending = group.create_task(_send(websocket, listening), name=f"listen in {call_id}")
                await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                sending.cancel()


async def _send(websocket: WebSocket, listening: Listening) -> None:
    lost_ms = 0
    try:
        await websocket.send_text(json.dumps(_FORMAT))
        async for block in listening:
            if listening.lost_ms != lost_ms:
                await _tell(websocket, {"type": "lost", "ms": listening.lost_ms - lost_ms})
                lost_ms = listening.lost_ms
            await websocket.send_bytes(block.tobytes())
        await _tell(websocket, {"type": "ended"})
        await websocket.close(WS_1000_NORMAL_CLOSURE)
    except (WebSocketDisconnect, RuntimeError):
        return  # starlette raises RuntimeError where the peer was gone before a send


async def _tell(websocket: WebSocket, message: dict[str, Any]) -> None:
    await websocket.send_text(json.dumps(message))


async def _until_gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
