"""The pass of a call button: says for a while that a visitor of this site may call this line.

The page in the button's frame is ours, so its requests tell nothing of the site around it. The site is
known when the frame is loaded; the pass carries it to the call. It is no secret of the site's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from time import time
from typing import Final

__all__ = ["PASS_FOR_S", "WidgetPasses"]

PASS_FOR_S: Final = 4 * 3600
"""How long a visitor may leave the page open before the first call."""


class WidgetPasses:
    """Issues passes and reads them back. The key lives as long as the process."""

    def __init__(self, now: Callable[[], float] = time, key: bytes | None = None) -> None:
        self._now = now
        self._key = key or secrets.token_bytes(32)

    def issue(self, line: str, origin: str) -> str:
        """A pass for `line`, given to a visitor of `origin`."""
        text = f"{round(self._now()) + PASS_FOR_S} {line} {origin}".encode()
        return base64.urlsafe_b64encode(self._seal(text) + text).decode()

    def origin(self, line: str, given: str) -> str | None:
        """The site that `given` was issued on; None where it is forged, of another line, or too old."""
        try:
            whole = base64.urlsafe_b64decode(given.encode("ascii"))
        except (ValueError, binascii.Error):
            return None
        seal, text = whole[:32], whole[32:]
        if not hmac.compare_digest(seal, self._seal(text)):
            return None
        expires, of_line, origin = text.decode().split(" ")
        return origin if of_line == line and self._now() < int(expires) else None

    def _seal(self, text: bytes) -> bytes:
        return hmac.new(self._key, text, hashlib.sha256).digest()
