"""What calls come to: by line and local day, for the eyes they are meant for, and read once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from kame_voice.store.rows import CallStatus
from kame_voice.store.statistics import StatisticsReader
from kame_voice.store.tables import Call
from tests.store.conftest import Shelf, a_call

DAY = date(2026, 11, 5)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ZONES = {"front-desk": "America/New_York", "shop": "Asia/Tokyo"}


def reader(shelf: Shelf) -> StatisticsReader:
    return StatisticsReader(shelf.database, lambda line: ZoneInfo(ZONES[line]), lambda: NOW)


def keep(shelf: Shelf, call_id: str, at: str, lasted_s: int = 60, **changes: object) -> None:
    """A finished call that began at `at` (UTC, on the fifth)."""
    began = datetime.fromisoformat(f"2026-11-05T{at}+00:00")
    fields: dict[str, object] = {
        "started_at": began,
        "answered_at": began,
        "ended_at": began + timedelta(seconds=lasted_s),
        "duration_ms": lasted_s * 1000,
        "status": CallStatus.COMPLETED,
    }
    shelf.writer.put(a_call(call_id, **(fields | changes)))


def settle(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.write()


def test_calls_answered_minutes_and_gaps_are_counted(shelf: Shelf) -> None:
    keep(shelf, "c1", "15:00", 60, response_gap_ms=(400, 600))
    keep(shelf, "c2", "16:00", 30, response_gap_ms=(500,))
    keep(shelf, "c3", "17:00", 0, answered_at=None, status=CallStatus.REFUSED)
    settle(shelf)
    total = reader(shelf).between(DAY, DAY).total
    assert (total.calls, total.answered, total.missed, total.talk_s) == (3, 2, 1, 90)
    assert (total.gap_ms(50), total.gap_ms(100)) == (500, 600)


def test_without_a_call_everything_is_nought_and_no_gap_is_claimed(shelf: Shelf) -> None:
    found = reader(shelf).between(DAY, DAY)
    assert (found.total.calls, found.peak, found.by_line, found.total.gap_ms(50)) == (0, 0, {}, None)
    assert found.by_day[DAY].calls == 0


def test_a_day_is_the_line_s_own(shelf: Shelf) -> None:
    keep(shelf, "evening", "02:30")  # half past nine of the fourth in New York
    keep(shelf, "tokyo", "15:30", line="shop")  # half past midnight of the sixth there
    settle(shelf)
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    found = reader(shelf).between(before, after)
    assert {day: count.calls for day, count in found.by_day.items()} == {before: 1, DAY: 0, after: 1}
    assert reader(shelf).between(DAY, DAY).total.calls == 0
    assert reader(shelf).between(before, before).by_hour[21].calls == 1


def test_a_viewer_s_customers_and_a_line_narrow_it(shelf: Shelf) -> None:
    keep(shelf, "c1", "15:00")
    keep(shelf, "c2", "15:00", line="shop", customer="bikes")
    settle(shelf)
    whole = reader(shelf).between(DAY, DAY + timedelta(days=1))
    assert list(whole.by_line) == ["front-desk", "shop"]
    mine = reader(shelf).between(DAY, DAY + timedelta(days=1), customers={"bikes"})
    assert (list(mine.by_line), mine.total.calls) == (["shop"], 1)
    assert reader(shelf).between(DAY, DAY, customers=set()).total.calls == 0
    assert list(reader(shelf).between(DAY, DAY, line="front-desk").by_line) == ["front-desk"]


def test_the_peak_is_of_calls_that_overlap(shelf: Shelf) -> None:
    keep(shelf, "c1", "15:00:00", 60)
    keep(shelf, "c2", "15:00:30", 30)
    keep(shelf, "c3", "15:01:00", 60)
    settle(shelf)
    assert reader(shelf).between(DAY, DAY).peak == 2


def test_the_outcomes_of_oracles_are_added_up(shelf: Shelf) -> None:
    keep(shelf, "c1", "15:00")
    settle(shelf)
    with Session(shelf.database.engine) as session:
        session.execute(update(Call).values(oracle_outcomes={"adopted": 2, "superseded": 3}))
        session.commit()
    outcomes = reader(shelf).between(DAY, DAY).total.outcomes
    assert outcomes == {"adopted": 2, "superseded": 3, "cancelled": 0, "failed": 0}


def test_a_day_that_is_over_is_read_once_until_a_call_of_it_is_deleted(shelf: Shelf) -> None:
    keep(shelf, "c1", "15:00")
    keep(shelf, "c2", "15:30")
    settle(shelf)
    statistics, queries = reader(shelf), list[str]()
    event.listen(shelf.database.engine, "before_cursor_execute", lambda _c, _r, sql, *_: queries.append(sql))
    assert statistics.between(DAY, DAY).total.calls == 2
    queries.clear()
    assert statistics.between(DAY, DAY).total.calls == 2
    assert not [sql for sql in queries if "response_gap_ms" in sql]
    with Session(shelf.database.engine) as session:
        session.delete(session.get(Call, "c1"))
        session.commit()
    assert statistics.between(DAY, DAY).total.calls == 1


@pytest.mark.parametrize("status", [CallStatus.IN_PROGRESS, CallStatus.RINGING])
def test_a_day_with_a_call_under_way_is_read_anew(shelf: Shelf, status: CallStatus) -> None:
    keep(shelf, "c1", "15:00", 0, status=status, duration_ms=None)
    settle(shelf)
    statistics = reader(shelf)
    assert statistics.between(DAY, DAY).total.talk_s == 0
    keep(shelf, "c1", "15:00", 30)
    settle(shelf)
    assert statistics.between(DAY, DAY).total.talk_s == 30
