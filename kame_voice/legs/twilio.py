"""A Twilio media stream as a leg: the shell around `twilio_wire`, `twilio_inbound` and `twilio_outbound`."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, Literal, Self

from kame_voice.audio import g711
from kame_voice.audio.playout import FRAME_S
from kame_voice.core.clock import Clock
from kame_voice.core.errors import KameError
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs import twilio_wire as wire
from kame_voice.legs.base import CallerAudio, Dtmf, LegClosed, LegEvent, MarkHeard
from kame_voice.legs.media_clock import MediaClock
from kame_voice.legs.socket import SocketClosed, TextSocket
from kame_voice.legs.timer_wheel import TIMER_SLACK_S, TimerWheel
from kame_voice.legs.twilio_inbound import CallerTrack
from kame_voice.legs.twilio_outbound import PACKET, AgentTrack
from kame_voice.legs.twilio_wire import StreamStart, WireError

__all__ = ["SocketClosed", "TextSocket", "TwilioLeg", "open_stream"]

_STUCK_S: Final = 5.0
"""A peer that does not read for this long is gone."""
_CLOSE_WITHIN_S: Final = 2.0
"""After a hang-up by REST, Twilio closes the socket within this; else the leg ends by itself."""
_GATHER_GRACE_S: Final = 0.02
"""How late the rest of a frame may be before its beginning goes ahead. Within `calls.metronome`'s grace."""


async def open_stream(socket: TextSocket) -> StreamStart:
    """Read up to the start message. The caller of this bounds the time.

    Raises WireError when something else comes first or the format is not mu-law at 8 kHz, and
    SocketClosed. What comes after the start waits for whoever listens next.
    """
    opened: asyncio.Future[StreamStart] = asyncio.get_running_loop().create_future()

    def on_message(text: bytes) -> None:
        try:
            start = _start_in(wire.parse(text))
        except WireError as error:
            socket.hold()
            if not opened.done():
                opened.set_exception(error)
            return
        if start is not None:
            socket.hold()
            if not opened.done():
                opened.set_result(start)

    def on_closed() -> None:
        if not opened.done():
            opened.set_exception(SocketClosed())

    socket.listen(on_message, on_closed)
    return await opened


def _start_in(message: wire.Message) -> StreamStart | None:
    if isinstance(message, StreamStart):
        return _checked(message)
    if not isinstance(message, wire.Connected | wire.Unknown):
        raise WireError(
            f"is {type(message).__name__} before start",
            where="event",
            do="the peer must send connected and start first",
        )
    return None


def _checked(start: StreamStart) -> StreamStart:
    if (start.encoding, start.sample_rate, start.channels) != ("audio/x-mulaw", g711.G711_HZ, 1):
        raise WireError(
            f"is {start.encoding} at {start.sample_rate} Hz, {start.channels} channels",
            where="start.mediaFormat",
            do="the stream must be audio/x-mulaw, 8000 Hz, 1 channel",
        )
    return start


