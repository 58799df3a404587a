"""The ICE servers that a browser is handed for one call, with a TURN password that soon expires. Pure.

The form is coturn's `use-auth-secret` (draft-uberti-behave-turn-rest): the user name is the moment
of expiry, the password its HMAC-SHA1 under the secret that TURN server and this one share.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from kame_voice.core.settings import Settings, SettingsError

__all__ = ["IceServers", "ice_servers"]

_STUN: Final = ("stun:", "stuns:")
_TURN: Final = ("turn:", "turns:")


@dataclass(frozen=True, slots=True)
class IceServers:
    """What the settings say. `stun_urls` serve this server too, to learn its public address."""

    stun_urls: tuple[str, ...]
    turn_urls: tuple[str, ...]
    turn_secret: str
    turn_ttl_s: int

    def for_call(self, now_s: float, user: str) -> list[dict[str, object]]:
        """`RTCConfiguration.iceServers` for one call that begins at `now_s` (Unix time)."""
        servers: list[dict[str, object]] = []
        if self.stun_urls:
            servers.append({"urls": list(self.stun_urls)})
        if self.turn_urls:
            name = f"{int(now_s) + self.turn_ttl_s}:{user}"
            password = hmac.new(self.turn_secret.encode(), name.encode(), hashlib.sha1).digest()
            servers.append(
                {
                    "urls": list(self.turn_urls),
                    "username": name,
                    "credential": base64.b64encode(password).decode("ascii"),
                }
            )
        return servers


def ice_servers(settings: Settings) -> IceServers:
    """Read the settings. Raises SettingsError where an address or the secret is wrong or missing."""
    stun = _addresses("KAME_ICE_SERVERS", settings.ice_servers, _STUN)
    turn = _addresses("KAME_TURN_SERVERS", settings.turn_servers, _TURN)
    secret = settings.turn_secret.get_secret_value()
    if turn and not secret:
        raise SettingsError(
            "is not set, so nobody could use the TURN servers",
            where="KAME_TURN_SECRET",
            do="set it to coturn's static-auth-secret",
        )
    return IceServers(stun, turn, secret, settings.turn_ttl_s)


def _addresses(where: str, text: str, schemes: tuple[str, ...]) -> tuple[str, ...]:
    addresses = tuple(part for part in text.replace(",", " ").split() if part)
    for address in addresses:
        if not address.startswith(schemes) or address.endswith(":"):
            raise SettingsError(
                f"{address!r} does not begin with {' or '.join(schemes)}",
                where=where,
                do=f"write {schemes[0]}host:3478, with commas between several",
            )
    return addresses
