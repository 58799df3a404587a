"""How often a password may be tried: by account, and by the network that tries."""

from __future__ import annotations

import math
import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from kame_voice.core.addresses import home_of
from kame_voice.core.errors import KameError

__all__ = ["Throttle", "TooManyTries"]

_WINDOW_MIN: Final = 15
_BY_ACCOUNT: Final = RateLimitItemPerMinute(10, _WINDOW_MIN, "account")
_BY_NETWORK: Final = RateLimitItemPerMinute(30, _WINDOW_MIN, "network")


class TooManyTries(KameError):
    """Passwords were tried too often. `wait_s` are the seconds until the next try is heard."""

    code = "too-many-tries"

    def __init__(self, wait_s: int) -> None:
        minutes = math.ceil(wait_s / 60)
        super().__init__(
            "too many tries", do=f"wait {minutes} minute{'s' if minutes != 1 else ''}, then try again"
        )
        self.wait_s = wait_s


class Throttle:
    """Counts tries in memory, before the password is looked at. Names nobody has are counted alike."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, account: str, address: str) -> None:
        """Count one try. Raises TooManyTries."""
        for limit, key in ((_BY_NETWORK, home_of(address)), (_BY_ACCOUNT, account.lower()[:64])):
            if not self._limiter.hit(limit, key):
                raise TooManyTries(self._wait_s(limit, key))

    def succeeded(self, account: str) -> None:
        """The account's owner is there: forget the tries against it."""
        self._limiter.clear(_BY_ACCOUNT, account.lower()[:64])

    def _wait_s(self, limit: RateLimitItem, key: str) -> int:
        return max(1, math.ceil(self._limiter.get_window_stats(limit, key).reset_time - time.time()))
