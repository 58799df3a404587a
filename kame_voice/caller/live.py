"""A call in progress: paces both directions, and is what a script steers the caller by."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from kame_voice.caller.clip import Clip
from kame_voice.caller.errors import NotDtmf, WireFault
from kame_voice.caller.playback import Piece, Playback
from kame_voice.caller.result import EndedBy, Moment
from kame_voice.caller.twilio_side import (
    FRAME_BYTES,
    FRAME_MS,
    RATE,
    SILENT_FRAME,
    Clear,
    Mark,
    Media,
    MediaStream,
    parse,
)
from kame_voice.caller.voiced import Span, is_voiced
from kame_voice.core.clock import Clock

__all__ = ["LiveCall", "MediaSocket", "SocketGone", "Utterance"]

_FRAME_S: Final = FRAME_MS / 1000
_SILENT_BASE64: Final = base64.b64encode(SILENT_FRAME).decode()
_PAUSE: Final = RATE * 3 // 10
"""Silence of the agent's within this is one stretch of speech."""
_DIGITS: Final = frozenset("0123456789*#ABCD")


class SocketGone(Exception):
    """The server closed the media socket, or it broke; the text says how."""


class MediaSocket(Protocol):
    """The caller's end of the media socket."""

    async def send(self, text: str) -> None:
        """Raises SocketGone."""
        ...

    async def receive(self) -> str | bytes:
        """Raises SocketGone."""
        ...


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something the caller said, in samples at 8 kHz on the caller's media clock."""

    text: str
    start: int
    voice_start: int
    voice_end: int


