"""The comparison of systems as a report: rows, goals and the parts that it was measured in. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any, Final

from kame_voice.bench.report import Goal, Report
from kame_voice.caller.wire_stats import percentile

__all__ = ["systems_report"]

_PROMPT_MS: Final = 450
_LATE_MORE: Final = 0.005
"""A share of late frames that is this much higher is not the same."""


def systems_report(parts: Mapping[str, Any], command: str) -> Report:
    """`parts`: `systems` by name, each `answers` and `llm`, or `skipped`; and `lateness`."""
    measured = {name: one for name, one in parts["systems"].items() if "answers" in one}
    report = Report("Systems compared", command)
    report.rows = [_row(name, one) for name, one in measured.items()]
    report.goals = _goals(measured, parts.get("lateness"))
    for name, one in parts["systems"].items():
        if "skipped" in one:
            report.notes.append(f"{name}: not measured, {one['skipped']}.")
    if lateness := parts.get("lateness"):
        shares = ", ".join(
            f"{state} {100 * one['share']:.2f} % of {one['sent']:.0f}" for state, one in lateness.items()
        )
        report.notes.append(f"Late outbound frames, by the server's count, back end {shares}.")
    for name, one in measured.items():
        report.notes += [
            f"{name}, wrong: {row['question']!r} → {row['heard'] or row['detail'] or 'nothing'!r}"
            for row in one["answers"]
            if not row["right"]
        ]
    report.data = {"parts": dict(parts)}
    return report


def _row(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    answers = one["answers"]
    gaps = [row["gap_ms"] for row in answers if row["gap_ms"] is not None]
    known = [row for row in answers if row["ready"] is not None]
    llm = one.get("llm") or {}
    tokens = llm.get("input_tokens", 0), llm.get("output_tokens", 0)
    return {
        "system": name,
        "questions": len(answers),
        "gap median ms": percentile(gaps, 50),
        "gap mean ms": round(statistics.mean(gaps)) if gaps else None,
        "gap p90 ms": percentile(gaps, 90),
        f"within {_PROMPT_MS} ms": sum(gap <= _PROMPT_MS for gap in gaps),
        "asked median ms": _median(answers, "asked_ms"),
        "first token median ms": _median(answers, "token_ms"),
        "informed median ms": _median(answers, "informed_ms"),
        "right": sum(row["right"] for row in answers),
        "talk-over": sum(row["talked_over"] for row in answers),
        "asked while they spoke %": _share([row["early"] for row in known]),
        "asked before the end was known %": _share([row["ready"] for row in known]),
        "requests median": statistics.median(row["requests"] for row in answers) if llm else None,
        "tokens in / out an answer": f"{tokens[0] / len(answers):.0f} / {tokens[1] / len(answers):.0f}"
        if llm
        else None,
    }


def _median(answers: list[dict[str, Any]], moment: str) -> float | None:
    return percentile([row[moment] for row in answers if row[moment] is not None], 50)


def _share(values: list[bool]) -> float | None:
    return round(100 * sum(values) / len(values)) if values else None


def _goals(measured: Mapping[str, Any], lateness: Mapping[str, Any] | None) -> list[Goal]:
    goals = []
    for kind in ("knowledge", "LLM"):
        tandem, cascade = measured.get(f"tandem, {kind}"), measured.get(f"cascade, {kind}")
        if tandem is None:
            continue
        row = _row("", tandem)
        gap = row["gap median ms"]
        goals.append(_at_most(f"tandem, {kind}: median gap", gap, _PROMPT_MS, " ms"))
        over = 100 * row["talk-over"] / row["questions"]
        goals.append(_at_most(f"tandem, {kind}: talk-over", over, 3, " %"))
        if kind == "LLM":
            goals.append(_at_least(f"tandem, {kind}: ready at the end of the turn", _ready(row), 80, " %"))
            goals.append(_at_most(f"tandem, {kind}: requests an answer", row["requests median"], 3, ""))
        if cascade is None:
            continue
        other = _row("", cascade)
        if kind == "LLM" and gap is not None and other["gap median ms"]:
            ratio = gap / other["gap median ms"]
            goals.append(_at_most(f"tandem, {kind}: median gap over the cascade's", ratio, 0.4, ""))
        fewer = other["right"] - row["right"]
        goals.append(
            Goal(
                f"tandem, {kind}: right answers",
                "the cascade's, less 1",
                f"{row['right']} and {other['right']} of {row['questions']}",
                fewer <= 1,
            )
        )
    if lateness:
        base = lateness["off"]["share"]
        for state in ("on", "failing"):
            more = lateness[state]["share"] - base
            goals.append(
                _at_most(f"late frames, back end {state} over off", 100 * more, 100 * _LATE_MORE, " points")
            )
    return goals


def _ready(row: Mapping[str, Any]) -> float | None:
    share: float | None = row["asked before the end was known %"]
    return share


def _at_most(name: str, got: float | None, limit: float, unit: str) -> Goal:
    return Goal(name, f"≤ {limit:g}{unit}", _shown(got, unit), got is not None and got <= limit)


def _at_least(name: str, got: float | None, limit: float, unit: str) -> Goal:
    return Goal(name, f"≥ {limit:g}{unit}", _shown(got, unit), got is not None and got >= limit)


def _shown(got: float | None, unit: str) -> str:
    return "–" if got is None else f"{got:.3g}{unit}"
