"""Where to go after signing in: a place of ours, whatever the address says."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

__all__ = ["safe_destination"]

_START: Final = "/"


def safe_destination(wanted: str | None) -> str:
    """`wanted` where it is a path of this site, else the start page.

    Browsers read `//host`, `/\\host` and the like, with tabs or line breaks between, as other sites.
    """
    if not wanted or len(wanted) > 2000 or not wanted.startswith("/"):
        return _START
    if any(character == "\\" or not character.isprintable() for character in wanted):
        return _START
    if wanted.startswith("//") or urlsplit(wanted).netloc:
        return _START
    return wanted
