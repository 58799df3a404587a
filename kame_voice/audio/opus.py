"""Opus (RFC 6716) between 20 ms of our own audio and the payload of one RTP packet, by PyAV.

The encoder takes our 24 kHz as it is: libopus codes it without resampling. FFmpeg's libopus always
decodes to 48 kHz.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import numpy as np

from kame_voice.audio.resample import Resampler
from kame_voice.core.nouns import SAMPLE_RATE, Pcm

__all__ = ["OPUS_HZ", "SILENCE", "BadPayload", "OpusDecoder", "OpusEncoder", "samples_in"]

OPUS_HZ: Final = 48_000
"""The clock of Opus in RTP, whatever the rate of the audio (RFC 7587)."""
SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of digital silence, fullband CELT, one channel; any decoder takes it in any state."""
_BIT_RATE: Final = 32_000
_COMPLEXITY: Final = 5
"""Of 10. Half the time of the default for speech that no listener tells apart."""
_LOSS_PERCENT: Final = 5
"""Speech is coded so that a browser can rebuild one lost packet from the next."""
_FULL_SCALE: Final = np.float32(1 / 32768)


class BadPayload(Exception):
    """The payload is no Opus packet."""


def samples_in(payload: bytes) -> int:
    """How long a packet sounds, at 24 kHz, by its first bytes (RFC 6716, 3.1 and 3.2); 0 for no packet."""
    if not payload:
        return 0
    configuration, code = payload[0] >> 3, payload[0] & 3
    if configuration < 12:
        tenths_ms = (100, 200, 400, 600)[configuration % 4]
    elif configuration < 16:
        tenths_ms = (100, 200)[configuration % 2]
    else:
        tenths_ms = (25, 50, 100, 200)[configuration % 4]
    frames = 1 if code == 0 else 2 if code < 3 else payload[1] & 0x3F if len(payload) > 1 else 0
    return frames * tenths_ms * SAMPLE_RATE // 10_000


class OpusEncoder:
    """One stream, mono."""

    def __init__(self) -> None:
        codec = self._codec = av.CodecContext.create("libopus", "w")
        codec.sample_rate = SAMPLE_RATE
        codec.format = "flt"
        codec.layout = "mono"
        codec.bit_rate = _BIT_RATE
        codec.time_base = Fraction(1, SAMPLE_RATE)
        codec.options = {
            "application": "voip",
            "compression_level": str(_COMPLEXITY),
            "fec": "1",
            "packet_loss": str(_LOSS_PERCENT),
        }
        self._at = 0

    def encode(self, pcm: Pcm) -> bytes:
        """20 ms [480] as one packet."""
        frame = av.AudioFrame("flt", "mono", len(pcm))
        frame.planes[0].update(np.ascontiguousarray(pcm, np.float32))
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self._at
        self._at += len(pcm)
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


class OpusDecoder:
    """One stream, stereo mixed down to mono. Where packets are missing, its state goes on regardless."""

    def __init__(self) -> None:
        codec = self._codec = av.CodecContext.create("libopus", "r")
        codec.sample_rate = OPUS_HZ
        codec.format = "s16"
        codec.layout = "mono"
        self._resampler = Resampler(OPUS_HZ, SAMPLE_RATE)

    def decode(self, payload: bytes) -> Pcm:
        """One packet's audio [n], 24 kHz. Raises BadPayload."""
        if not payload:
            # FFmpeg takes nothing for the stream's end, and would be deaf from then on
            raise BadPayload("it is empty")
        try:
            frames = self._codec.decode(av.Packet(payload))
        except av.FFmpegError as error:
            raise BadPayload(str(error)) from error
        parts = [
            np.frombuffer(frame.planes[0], np.int16, frame.samples).astype(np.float32) * _FULL_SCALE
            for frame in frames
        ]
        if not parts:
            raise BadPayload("there is no audio in it")
        return self._resampler.feed(parts[0] if len(parts) == 1 else np.concatenate(parts))
