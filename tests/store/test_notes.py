"""Notes, tags and dispositions, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kame_voice.store.calls import CallFilter
from kame_voice.store.errors import BadNote
from kame_voice.store.notes import Disposition, NoteStore
from kame_voice.store.rows import CallStatus
from tests.store.conftest import Shelf, a_call

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


@pytest.fixture
def notes(either_shelf: Shelf) -> NoteStore:
    for call_id in ("c1", "c2"):
        either_shelf.writer.put(a_call(call_id, status=CallStatus.COMPLETED, duration_ms=9))
    either_shelf.write()
    return NoteStore(either_shelf.database)


def test_notes_are_kept_in_order_of_their_moments(notes: NoteStore) -> None:
    notes.add("c1", "ana", "late\r\n", NOON, at_ms=9000)
    notes.add("c1", "ben", "early", NOON, at_ms=0)
    whole = notes.add("c1", "ana", "about all of it", NOON)
    assert [(one.author, one.text, one.at_ms) for one in notes.of("c1")] == [
        ("ana", "about all of it", None),
        ("ben", "early", 0),
        ("ana", "late", 9000),
    ]
    assert notes.of("c2") == []
    assert notes.remove("c2", whole.id) is None  # a note is taken from its own call alone
    assert notes.remove("c1", whole.id) == whole
    assert len(notes.of("c1")) == 2


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001, "zero\0byte"])
def test_a_note_that_cannot_be_kept_is_refused(notes: NoteStore, text: str) -> None:
    with pytest.raises(BadNote):
        notes.add("c1", "ana", text, NOON)


def test_tags_and_disposition_stand_on_the_call_and_filter_lists(
    notes: NoteStore, either_shelf: Shelf
) -> None:
    assert notes.tag("c1", ["#Billing", "urgent, billing"]) == ["billing", "urgent"]
    notes.dispose("c1", Disposition.CALL_BACK)
    for wanted in (CallFilter(tag="billing"), CallFilter(disposition="call_back")):
        (call,) = either_shelf.calls.list(wanted).calls
        assert (call.id, call.tags, call.disposition) == ("c1", ["billing", "urgent"], "call_back")
    assert notes.known_tags(None) == ["billing", "urgent"]
    assert notes.known_tags(["somebody-else"]) == []
    notes.tag("c1", [])
    notes.dispose("c1", None)
    (call,) = either_shelf.calls.list(CallFilter(line="front-desk"), limit=1, before=None).calls[:1]
    assert not either_shelf.calls.list(CallFilter(tag="billing")).calls
    assert call.disposition is None


@pytest.mark.parametrize("tag", ["<script>", "a" * 49, "-x", "\0"])
def test_a_word_that_is_no_tag_is_refused(notes: NoteStore, tag: str) -> None:
    with pytest.raises(BadNote):
        notes.tag("c1", [tag])
