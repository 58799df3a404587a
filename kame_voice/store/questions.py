"""The questions that no fact answered, as `store.concluding` found them, and their vectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kame_voice.store.database import Database
from kame_voice.store.tables import NO_VECTOR, OpenQuestion

__all__ = ["Asked", "QuestionKey", "QuestionStore"]

QuestionKey = tuple[str, str]
"""Call and oracle."""
_MOST: Final = 2_000
"""Newest questions of a line that are grouped: what is older was seen before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question at its moment. `vector` is float16 [384] as bytes, None until it is computed."""

    call_id: str
    oracle_id: str
    line: str
    customer: str
    at_ms: int
    asked_at: datetime
    text: str
    vector: bytes | None

    @property
    def key(self) -> QuestionKey:
        """What names it."""
        return (self.call_id, self.oracle_id)


class QuestionStore:
    """Methods block: on an event loop they belong in a worker thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lines(self, customers: Collection[str] | None) -> list[str]:
        """Lines of these customers (None: all) with a question that no fact answered."""
        query = select(OpenQuestion.line).distinct().order_by(OpenQuestion.line)
        if customers is not None:
            query = query.where(OpenQuestion.customer.in_(sorted(customers)))
        return self._database.read(lambda session: list(session.scalars(query)))

    def of(self, line: str, since: datetime, customers: Collection[str] | None) -> list[Asked]:
        """The line's questions since then, newest first, at most 2,000."""
        query = (
            select(OpenQuestion)
            .where(OpenQuestion.line == line, OpenQuestion.asked_at >= since)
            .order_by(OpenQuestion.asked_at.desc())
            .limit(_MOST)
        )
        if customers is not None:
            query = query.where(OpenQuestion.customer.in_(sorted(customers)))
        return self._database.read(lambda session: [_asked(row) for row in session.scalars(query)])

    def without_vector(self, limit: int) -> list[Asked]:
        """Some whose meaning is still to be computed."""
        query = select(OpenQuestion).where(NO_VECTOR).limit(limit)
        return self._database.read(lambda session: [_asked(row) for row in session.scalars(query)])

    def keep_vectors(self, questions: Sequence[Asked], vectors: Mapping[QuestionKey, bytes]) -> None:
        """Store them, unless the question changed meanwhile."""

        def write(session: Session) -> None:
            for one in questions:
                session.execute(
                    update(OpenQuestion)
                    .where(
                        OpenQuestion.call_id == one.call_id,
                        OpenQuestion.oracle_id == one.oracle_id,
                        OpenQuestion.text == one.text,
                    )
                    .values(vector=vectors[one.key])
                )

        self._database.change(write)


def _asked(row: OpenQuestion) -> Asked:
    return Asked(
        row.call_id, row.oracle_id, row.line, row.customer, row.at_ms, row.asked_at, row.text, row.vector
    )
