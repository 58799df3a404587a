"""One call told in the order in which it happened: who spoke, what was asked, what became of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kame_voice.store.calls import CallDetail, CallOracle, CallTurn

__all__ = ["clock", "oracle_line", "timeline"]


def clock(ms: int, *, thousandths: bool = True) -> str:
    """90500 → "01:30.500", or "01:30"."""
    minutes, rest = divmod(max(ms, 0), 60_000)
    return f"{minutes:02}:{rest / 1000:06.3f}" if thousandths else f"{minutes:02}:{rest // 1000:02}"


def timeline(call: CallDetail) -> list[str]:
    """A line a happening; oracles are named by the end of their ids."""
    happened = [
        *(entry for turn in call.turns for entry in _turn(turn, call.oracles)),
        *(entry for oracle in call.oracles for entry in _oracle(oracle)),
        *((event.at_ms, f"{'event':<7} {event.kind}{_data(event.data)}") for event in call.events),
    ]
    return [f"{clock(at_ms)}  {text}" for at_ms, text in sorted(happened, key=lambda entry: entry[0])]


def oracle_line(oracle: CallOracle) -> str:
    """What an oracle drew on and cost, in one line; empty where nothing is known."""
    parts = [f"facts {', '.join(oracle.facts)}"] if oracle.facts else []
    if oracle.grounded is False:
        parts.append("UNGROUNDED")
    if oracle.input_tokens is not None:
        cached = (oracle.cache_read_tokens or 0) + (oracle.cache_write_tokens or 0)
        parts.append(f"tokens {oracle.input_tokens + cached} in, {oracle.output_tokens or 0} out")
    if oracle.cost_usd is not None:
        parts.append(f"${oracle.cost_usd:.5f}")
    if oracle.error:
        parts.append(f"error {oracle.error}")
    return ", ".join(parts)


def _turn(turn: CallTurn, oracles: list[CallOracle]) -> Iterator[tuple[int, str]]:
    words = turn.text or "(not transcribed)"
    yield turn.start_ms, f"{turn.speaker:<7} {words}{_sources(turn, oracles)}"
    yield turn.end_ms, f"{turn.speaker:<7} falls silent"


def _sources(turn: CallTurn, oracles: list[CallOracle]) -> str:
    """ "  [o3 12 of 14 words; no oracle 2 words]" of an agent's turn."""
    if turn.speaker != "agent":
        return ""
    if turn.verbatim:
        return "  [verbatim]"
    whole = {one.id: len(one.text.split()) for one in oracles}
    told = []
    for portion in turn.portions:
        heard = "" if portion.heard_words == portion.words else f", {portion.heard_words} heard"
        if portion.oracle_id is None:
            told.append(f"no oracle: {portion.words} words{heard}")
        else:
            of = whole.get(portion.oracle_id, portion.words)
            told.append(f"{_short(portion.oracle_id)}: {portion.words} of {of} words{heard}")
    return f"  [{'; '.join(told)}]" if told else ""


def _oracle(oracle: CallOracle) -> Iterator[tuple[int, str]]:
    name = f"{_short(oracle.id):<7}"
    by = f"{oracle.source} {oracle.model}" if oracle.model else oracle.source
    yield oracle.asked_ms, f"{name} asked of {by} on “{oracle.basis}”"
    for at_ms, what in (
        (oracle.first_token_ms, "first token"),
        (oracle.adopted_ms, "adopted"),
        (oracle.confirmed_ms, "confirmed by the finished turn"),
        (oracle.spoken_ms, "is being spoken"),
    ):
        if at_ms is not None:
            yield at_ms, f"{name} {what}"
    if oracle.delivered_ms is not None:
        about = oracle_line(oracle)
        yield oracle.delivered_ms, f"{name} complete: {oracle.text}" + (f"  [{about}]" if about else "")


def _short(oracle_id: str) -> str:
    return oracle_id.rsplit("-", 1)[-1]


def _data(data: dict[str, object]) -> str:
    return f"  {json.dumps(data, ensure_ascii=False)}" if data else ""
