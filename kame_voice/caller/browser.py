"""A caller of our own in the place of a browser: one WebRTC call, by the same scripts as a phone call."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from kame_voice.caller.browser_socket import BrowserSocket, NetworkPath
from kame_voice.caller.caller import Script, follow, report
from kame_voice.caller.live import LiveCall
from kame_voice.caller.result import CallResult, EndedBy, Outcome
from kame_voice.caller.twilio_side import CallIdentity, MediaStream
from kame_voice.core.clock import Clock

__all__ = ["BrowserCaller", "BrowserResult"]

_OFFER_WITHIN_S = 20.0


@dataclass(slots=True)
class BrowserResult:
    """`call` as of a phone call. `told`: the data channel's messages. `first_sound_s`: from asking for
    the answer to the first voiced sample of the greeting; None where there was none.
    """

    call: CallResult
    call_id: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, Any] | None = None
    status: int = 200
    first_sound_s: float | None = None


class BrowserCaller:
    """Calls the lines of the server at `url`. `path` says what the network does to the packets."""

    def __init__(
        self,
        url: str,
        *,
        path: NetworkPath | None = None,
        headers: dict[str, str] | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self._url = url.rstrip("/")
        self._path = path
        self._headers = headers or {}
        self._clock = clock

    async def call(self, line: str, script: Script) -> BrowserResult:
        """Place the call, follow `script`, hang up. A refusal is a result, not raised."""
        identity = CallIdentity("browser", f"browser:{line}")
        async with (
            httpx.AsyncClient(trust_env=False, timeout=_OFFER_WITHIN_S, headers=self._headers) as http,
            BrowserSocket(self._clock, self._path) as socket,
        ):
            began = self._clock()
            answer = await http.post(
                f"{self._url}/webrtc/offer", json={"line": line, "sdp": await socket.offer(), "type": "offer"}
            )
            if not answer.is_success:
                refused = answer.json()
                result = CallResult(identity, Outcome.REFUSED, str(refused.get("detail")))
                return BrowserResult(result, refused=refused, status=answer.status_code)
            body = answer.json()
            await socket.connect(body["sdp"])
            live = LiveCall(MediaStream(identity), socket, clock=self._clock)
            began_before_s = self._clock() - began
            ended_by = await follow(live, script)
            await socket.part(orderly=ended_by is not EndedBy.DROPPED)
        call = report(identity, live, ended_by)
        first = call.greeting_voice_ms
        return BrowserResult(
            call,
            body["call_id"],
            socket.told,
            first_sound_s=None if first is None else began_before_s + first / 1000,
        )
