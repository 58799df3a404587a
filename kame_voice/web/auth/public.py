"""The routes that nobody need sign in for, each with its reason. Whatever is not here needs a viewer."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

__all__ = ["PUBLIC"]

PUBLIC: Final = MappingProxyType(
    {
        "/twilio/voice": "the carrier's signature is checked",
        "/twilio/status": "the carrier's signature is checked",
        "/webrtc/ice": "whoever may call must learn how to connect",
        "/webrtc/offer": "callers are the public; the line's flow says whom it lets in",
        "/webrtc/calls/{token}": "the call's own secret token is checked",
        "/talk": "names the lines that the public may call; to people signed in, theirs as well",
        "/talk/{line}": "the page of a line that this person may call; the offer checks it again",
        "/widget.js": "the call button's script; the same for every site",
        "/widget/{line}": "the button's frame, for the sites that the line's flow names",
        "/sign-in": "one signs in here; tries are counted, the form belongs to the visitor's cookie",
        "/welcome/{secret}": "the one-time link's own secret is checked",
        "/health/live": "a load balancer asks; tells nothing of calls",
        "/health/ready": "a load balancer asks; tells nothing of calls",
        "/metrics": "counters without a name or number; the proxy keeps it inside",
        "/openapi.json": "what the API offers; the source is public",
        "/static/{version}/{path:path}": "style, scripts and pictures of the pages",
    }
)
