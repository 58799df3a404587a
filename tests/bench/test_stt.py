"""Speech to text under load, on one caller and a few seconds."""

from __future__ import annotations

from pathlib import Path

from kame_voice.bench.stt import run

FLOWS = Path(__file__).parents[2] / "flows"


def test_the_age_of_a_callers_words_is_told() -> None:
    report = run(FLOWS, callers=1, seconds=6)
    (row,) = report.rows
    assert row["callers"] == 1
    assert row["age of the words, median ms"] > 0
    assert report.data["ages_ms"][0]
