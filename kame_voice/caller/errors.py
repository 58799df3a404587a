"""What can go wrong with a call that we place, named as the carrier would name it."""

from __future__ import annotations

from kame_voice.core.errors import KameError

__all__ = [
    "BadTwiml",
    "NotDtmf",
    "PortTaken",
    "ServerUnreachable",
    "SilentClip",
    "StreamRefused",
    "WireFault",
]


class ServerUnreachable(KameError):
    """The voice webhook gave no usable answer (Twilio's errors 11200 and 11205)."""

    code = "server-unreachable"


class BadTwiml(KameError):
    """The webhook's answer is not TwiML that this caller follows (Twilio's error 12100)."""

    code = "bad-twiml"


class StreamRefused(KameError):
    """The media socket could not be opened (Twilio's errors 31920 and 31922)."""

    code = "stream-refused"


class WireFault(KameError):
    """The server sent something that Media Streams does not know (Twilio's error 31924)."""

    code = "wire-fault"


class SilentClip(KameError):
    """There is nothing to be heard in what the caller is to say."""

    code = "silent-clip"


class NotDtmf(KameError):
    """A key that no telephone has."""

    code = "not-dtmf"


class PortTaken(KameError):
    """The stand-in for Twilio's REST API cannot listen."""

    code = "port-taken"
