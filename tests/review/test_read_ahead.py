"""The dashboard's days are read before anybody asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text

from kame_voice.review.read_ahead import ReadAhead
from kame_voice.store.rows import CallStatus
from kame_voice.store.statistics import StatisticsReader
from tests.store.conftest import Shelf, a_call, shelf_on

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with shelf_on(f"sqlite:///{tmp_path / 'kame.db'}", tmp_path) as shelf:
        for day in range(10, 20):
            began = datetime(2026, 11, day, 12, tzinfo=UTC)
            times = {"started_at": began, "answered_at": began}
            shelf.writer.put(a_call(f"c{day}", **times, status=CallStatus.COMPLETED, duration_ms=9))
        shelf.write()
        shelf.write()
        yield shelf


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def statistics_of(shelf: Shelf) -> StatisticsReader:
    return StatisticsReader(shelf.database, lambda _: ZoneInfo("UTC"), lambda: NOW)


async def test_a_view_after_it_reads_no_call_of_a_day_that_is_over(shelf: Shelf, threads: Executor) -> None:
    statistics, queries = statistics_of(shelf), list[str]()
    await ReadAhead(statistics, threads, lambda: NOW, days=20, breath_s=0).run()
    event.listen(shelf.database.engine, "before_cursor_execute", lambda _c, _r, sql, *_: queries.append(sql))
    yesterday = NOW.date() - timedelta(days=1)
    assert statistics.between(date(2026, 11, 5), yesterday - timedelta(days=1)).total.calls == 9
    assert queries
    assert not [sql for sql in queries if "response_gap_ms" in sql]


async def test_a_damaged_record_ends_the_reading_and_nothing_else(shelf: Shelf, threads: Executor) -> None:
    with shelf.database.engine.begin() as connection:
        connection.execute(text("UPDATE calls SET response_gap_ms = '{' WHERE id = 'c19'"))
    await ReadAhead(statistics_of(shelf), threads, lambda: NOW, days=20, breath_s=0).run()
