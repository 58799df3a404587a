"""What people add to a call: notes, tags, a disposition. Each names who wrote it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kame_voice.store.database import Database
from kame_voice.store.errors import BadNote
from kame_voice.store.tables import Call, CallTag, Note

__all__ = ["CallNote", "Disposition", "NoteStore", "tags_in"]

_LONGEST_NOTE: Final = 4000
_LONGEST_TAG: Final = 48
_MOST_TAGS: Final = 20


class Disposition(StrEnum):
    """What became of a call's matter, as somebody judged it."""

    RESOLVED = "resolved"
    FOLLOW_UP = "follow_up"
    CALL_BACK = "call_back"
    WRONG_ANSWER = "wrong_answer"
    SPAM = "spam"


class CallNote(BaseModel):
    """A note; `at_ms` is the moment of the call that it is about, None where it is about the whole."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    at_ms: int | None = Field(description="Moment of the call; null: the whole call.")
    author: str
    text: str
    written_at: datetime


class NoteStore:
    """Reads and changes what people added. Methods block: on an event loop they belong in a worker thread.

    Whether the call exists, and may be seen by whoever asks, is the asker's to check first.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, call_id: str) -> list[CallNote]:
        """The call's notes: on the whole call first, then in order of their moments."""

        def read(session: Session) -> list[CallNote]:
            notes = session.scalars(select(Note).where(Note.call_id == call_id).order_by(Note.id))
            return sorted(
                (CallNote.model_validate(note) for note in notes),
                key=lambda one: -1 if one.at_ms is None else one.at_ms,
            )

        return self._database.read(read)

    def add(self, call_id: str, author: str, text: str, now: datetime, at_ms: int | None = None) -> CallNote:
        """Keep a note. Raises BadNote where it is empty or too long."""
        words = text.replace("\r\n", "\n").strip()
        if not words or len(words) > _LONGEST_NOTE or "\0" in words:
            raise BadNote(
                "has no words" if not words else f"has over {_LONGEST_NOTE} letters or a zero byte",
                where="note",
                do="write some" if not words else "shorten it",
            )

        def write(session: Session) -> CallNote:
            note = Note(call_id=call_id, author=author, text=words, written_at=now, at_ms=at_ms)
            session.add(note)
            session.flush()
            return CallNote.model_validate(note)

        return self._database.change(write)

    def remove(self, call_id: str, note_id: int) -> CallNote | None:
        """Delete that note of the call; what it was, or None where there is none."""

        def write(session: Session) -> CallNote | None:
            note = session.get(Note, note_id)
            if note is None or note.call_id != call_id:
                return None
            gone = CallNote.model_validate(note)
            session.delete(note)
            return gone

        return self._database.change(write)

    def tag(self, call_id: str, tags: Collection[str]) -> list[str]:
        """Make these the call's tags, in place of what it had; in order. Raises BadNote."""
        wanted = sorted(set(tags_in(" ".join(tags))))

        def write(session: Session) -> None:
            session.execute(delete(CallTag).where(CallTag.call_id == call_id))
            session.add_all(CallTag(call_id=call_id, tag=tag) for tag in wanted)

        self._database.change(write)
        return wanted

    def dispose(self, call_id: str, disposition: Disposition | None) -> None:
        """Set what became of the call's matter; None takes it back."""
        value = None if disposition is None else disposition.value
        self._database.change(
            lambda session: session.execute(update(Call).where(Call.id == call_id).values(disposition=value))
        )

    def known_tags(self, customers: Collection[str] | None) -> list[str]:
        """All tags in use on calls of these customers (None: all), in order; at most 200."""
        query = select(CallTag.tag).distinct().order_by(CallTag.tag).limit(200)
        if customers is not None:
            query = query.join(Call, Call.id == CallTag.call_id).where(Call.customer.in_(sorted(customers)))
        return self._database.read(lambda session: list(session.scalars(query)))


def tags_in(typed: str) -> Iterable[str]:
    """The tags in what somebody typed: words apart by spaces or commas, lower case. Raises BadNote."""
    tags = [tag.lower().removeprefix("#") for tag in re.split(r"[\s,]+", typed) if tag.strip("#")]
    for tag in tags:
        if len(tag) > _LONGEST_TAG or not re.fullmatch(r"[\w][\w.:/&+-]*", tag):
            raise BadNote("is no tag", where=tag[:60], do="use letters, digits and - . : / & +, up to 48")
    if len(tags) > _MOST_TAGS:
        raise BadNote(f"are over {_MOST_TAGS} tags", where="tags", do="leave some out")
    return tags
