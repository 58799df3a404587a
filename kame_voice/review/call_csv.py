"""A list of calls as CSV that a spreadsheet opens without running anything of it. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from kame_voice.store.calls import CallSummary

__all__ = ["COLUMNS", "csv_lines"]

COLUMNS: Final = (
    "id", "line", "customer", "from_number", "to_number", "status", "end_reason", "started_at",
    "answered_at", "ended_at", "duration_ms", "worst_gap_ms", "ungrounded", "unanswered", "barge_ins",
    "failures", "turn_count", "opening", "disposition", "tags", "front_end", "oracle_mode", "flow_version",
    "summary_error",
)  # fmt: skip
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins like this is a formula to a spreadsheet (OWASP, CSV injection)."""


def csv_lines(calls: Iterable[CallSummary]) -> Iterator[str]:
    """The header, then a line a call; times are ISO 8601 in UTC.

    A text that begins like a formula gets an apostrophe in front, phone numbers with their plus sign
    among them.
    """
    yield _line(COLUMNS)
    for call in calls:
        fields = call.model_dump(mode="json", by_alias=False)
        fields["tags"] = " ".join(fields["tags"])
        yield _line(_harmless(fields[name]) for name in COLUMNS)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_DANGEROUS) else value


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
