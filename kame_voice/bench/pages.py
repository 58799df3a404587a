"""How long pages take: requests one after the other, each from its sending to the last byte."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from kame_voice.bench.report import Goal
from kame_voice.bench.server import MeasuredServer

__all__ = ["P95_MS", "Measured", "measure", "rows_of", "worst_page"]

P95_MS: Final = 150.0
"""What a page may take."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds from request to the last byte of the page, in order."""

    name: str
    times: Sequence[float]

    def at(self, share: float) -> float:
        """The time that so large a share of requests took at most."""
        return self.times[min(len(self.times) - 1, int(len(self.times) * share))]


def measure(
    served: MeasuredServer, name: str, addresses: Sequence[str], *, is_cold: bool = False
) -> Measured:
    """Ask for each address once. `is_cold`: the first as well, with whatever the server reads once."""
    headers = {"Authorization": f"Bearer {served.api_token}", "Accept": "text/html"}
    times = []
    with httpx.Client(base_url=served.server.url, headers=headers, trust_env=False, timeout=60) as http:
        # The connection, and unless it is cold what is read into memory once.
        http.get("/health/live" if is_cold else addresses[0]).raise_for_status()
        for address in addresses:
            begun = time.perf_counter()
            http.get(address).raise_for_status()
            times.append((time.perf_counter() - begun) * 1000)
    return Measured(name, sorted(times))


def rows_of(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """For the report's table."""
    return [
        {
            "page": one.name,
            "p50 ms": round(one.at(0.5), 1),
            "p95 ms": round(one.at(0.95), 1),
            "max ms": round(one.times[-1], 1),
        }
        for one in measured
    ]


def worst_page(measured: Sequence[Measured]) -> Goal:
    """The goal that every page is to reach."""
    worst = max(measured, key=lambda one: one.at(0.95))
    reached = worst.at(0.95) <= P95_MS
    return Goal("a page's p95", f"≤ {P95_MS:g} ms", f"{worst.at(0.95):.0f} ms ({worst.name})", reached)
