"""Searching what was said, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kame_voice.store.calls import CallFilter, ListedCall
from kame_voice.store.errors import BadCursor, BadSearch
from kame_voice.store.rows import CallStatus, TurnRow
from kame_voice.store.search import parse_query
from tests.store.conftest import Shelf, a_call, shelf_on

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


def a_said_call(shelf: Shelf, call_id: str, *said: str, **changes: object) -> None:
    """A finished call in which the caller says all this, a turn each."""
    fields: dict[str, object] = {"status": CallStatus.COMPLETED, "duration_ms": 60_000, **changes}
    shelf.writer.put(a_call(call_id, **fields))
    for index, text in enumerate(said):
        at_ms = index * 1000
        shelf.writer.put(
            TurnRow(
                call_id=call_id, index=index, speaker="caller", text=text, start_ms=at_ms, end_ms=at_ms + 500
            )
        )
    shelf.write()


def found(shelf: Shelf, words: str) -> list[str]:
    return [call.id for call in shelf.calls.list(CallFilter(words=words)).calls]


def marked(call: ListedCall) -> list[str]:
    """The text of each hit with brackets round what was found."""
    lines = []
    for hit in call.hits:
        line = hit.text
        for start, end in reversed(hit.marks):
            line = f"{line[:start]}[{line[start:end]}]{line[end:]}"
        lines.append(line)
    return lines


def test_words_are_found_as_people_type_them(either_shelf: Shelf) -> None:
    a_said_call(either_shelf, "c1", "I want a refund", "the name is O'Brien, order 4711", "opening hours?")
    a_said_call(either_shelf, "c2", "Are you open on Sunday?", started_at=NOON + timedelta(hours=1))
    expected = {
        "refund": ["c1"],
        "REFUNDS": ["c1"],  # case and ending do not count
        "open": ["c2", "c1"],
        "are you open": ["c2"],  # every word of it, the small ones too
        '"on sunday"': ["c2"],
        '"sunday on"': [],
        "open -sunday": ["c1"],
        "refu*": ["c1"],
        "refu": [],
        "o'brien": ["c1"],
        "4711": ["c1"],
        "nothing like it": [],
    }
    assert {words: found(either_shelf, words) for words in expected} == expected


def test_calls_of_the_same_microsecond_that_are_concluded_together_are_both_found(
    either_shelf: Shelf,
) -> None:
    for call_id in ("c1", "c2"):
        either_shelf.writer.put(
            a_call(call_id, status=CallStatus.COMPLETED, duration_ms=60_000, started_at=NOON)
        )
        either_shelf.writer.put(
            TurnRow(call_id=call_id, index=0, speaker="caller", text="a refund", start_ms=0, end_ms=500)
        )
    either_shelf.write()
    assert sorted(found(either_shelf, "refund")) == ["c1", "c2"]


def test_no_typing_is_a_command(either_shelf: Shelf) -> None:
    a_said_call(either_shelf, "c1", "hello there")
    for words in ("'; DROP TABLE calls; --", '"', "a AND", "NEAR(", "x:*", "(", "words:x", "a & ! b", "\\"):
        either_shelf.calls.list(CallFilter(words=words))
    assert found(either_shelf, "hello") == ["c1"]


def test_hits_say_where_and_what(either_shelf: Shelf) -> None:
    a_said_call(either_shelf, "c1", "hello", "are you <b>opening</b>\nor open?", "bye")
    (call,) = either_shelf.calls.list(CallFilter(words="open")).calls
    assert marked(call) == ["are you <b>[opening]</b> or [open]?"]
    assert (call.hits[0].speaker, call.hits[0].start_ms) == ("caller", 1000)


def test_a_search_is_paged_and_filtered(either_shelf: Shelf) -> None:
    for number in range(5):
        customer = "acme" if number % 2 else "harbor-dental"
        a_said_call(either_shelf, f"c{number}", "hello", customer=customer)
    seen, cursor = [], None
    while True:
        page = either_shelf.calls.list(CallFilter(words="hello"), limit=2, before=cursor)
        seen += [call.id for call in page.calls]
        if (cursor := page.next) is None:
            break
    # All began in the same microsecond: their order is any, but none is missed or shown twice.
    assert sorted(seen) == ["c0", "c1", "c2", "c3", "c4"]
    scoped = either_shelf.calls.list(CallFilter(words="hello", customers=frozenset({"acme"})))
    assert sorted(call.id for call in scoped.calls) == ["c1", "c3"]


def test_words_that_change_after_the_end_are_found_anew(either_shelf: Shelf) -> None:
    a_said_call(either_shelf, "c1", "before")
    either_shelf.writer.put(
        TurnRow(call_id="c1", index=0, speaker="caller", text="after", start_ms=0, end_ms=500)
    )
    either_shelf.write()
    assert (found(either_shelf, "before"), found(either_shelf, "after")) == ([], ["c1"])


def test_a_search_without_a_word_is_none_and_one_of_minuses_is_refused(shelf: Shelf) -> None:
    a_said_call(shelf, "c1", "hello")
    assert parse_query(' "" ?! ') is None
    assert found(shelf, "?!") == ["c1"]
    with pytest.raises(BadSearch, match="add one that must"):
        found(shelf, "-hello")
    with pytest.raises(BadCursor):
        shelf.calls.list(CallFilter(words="hello"), before="bm9uc2Vuc2U")


def test_a_search_within_days_finds_their_first_and_last_call(either_shelf: Shelf) -> None:
    for number, hour in enumerate((-1, 0, 12, 24)):
        at = datetime(2026, 11, 5, tzinfo=UTC) + timedelta(hours=hour)
        a_said_call(either_shelf, f"c{number}", "hello", started_at=at)
    day = datetime(2026, 11, 5, tzinfo=UTC)
    wanted = CallFilter(words="hello", since=day, until=day + timedelta(days=1))
    assert [call.id for call in either_shelf.calls.list(wanted).calls] == ["c2", "c1"]


def test_a_word_of_very_many_calls_is_found_in_the_newest_of_them(
    postgresql_url: str, tmp_path: Path
) -> None:
    with shelf_on(postgresql_url, tmp_path) as shelf:
        a_said_call(shelf, "c0", "hello")
        with shelf.database.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO calls SELECT (jsonb_populate_record(c, jsonb_build_object('id', 'x' || g, "
                    "'words_id', c.words_id + g, 'started_at', c.started_at + g * interval '1 us'))).* "
                    "FROM calls c, generate_series(1, 2100) g"
                )
            )
            connection.execute(
                sa.text(
                    "INSERT INTO call_words (id, call_id, places, words) SELECT w.id + g, 'x' || g, "
                    "w.places, w.words FROM call_words w, generate_series(1, 2100) g"
                )
            )
        a_said_call(shelf, "rare", "hello xylophone", started_at=NOON + timedelta(hours=1))
        first = shelf.calls.list(CallFilter(words="hello"), limit=3)
        assert [call.id for call in first.calls] == ["rare", "x2100", "x2099"]
        then = shelf.calls.list(CallFilter(words="hello"), limit=2, before=first.next)
        assert [call.id for call in then.calls] == ["x2098", "x2097"]
        assert found(shelf, "hello xylophone") == ["rare"]
