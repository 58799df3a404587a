"""Reads the TwiML that a voice webhook answers with, verb by verb. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from kame_voice.caller.errors import BadTwiml

__all__ = ["Connect", "Dial", "Hangup", "Pause", "Reject", "Say", "Verb", "describe", "parse_twiml"]


@dataclass(frozen=True, slots=True)
class Connect:
    """`<Connect><Stream>`: a two-way media stream. What follows runs if the server closes it."""

    url: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Say:
    """The carrier's own voice says something."""

    text: str


@dataclass(frozen=True, slots=True)
class Dial:
    """The caller is put through to another number."""

    number: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence of so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hangup:
    """The call ends."""


@dataclass(frozen=True, slots=True)
class Reject:
    """The call is not answered at all; `reason` is rejected or busy."""

    reason: str


Verb = Connect | Say | Dial | Pause | Hangup | Reject


def parse_twiml(text: str) -> tuple[Verb, ...]:
    """The verbs in order. Raises BadTwiml for what is not TwiML, or not of a kind known here."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise BadTwiml(
            f"is not XML ({error}): {text[:80]!r}", where="TwiML", do="see the server's log"
        ) from error
    if root.tag != "Response":
        raise BadTwiml(f"opens with <{root.tag}>, not <Response>", where="TwiML")
    return tuple(_verb(element) for element in root)


def _verb(element: ElementTree.Element) -> Verb:
    words = " ".join("".join(element.itertext()).split())
    match element.tag:
        case "Connect":
            return _connect(element)
        case "Say":
            return Say(words)
        case "Dial":
            if not words:
                raise BadTwiml("names no number", where="<Dial>")
            return Dial(words)
        case "Pause":
            return Pause(float(element.get("length", "1")))
        case "Hangup":
            return Hangup()
        case "Reject":
            return Reject(element.get("reason", "rejected"))
        case other:
            raise BadTwiml(f"<{other}> is not a verb that this caller follows", where="TwiML")


def _connect(element: ElementTree.Element) -> Connect:
    stream = element.find("Stream")
    if stream is None or not stream.get("url"):
        raise BadTwiml("holds no <Stream url=...>", where="<Connect>")
    parameters = {item.get("name", ""): item.get("value", "") for item in stream.findall("Parameter")}
    return Connect(stream.get("url", ""), parameters)


def describe(verbs: Sequence[Verb]) -> str:
    """What a caller experiences of verbs without a stream, in words."""
    if not verbs:
        return "the call ends"
    parts = []
    for verb in verbs:
        match verb:
            case Say(text):
                parts.append(f"says: {text}")
            case Dial(number):
                parts.append(f"dials {number}")
            case Reject(reason):
                parts.append(f"rejects the call ({reason})")
            case Hangup():
                parts.append("hangs up")
            case Pause(seconds):
                parts.append(f"waits {seconds:g} s")
            case Connect(url):
                parts.append(f"connects to {url}")
    return "; ".join(parts)