class LiveCall:
    """One call's media stream. `run` paces it; everything else is for the script.

    The media clock starts with the stream: frame k holds the caller's audio of [20k, 20k+20) ms
    and goes out when it is over, at 20(k+1) ms, silence when the caller has nothing to say. The
    script's waits look at the call once a frame, on that clock.
    """

    def __init__(
        self,
        stream: MediaStream,
        socket: MediaSocket,
        *,
        clock: Clock,
        reads: bool = True,
        on_moment: Callable[[Moment], None] | None = None,
    ) -> None:
        self.playback = Playback()
        self.timeline: list[Moment] = []
        self.utterances: list[Utterance] = []
        self.agent: list[Span] = []
        """Where the agent's voice sounds, to the packet; a growing list."""
        self.faults: list[str] = []
        self.own_late_s = 0.0
        self.said: list[bytes] = []
        self._stream = stream
        self._socket = socket
        self._clock = clock
        self._reads = reads
        self._on_moment = on_moment
        self._began_at = 0.0
        self._mouth: deque[bytes] = deque()
        self._tick = asyncio.Event()
        self._mark_came = asyncio.Event()
        self._over: asyncio.Future[EndedBy] = asyncio.get_running_loop().create_future()

    @property
    def now_s(self) -> float:
        """Seconds on the caller's media clock."""
        return self._clock() - self._began_at

    @property
    def now(self) -> int:
        """The sample that is being spoken: where `say` would begin at the latest."""
        return len(self.said) * FRAME_BYTES

    async def run(self) -> EndedBy:
        """Open the stream, pace it until it is over. Sends `stop` when the caller's side ends it."""
        try:
            await self._socket.send(self._stream.connected())
            await self._socket.send(self._stream.start())
        except SocketGone as gone:
            self._fault(str(gone))
            return EndedBy.SERVER_CLOSED
        self._began_at = self._clock()
        self.note("stream started")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._send_frames(), name="caller sends")]
            if self._reads:
                tasks.append(group.create_task(self._receive(), name="caller receives"))
                tasks.append(group.create_task(self._return_marks(), name="caller returns marks"))
            ended_by = await asyncio.shield(self._over)
            for task in tasks:
                task.cancel()
        self.playback.stop(self.now_s)
        self.note("stream over", ended_by.value)
        if ended_by in {EndedBy.CALLER, EndedBy.AGENT}:
            await self._farewell()
        self._tick.set()
        return ended_by

    # For scripts.

    @property
    def over(self) -> bool:
        """The stream has ended, by whichever side."""
        return self._over.done()

    async def say(self, clip: Clip) -> Utterance:
        """Speak `clip` from the next frame on; returns once its last frame is out."""
        start = self.now + len(self._mouth) * FRAME_BYTES
        said = Utterance(clip.text, start, start + clip.voice_start, start + clip.voice_end)
        self._mouth.extend(clip.audio[at : at + FRAME_BYTES] for at in range(0, len(clip.audio), FRAME_BYTES))
        self.utterances.append(said)
        self.note("caller", clip.text, at=said.voice_start)
        await self.until(lambda: not self._mouth)
        return said

    async def press(self, digits: str) -> None:
        """Press keys one after the other, 100 ms apart. Raises NotDtmf."""
        for digit in digits:
            if digit not in _DIGITS:
                raise NotDtmf(f"{digit!r} is no key", where="dtmf", do="use 0-9, *, #, A-D")
            self.note("dtmf", digit)
            await self._send(self._stream.dtmf(digit))
            await self.pause(100)

    async def pause(self, ms: float) -> None:
        """Stay silent this long."""
        until = self.now + round(ms * RATE / 1000)
        await self.until(lambda: self.now >= until)

    async def until(self, condition: Callable[[], bool], *, within_ms: float = float("inf")) -> bool:
        """Wait, frame by frame, until `condition` holds; false after `within_ms` or when the call is over."""
        deadline = self.now_s + within_ms / 1000
        while not condition():
            if self.over or self.now_s >= deadline:
                return False
            await self._tick.wait()
        return True

    async def agent_silent(self, for_ms: float, *, within_ms: float = 60_000) -> bool:
        """Wait until the agent has spoken and then been silent for `for_ms`."""
        return await self.until(
            lambda: bool(self.agent) and self.now - self.agent[-1].end >= for_ms * RATE / 1000,
            within_ms=within_ms,
        )

    async def agent_speaks(self, since: int, *, within_ms: float = 15_000) -> bool:
        """Wait until the agent's voice sounds at or after sample `since`."""
        return await self.until(
            lambda: bool(self.agent) and self.agent[-1].end > since and self.agent[-1].start <= self.now,
            within_ms=within_ms,
        )

    def hang_up(self) -> None:
        """The caller puts the phone down."""
        self.end(EndedBy.CALLER)

    def drop(self) -> None:
        """The line breaks: no stop message, no closing handshake."""
        self.end(EndedBy.DROPPED)

    def lose(self, frames: int) -> None:
        """The next packets get lost on the way to the server: a gap in its sequence."""
        self._stream.skip(frames)

    def end(self, by: EndedBy) -> None:
        """End the stream from the caller's side of the wire."""
        if not self._over.done():
            self._over.set_result(by)

    def note(self, what: str, text: str = "", *, at: int | None = None) -> None:
        """Put something on the timeline, now or at sample `at`."""
        at_ms = round(self.now_s * 1000) if at is None else at * 1000 // RATE
        moment = Moment(at_ms, what, text)
        self.timeline.append(moment)
        if self._on_moment:
            self._on_moment(moment)

    # Pacing.

    async def _send_frames(self) -> None:
        while True:
            due = self._began_at + (len(self.said) + 1) * _FRAME_S
            wait_s = due - self._clock()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self.own_late_s = max(self.own_late_s, self._clock() - due)
            frame = self._mouth.popleft() if self._mouth else SILENT_FRAME
            coded = _SILENT_BASE64 if frame is SILENT_FRAME else base64.b64encode(frame).decode()
            self.said.append(frame)
            await self._send(self._stream.media(coded))
            tick, self._tick = self._tick, asyncio.Event()
            tick.set()

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except SocketGone as gone:
            self._gone(str(gone))

    async def _receive(self) -> None:
        while True:
            try:
                message = parse(await self._socket.receive(), self._stream.call.stream_sid)
            except SocketGone as gone:
                self._gone(str(gone))
                return
            except WireFault as fault:
                self._fault(str(fault))
                self.end(EndedBy.FAULT)
                return
            now_s = self.now_s
            match message:
                case Media(payload):
                    self._heard(self.playback.receive(payload, now_s))
                case Mark(name):
                    self.playback.mark(name, now_s)
                    self._mark_came.set()
                case Clear():
                    self._cleared(now_s)
                    self._mark_came.set()

    def _heard(self, piece: Piece | None) -> None:
        if piece is None or not is_voiced(piece.audio):
            return
        if self.agent and piece.start - self.agent[-1].end <= _PAUSE:
            self.agent[-1] = Span(self.agent[-1].start, piece.end)
        else:
            self.agent.append(Span(piece.start, piece.end))
            self.note("agent speaks", self._after_what(piece.start), at=piece.start)

    def _after_what(self, start: int) -> str:
        """How long after the caller's last words this is, when it is their answer."""
        last = self.utterances[-1] if self.utterances else None
        if last is None or start < last.voice_end:
            return ""
        if len(self.agent) > 1 and self.agent[-2].end > last.voice_end:
            return ""
        return f"{(start - last.voice_end) * 1000 // RATE} ms after the caller"

    def _cleared(self, now_s: float) -> None:
        self.playback.clear(now_s)
        now = round(now_s * RATE)
        if self.agent and self.agent[-1].end > now:
            self.agent[-1] = Span(min(self.agent[-1].start, now), now)
        self.note("agent cleared")

    async def _return_marks(self) -> None:
        returned = 0
        while True:
            self.playback.due(self.now_s)
            while returned < len(self.playback.marks):
                mark = self.playback.marks[returned]
                returned += 1
                await self._send(self._stream.mark(mark.name))
            due_s = self.playback.next_due()
            self._mark_came.clear()
            if due_s is None:
                await self._mark_came.wait()
                continue
            try:
                async with asyncio.timeout(max(due_s - self.now_s, 0.0)):
                    await self._mark_came.wait()
            except TimeoutError:
                continue

    async def _farewell(self) -> None:
        try:
            await self._socket.send(self._stream.stop())
        except SocketGone as gone:
            self._fault(f"closed before stop: {gone}")

    def _gone(self, how: str) -> None:
        if not self.over:
            self.note("socket closed", how)
            self.end(EndedBy.SERVER_CLOSED)

    def _fault(self, what: str) -> None:
        self.faults.append(what)