class TwilioLeg:
    """One call's media stream. An async context manager: leaving it ends the leg.

    It has no task of its own: the socket calls it with what came, the wheel when something is due.
    `hang_up` ends the call of a CallSid at the carrier. `frame_samples`: the caller's audio comes in
    pieces that end with such a frame. `lead_s`, 0.02 to 0.095, is the most audio that lies in
    Twilio's buffer. A peer that stops reading stops `play` and, after 5 s, the leg; memory stays
    bounded by what one `play` was given.
    """

    def __init__(
        self,
        socket: TextSocket,
        start: StreamStart,
        *,
        hang_up: Callable[[str], Awaitable[None]],
        telemetry: Telemetry,
        clock: Clock,
        wheel: TimerWheel,
        frame_samples: int = PACKET,
        lead_s: float = 0.04,
    ) -> None:
        self.start = start
        self.track = CallerTrack(frame_samples)
        self._socket = socket
        self._hang_up_call = hang_up
        self._telemetry = telemetry
        self._clock = clock
        self._wheel = wheel
        self._media_clock = MediaClock(clock())
        self._gather_s = frame_samples / SAMPLE_RATE + _GATHER_GRACE_S
        self._gather_until = math.inf
        self._agent = AgentTrack(start.stream_sid, self._media_clock, lead_s)
        self._pending_marks: set[str] = set()
        self._players: list[asyncio.Future[None]] = []
        self._turn_at = math.inf
        self._stuck_since: float | None = None
        self._events: deque[LegEvent] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._fault: Exception | None = None
        self._closed = False
        self._ended_by_us = False

    async def __aenter__(self) -> Self:
        self._socket.listen(self._on_message, self._on_closed)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end()

    # From the caller.

    async def events(self) -> AsyncIterator[LegEvent]:
        """See `Leg.events`. Malformed messages close the leg as `protocol_error` and are counted."""
        while True:
            while self._events:
                event = self._events.popleft()
                yield event
                if isinstance(event, LegClosed):
                    return
            if self._fault is not None:
                raise self._fault
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader

    def _on_message(self, text: bytes) -> None:
        if self._closed:
            return
        try:
            self._take(wire.parse(text))
        except WireError as error:
            self._telemetry.wire_malformed.inc()
            self._close(LegClosed("protocol_error", str(error)))

    def _on_closed(self) -> None:
        self._close(self._closing("dropped", "the socket closed without a stop message"))

    def _take(self, message: wire.Message) -> None:
        match message:
            case wire.Media():
                self._take_audio(message)
            case wire.MarkReturned(name):
                # a mark that a clear has retired comes back unheard
                if name in self._pending_marks:
                    self._pending_marks.discard(name)
                    self._tell(MarkHeard(name))
            case wire.DtmfPressed(digit):
                self._tell(Dtmf(digit))
            case wire.Stop():
                self._close(self._closing("hung_up", ""))
            case wire.Unknown():
                self._telemetry.wire_unknown.inc()
            case _:
                raise WireError(
                    f"is {type(message).__name__} a second time", where="event", do="one start a stream"
                )

    def _take_audio(self, packet: wire.Media) -> None:
        if packet.track != "inbound":
            return
        late = self.track.late_samples
        for audio in self.track.place(packet):
            self._tell_audio(audio)
        if self.track.late_samples != late:
            self._telemetry.caller_late.inc(self.track.late_samples - late)
        elif self.track.gathering and self._gather_until == math.inf:
            self._gather_until = self._clock() + self._gather_s
            self._wheel.at(self._gather_until, self._gathered_long_enough)

    def _tell_audio(self, audio: CallerAudio) -> None:
        self._media_clock.arrived(audio.at_sample + len(audio.pcm), self._clock())
        self._gather_until = math.inf
        self._events.append(audio)
        self._wake_reader()

    def _gathered_long_enough(self) -> None:
        """The rest of a frame is late: the call gets what there is before its own patience ends."""
        if self.track.gathering and self._clock() + TIMER_SLACK_S >= self._gather_until:
            self._tell_audio(self.track.rest())

    def _tell(self, event: LegEvent) -> None:
        if self.track.gathering:
            self._tell_audio(self.track.rest())
        self._events.append(event)
        self._wake_reader()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _closing(self, reason: Literal["hung_up", "dropped"], detail: str) -> LegClosed:
        return LegClosed("ended_by_us") if self._ended_by_us else LegClosed(reason, detail)

    # To the caller.

    async def play(self, pcm: Pcm, marks: Sequence[str] = ()) -> int:
        """See `Leg.play`. Raises ValueError when `pcm` is not whole packets of 480 samples."""
        if len(pcm) % PACKET:
            raise ValueError(f"{len(pcm)} samples are not a multiple of {PACKET} (20 ms)")
        if self._closed:
            return self._agent.played_to
        at_sample = self._agent.queue(pcm, marks, self._clock())
        self._pending_marks.update(marks)
        self._pace()
        if self._agent.full and not self._closed:
            player = asyncio.get_running_loop().create_future()
            self._players.append(player)
            await player
        return at_sample

    async def clear(self) -> set[str]:
        """See `Leg.clear`. Marks not yet returned are retired: what comes back of them is unheard."""
        unheard, self._pending_marks = self._pending_marks, set()
        if self._closed:
            return unheard
        self._socket.send(self._agent.clear(self._clock()))
        self._release_players()
        return unheard

    async def hang_up(self) -> None:
        """See `Leg.hang_up`. When the carrier cannot be reached, the leg ends and the error is raised."""
        if self._closed or self._ended_by_us:
            return
        self._ended_by_us = True
        try:
            await self._hang_up_call(self.start.call_sid)
        except KameError:
            self._close(LegClosed("ended_by_us"))
            raise
        self._wheel.at(self._clock() + _CLOSE_WITHIN_S, lambda: self._close(LegClosed("ended_by_us")))

    # The pacing.

    def _pace(self) -> None:
        """Send what is due, and have the wheel come back for the rest."""
        now = self._clock()
        if self._socket.writable:
            self._stuck_since = None
            messages = self._agent.due(now)
            if messages:
                self._socket.send(*messages)
            if self._players and not self._agent.full:
                self._release_players()
            self._turn_up_at(self._agent.playout.due())
        else:
            self._stuck_since = self._stuck_since or now
            if now - self._stuck_since >= _STUCK_S:
                self._close(self._closing("dropped", "the peer stopped reading"))
            else:
                self._turn_up_at(now + FRAME_S)

    def _turn_up_at(self, moment: float | None) -> None:
        if moment is not None and moment < self._turn_at:
            self._turn_at = moment
            self._wheel.at(moment, self._turn)

    def _turn(self) -> None:
        # a turn that an earlier one has made needless comes in vain
        if self._closed or self._clock() + TIMER_SLACK_S < self._turn_at:
            return
        self._turn_at = math.inf
        try:
            self._pace()
        except Exception as error:  # noqa: BLE001 — nobody is above a timer: the fault goes to the task that reads
            self._fault = error
            self._end()

    def _release_players(self) -> None:
        players, self._players = self._players, []
        for player in players:
            if not player.done():
                player.set_result(None)

    # The end.

    def _close(self, closing: LegClosed) -> None:
        if not self._closed:
            self._tell(closing)
            self._end()

    def _end(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._telemetry.frames_sent.inc(self._agent.playout.sent_frames)
        self._telemetry.frames_late.inc(self._agent.playout.late_frames)
        self._release_players()
        self._wake_reader()
