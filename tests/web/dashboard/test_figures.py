"""The dashboard's charts: valid SVG that says in words what it shows, whatever the numbers."""

from __future__ import annotations

from datetime import date, timedelta
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from kame_voice.store.statistics import Count, Statistics
from kame_voice.web.dashboard import figures
from kame_voice.web.dashboard.charts import Column, columns
from kame_voice.web.dashboard.period import period_of
from kame_voice.web.dashboard.scale import duration, gridlines, percent

TODAY = date(2026, 11, 25)
SVG = "{http://www.w3.org/2000/svg}"


def read(chart: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(chart)


def words(chart: Markup, tag: str) -> str:
    return read(chart).findtext(tag) or ""


def statistics(*counts: Count) -> Statistics:
    days = tuple(TODAY + timedelta(days=number) for number in range(len(counts)))
    total = Count(calls=sum(one.calls for one in counts), answered=sum(one.answered for one in counts))
    return Statistics(days, total, {}, dict(zip(days, counts, strict=True)), {}, 0)


def test_a_chart_of_calls_says_how_many_and_when_most() -> None:
    chart = figures.calls_chart(statistics(Count(3, 2), Count(5, 5)))
    assert words(chart, "title") == "Calls by day"
    assert words(chart, "desc") == "8 calls, 1 of them missed. Most on one day: 5, Thursday, 26 November."
    assert len(read(chart).findall(".//rect")) == 3, "what is nought is not drawn"


def test_charts_of_nothing_are_charts_all_the_same() -> None:
    empty = Count()
    for chart in (
        figures.calls_chart(statistics(empty)),
        figures.gap_chart(empty),
        figures.outcome_chart(empty),
        figures.calls_chart(Statistics((), empty, {}, {}, {}, 0)),
    ):
        assert words(chart, "desc")
        assert not read(chart).findall(".//rect")


def test_every_gap_is_in_some_column_of_its_chart_however_long() -> None:
    gaps = np.sort(np.array([-900.0, -20, 310, 480, 2100, 60_000]))
    chart = read(figures.gap_chart(Count(gaps_ms=gaps)))
    told = [title.text or "" for title in chart.findall(".//g/title")]
    assert sum(int(text.rpartition(" ")[2]) for text in told) == len(gaps)


def test_a_column_is_as_tall_as_its_value() -> None:
    chart = read(columns("T", "d", [Column("a", "a", (10,)), Column("b", "b", (20,))], ("accent",)))
    first, second = (float(rect.attrib["height"]) for rect in chart.findall(".//rect"))
    assert second == pytest.approx(2 * first, rel=0.01)


def test_names_are_text_and_never_markup() -> None:
    chart = columns("<b>", "<script>", [Column("<i>", '"><script>', (1,))], ("accent",))
    assert "<script>" not in chart
    assert words(chart, "title") == "<b>"


@pytest.mark.parametrize("highest", [0, 0.5, 1, 3, 7, 12, 99, 100, 101, 12345, 1e9])
def test_gridlines_are_whole_round_and_reach_the_top(highest: float) -> None:
    lines = gridlines(highest)
    assert lines[0] == 0
    assert lines[-1] >= highest
    assert 2 <= len(lines) <= 7
    assert all(line == int(line) for line in lines)


def test_shares_are_rounded_honestly() -> None:
    assert [percent(*pair) for pair in ((0, 0), (0, 9), (1, 1000), (999, 1000), (5, 5), (1, 3))] == [
        "–", "0 %", "<1 %", ">99 %", "100 %", "33 %",
    ]  # fmt: skip


def test_lengths_are_said_as_people_say_them() -> None:
    assert [duration(s) for s in (0, 48, 720, 12_240)] == ["0 s", "48 s", "12 min", "3.4 h"]


def test_the_usual_period_is_a_week_and_a_mistaken_one_is_put_right() -> None:
    assert (period_of(None, None, TODAY).days, period_of(None, None, TODAY).last) == (7, TODAY)
    swapped = period_of(TODAY, date(2026, 11, 20), TODAY)
    assert (swapped.first, swapped.last) == (date(2026, 11, 20), TODAY)
    assert period_of(date(2026, 11, 20), None, TODAY).last == TODAY
    assert period_of(date(1990, 1, 1), TODAY, TODAY).days == 366
    assert str(period_of(TODAY, TODAY, TODAY)) == "25 November 2026"
