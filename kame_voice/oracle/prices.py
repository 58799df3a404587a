"""What a model's tokens cost. Prices change: the settings go over this table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from kame_voice.oracle.base import Usage

__all__ = ["Price", "price_of"]

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens. Reading from the provider's cache costs a tenth of `input`, writing to it
    a quarter more (Anthropic's terms for the five-minute cache)."""

    input: float
    output: float

    def put_on(self, usage: Usage) -> Usage:
        """`usage` with what it costs."""
        read, written = 0.1 * usage.cache_read_tokens, 1.25 * usage.cache_write_tokens
        cost = self.input * (usage.input_tokens + read + written) + self.output * usage.output_tokens
        return replace(usage, cost_usd=cost / _MILLION)


_PRICES: Final = (
    ("claude-haiku-4-5", Price(1, 5)),
    ("claude-3-5-haiku", Price(0.8, 4)),
    ("claude-sonnet-4", Price(3, 15)),
    ("claude-opus-4-5", Price(5, 25)),
    ("claude-opus-4", Price(15, 75)),
)
"""Anthropic's list prices of 2025, by how a model's name begins."""


def price_of(model: str, given_input: float = 0, given_output: float = 0) -> Price | None:
    """The price of `model`; `given_…` from the settings, both above 0, go first. None: not known."""
    if given_input > 0 and given_output > 0:
        return Price(given_input, given_output)
    return next((price for name, price in _PRICES if model.startswith(name)), None)
