"""A Twilio media stream as a leg: sockets and pacing. Meaning of messages: `twilio_wire`."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self

from kame_voice.audio import g711
from kame_voice.audio.line_resample import LineResampler
from kame_voice.audio.playout import Playout
from kame_voice.core.clock import Clock
from kame_voice.core.errors import KameError
from kame_voice.core.nouns import SAMPLE_RATE, Pcm
from kame_voice.core.telemetry import Telemetry
from kame_voice.legs import twilio_wire as wire
from kame_voice.legs.base import CallerAudio, Dtmf, LegClosed, LegEvent, MarkHeard
from kame_voice.legs.media_clock import MediaClock
from kame_voice.legs.socket import SocketClosed, TextSocket
from kame_voice.legs.twilio_inbound import CallerTrack
from kame_voice.legs.twilio_wire import StreamStart, WireError

__all__ = ["SocketClosed", "TextSocket", "TwilioLeg", "open_stream"]

_PACKET: Final = SAMPLE_RATE // 50
_PAYLOAD: Final = g711.G711_HZ // 50
_TIMER_SLACK_S: Final = 0.001
"""uvloop's timers count whole milliseconds: a frame due within one goes out now."""
_STUCK_S: Final = 5.0
"""A peer that does not read for this long is gone."""
_CLOSE_WITHIN_S: Final = 2.0
"""After a hang-up by REST, Twilio closes the socket within this; else the leg ends by itself."""
_CUSHION_S: Final = 0.02
"""A front end that makes speech in real time hands it out some milliseconds late now and then."""
_GRID_S: Final = 0.01
"""Two groups of calls: at twenty calls this takes 100 wake-ups a second instead of 1000."""
_POSITION_SLACK: Final = _PACKET
"""Below this, a position that differs from the end of the audio before is rounding, not a pause."""


async def open_stream(socket: TextSocket) -> StreamStart:
    """Read up to the start message. The caller of this bounds the time.

    Raises WireError when something else comes first or the format is not mu-law at 8 kHz, and
    SocketClosed.
    """
    while True:
        message = wire.parse(await socket.receive_text())
        if isinstance(message, StreamStart):
            return _checked(message)
        if not isinstance(message, wire.Connected | wire.Unknown):
            raise WireError(
                f"is {type(message).__name__} before start",
                where="event",
                do="the peer must send connected and start first",
            )


def _checked(start: StreamStart) -> StreamStart:
    if (start.encoding, start.sample_rate, start.channels) != ("audio/x-mulaw", g711.G711_HZ, 1):
        raise WireError(
            f"is {start.encoding} at {start.sample_rate} Hz, {start.channels} channels",
            where="start.mediaFormat",
            do="the stream must be audio/x-mulaw, 8000 Hz, 1 channel",
        )
    return start


