"""One row a question: when a system answered, whether rightly, and what it asked for it. Pure."""

from __future__ import annotations

from typing import Any, Final

from kame_voice.bench.judge import judge
from kame_voice.bench.questions import QuestionSet
from kame_voice.caller.result import CallResult, Exchange
from kame_voice.caller.twilio_side import RATE
from kame_voice.caller.voiced import Span, spans

__all__ = ["answers_of"]

_ROUNDING_MS: Final = 60
"""An ear that hears the last sound a little earlier than it is: within it, nobody is talked over."""


def answers_of(asked: QuestionSet, result: CallResult, record: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each question of `asked`, from what the caller's side heard and the server's record.

    `gap_ms`: signed, from the caller's last voiced sample to our first; `informed_ms`: from there to
    the first word of an oracle, by the server's record, and `asked_ms` and `token_ms` when that oracle was
    asked for and had its first token. `talked_over`: our voice began while the
    caller was not through. `early`: the answer was asked for before the caller's last word had
    ended; `ready`: before the end of the turn was known, or confirmed by it. `requests`: to a
    language model, for this question.
    """
    agent = spans(result.heard)
    rows = []
    for place, question in enumerate(asked.questions):
        exchange = result.exchanges[place] if place < len(result.exchanges) else None
        row: dict[str, Any] = {"line": asked.flow.line, "question": question.ask}
        if exchange is None:
            rows.append(row | _nothing(result.detail))
            continue
        following = result.exchanges[place + 1 :]
        until_ms = following[0].start_ms if following else float("inf")
        heard = exchange.answer_text or ""
        verdict = judge(heard, asked.answers, question.facts, question.words)
        rows.append(
            row
            | {
                "gap_ms": None if exchange.gap_ms is None else round(exchange.gap_ms),
                "right": verdict.right,
                "best": verdict.best,
                "heard": heard,
                "talked_over": _talked_over(exchange, agent),
                "detail": result.detail,
            }
            | _thinking(exchange, until_ms, record)
        )
    return rows


def _nothing(detail: str) -> dict[str, Any]:
    return {
        "gap_ms": None,
        "right": False,
        "best": "",
        "heard": "",
        "talked_over": False,
        "detail": detail,
        "informed_ms": None,
        "asked_ms": None,
        "token_ms": None,
        "early": None,
        "ready": None,
        "requests": 0,
        "basis": "",
    }


def _talked_over(exchange: Exchange, agent: list[Span]) -> bool:
    return any(
        exchange.start_ms < span.start * 1000 / RATE < exchange.last_voiced_ms - _ROUNDING_MS
        for span in agent
    )


def _thinking(exchange: Exchange, until_ms: float, record: dict[str, Any]) -> dict[str, Any]:
    """What the record says of the oracles of one exchange. Its clock is the caller's media clock."""
    oracles = [one for one in record["oracles"] if exchange.start_ms <= one["asked_ms"] < until_ms]
    spoken = sorted(
        (one for one in oracles if one["spoken_ms"] is not None), key=lambda one: int(one["spoken_ms"])
    )
    first = spoken[0] if spoken else None
    turn_end = max(
        (
            turn["end_ms"]
            for turn in record["turns"]
            if turn["speaker"] == "caller" and exchange.start_ms <= turn["start_ms"] < until_ms
        ),
        default=exchange.last_voiced_ms,
    )
    return {
        "informed_ms": _after(exchange, first, "spoken_ms"),
        "asked_ms": _after(exchange, first, "asked_ms"),
        "token_ms": _after(exchange, first, "first_token_ms"),
        "early": None if first is None else first["asked_ms"] <= exchange.last_voiced_ms,
        "ready": None
        if first is None
        else first["confirmed_ms"] is not None or first["asked_ms"] <= turn_end,
        "requests": sum(one["source"] == "llm" for one in oracles),
        "basis": "" if first is None else first["basis"],
    }


def _after(exchange: Exchange, oracle: dict[str, Any] | None, moment: str) -> int | None:
    """How long after the caller's last sound it was; None: it never was."""
    at_ms = None if oracle is None else oracle[moment]
    return None if at_ms is None else round(at_ms - exchange.last_voiced_ms)
