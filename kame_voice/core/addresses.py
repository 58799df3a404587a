"""Network addresses, as far as they tell one household from another."""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["home_of"]

_IPV6_HOME: Final = 64
"""Bits of an IPv6 address that name one customer of a provider; the rest changes at will."""


def home_of(address: str) -> str:
    """One caller's network: an IPv4 address, the /64 of an IPv6 address, else the text as it is."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, _IPV6_HOME), strict=False))
    return str(ip)