class TwilioLeg:
    """One call's media stream. An async context manager: it owns its pacing task.

    `hang_up` ends the call of a CallSid at the carrier. `lead_s`, 0.02 to 0.095, is the most audio
    that lies in Twilio's buffer. A peer that stops reading stops `play` and, after 5 s, the leg;
    memory stays bounded by what one `play` was given.
    """

    def __init__(
        self,
        socket: TextSocket,
        start: StreamStart,
        *,
        hang_up: Callable[[str], Awaitable[None]],
        telemetry: Telemetry,
        clock: Clock,
        lead_s: float = 0.04,
    ) -> None:
        self.start = start
        self.track = CallerTrack()
        self._socket = socket
        self._hang_up_call = hang_up
        self._telemetry = telemetry
        self._clock = clock
        self._media_clock = MediaClock(clock())
        self._playout: Playout[str] = Playout(lead_s, cushion_s=_CUSHION_S, grid_s=_GRID_S)
        self._resampler = LineResampler(SAMPLE_RATE, g711.G711_HZ)
        self._before, self._after = wire.media_envelope(start.stream_sid)
        self._played_to = 0
        self._pending_marks: set[str] = set()
        self._players: list[asyncio.Future[None]] = []
        self._urgent: list[str] = []
        self._nap: asyncio.Future[None] | None = None
        self._closed = False
        self._ended_by_us = False
        self._read_until: float | None = None
        self._reading: asyncio.Timeout | None = None
        self._group = asyncio.TaskGroup()
        self._pacing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._pacing = self._group.create_task(self._pace(), name=f"pace {self.start.call_sid}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        if self._pacing is not None:
            self._pacing.cancel()
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            await self._group.__aexit__(kind, error, trace)
        else:
            # the group is told of no error that is not its own, so the body's comes out unwrapped
            await self._group.__aexit__(None, None, None)

    # From the caller.

    async def events(self) -> AsyncIterator[LegEvent]:
        """See `Leg.events`. Malformed messages close the leg as `protocol_error` and are counted."""
        while True:
            try:
                event = await self._next_event()
            except WireError as error:
                self._telemetry.wire_malformed.inc()
                event = LegClosed("protocol_error", str(error))
            if isinstance(event, LegClosed):
                self._end()
                yield event
                return
            yield event

    async def _next_event(self) -> LegEvent:
        while True:
            try:
                # a send that fails, or our hang-up, ends this read too: see `_stop_reading`
                async with asyncio.timeout_at(self._read_until) as self._reading:
                    text = await self._socket.receive_text()
            except SocketClosed:
                return self._closing("dropped", "the socket closed without a stop message")
            except TimeoutError:
                return self._closing("dropped", "the peer stopped reading")
            finally:
                self._reading = None
            message = wire.parse(text)
            if isinstance(message, wire.Media):
                audio = self._caller_audio(message)
                if audio is not None:
                    return audio
            elif isinstance(message, wire.MarkReturned):
                # a mark that a clear has retired comes back unheard
                if message.name in self._pending_marks:
                    self._pending_marks.discard(message.name)
                    return MarkHeard(message.name)
            elif isinstance(message, wire.DtmfPressed):
                return Dtmf(message.digit)
            elif isinstance(message, wire.Stop):
                return self._closing("hung_up", "")
            elif isinstance(message, wire.Unknown):
                self._telemetry.wire_unknown.inc()
            else:
                raise WireError(
                    f"is {type(message).__name__} a second time", where="event", do="one start a stream"
                )

    def _caller_audio(self, packet: wire.Media) -> CallerAudio | None:
        if packet.track != "inbound":
            return None
        late = self.track.late_samples
        audio = self.track.place(packet)
        if audio is not None:
            self._media_clock.arrived(self.track.end_sample, self._clock())
        elif self.track.late_samples != late:
            self._telemetry.caller_late.inc(self.track.late_samples - late)
        return audio

    def _closing(self, reason: str, detail: str) -> LegClosed:
        if self._ended_by_us:
            return LegClosed("ended_by_us")
        return LegClosed("hung_up") if reason == "hung_up" else LegClosed("dropped", detail)

    # To the caller.

    async def play(self, pcm: Pcm, marks: Sequence[str] = ()) -> int:
        """See `Leg.play`. Raises ValueError when `pcm` is not whole packets of 480 samples."""
        if len(pcm) % _PACKET:
            raise ValueError(f"{len(pcm)} samples are not a multiple of {_PACKET} (20 ms)")
        if self._closed:
            return self._played_to
        at_sample = self._queue(pcm, marks)
        self._wake()
        if self._playout.queued_s >= self._playout.lead_s:
            player = asyncio.get_running_loop().create_future()
            self._players.append(player)
            await player
        return at_sample

    def _queue(self, pcm: Pcm, marks: Sequence[str]) -> int:
        now = self._clock()
        at_sample = self._played_to
        if len(pcm):
            coded = g711.encode(self._resampler.feed(pcm))
            for offset in range(0, len(coded), _PAYLOAD):
                payload = coded[offset : offset + _PAYLOAD]
                text = self._before + base64.b64encode(payload).decode("ascii") + self._after
                plays_at = self._playout.push(text, now, silent=g711.is_silent(payload))
                if not offset:
                    at_sample = self._position(plays_at)
            self._played_to = at_sample + len(pcm)
        for name in marks:
            self._pending_marks.add(name)
            self._playout.push_mark(wire.mark(self.start.stream_sid, name), now)
        return at_sample

    def _position(self, plays_at: float) -> int:
        position = self._media_clock.sample_at(plays_at)
        return position if position > self._played_to + _POSITION_SLACK else self._played_to

    async def clear(self) -> set[str]:
        """See `Leg.clear`. Marks not yet returned are retired: what comes back of them is unheard."""
        unheard, self._pending_marks = self._pending_marks, set()
        if self._closed:
            return unheard
        now = self._clock()
        self._playout.clear(now)
        self._played_to = min(self._played_to, self._media_clock.sample_at(now))
        self._urgent.append(wire.clear(self.start.stream_sid))
        self._release_players()
        self._wake()
        return unheard

    async def hang_up(self) -> None:
        """See `Leg.hang_up`. When the carrier cannot be reached, the leg ends and the error is raised."""
        if self._closed or self._ended_by_us:
            return
        self._ended_by_us = True
        try:
            await self._hang_up_call(self.start.call_sid)
        except KameError:
            self._stop_reading(0.0)
            raise
        self._stop_reading(_CLOSE_WITHIN_S)

    # The pacing task.

    async def _pace(self) -> None:
        try:
            while not self._closed:
                if self._urgent:
                    await self._send(self._urgent.pop(0))
                    continue
                message = self._playout.take(self._clock() + _TIMER_SLACK_S)
                if message is not None:
                    await self._send(message)
                    continue
                if self._playout.queued_s < self._playout.lead_s:
                    self._release_players()
                await self._sleep_until(self._playout.due())
        except (SocketClosed, TimeoutError):
            self._end()
            self._stop_reading(0.0)

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(_STUCK_S):
            await self._socket.send_text(text)

    async def _sleep_until(self, due: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._nap = loop.create_future()
        timer = None if due is None else loop.call_later(max(0.0, due - self._clock()), self._wake)
        try:
            await self._nap
        finally:
            self._nap = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)

    def _release_players(self) -> None:
        players, self._players = self._players, []
        for player in players:
            if not player.done():
                player.set_result(None)

    # The end.

    def _stop_reading(self, within_s: float) -> None:
        self._read_until = asyncio.get_running_loop().time() + within_s
        if self._reading is not None:
            self._reading.reschedule(self._read_until)

    def _end(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._telemetry.frames_sent.inc(self._playout.sent_frames)
        self._telemetry.frames_late.inc(self._playout.late_frames)
        self._release_players()
        self._wake()
