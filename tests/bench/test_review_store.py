"""The store that the review's benchmarks fill: filled once, and never where calls of its own are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kame_voice.bench.review_data import fill
from kame_voice.bench.review_store import ForeignCalls, MeasuredStore, measured_store
from kame_voice.flows.schema import Flow
from kame_voice.store.archive import Archive
from tests.store.conftest import Shelf, a_call, postgresql, postgresql_url, shelf, url

__all__ = ["postgresql", "postgresql_url", "shelf", "url"]

FLOWS = Path(__file__).parents[2] / "flows"
CALLS = 12


def fill_some(archive: Archive, flows: Sequence[Flow]) -> None:
    fill(archive.database, flows, CALLS)


def filled(folder: Path, database_url: str | None = None) -> MeasuredStore:
    with measured_store(
        FLOWS, fill_some, prefix="b", calls=CALLS, folder=folder, database_url=database_url
    ) as store:
        return store


def test_a_store_is_filled_once(tmp_path: Path) -> None:
    assert filled(tmp_path).filled_s is not None
    assert filled(tmp_path).filled_s is None


def test_so_is_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    assert filled(tmp_path, postgresql_url).filled_s is not None
    again = filled(tmp_path, postgresql_url)
    assert (again.filled_s, again.name) == (None, "PostgreSQL")


def test_no_invented_call_comes_among_real_ones(shelf: Shelf, tmp_path: Path) -> None:
    shelf.writer.put(a_call())
    shelf.write()
    with pytest.raises(ForeignCalls, match="holds 1 calls already"):
        filled(tmp_path)
