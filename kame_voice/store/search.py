"""Full-text search over what was said: SQLite's FTS5 and PostgreSQL's tsvector behind one function each way.

A document is a call: its turns that hold words, a line each. Documents are numbered by the time of their
call, so that the newest come first without sorting. English stems, no stop words; case and, on SQLite,
accents do not count. A query is words, "a phrase", a beginning*, and -words that must not be there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, text
from sqlalchemy.dialects import postgresql

from kame_voice.store.errors import BadSearch
from kame_voice.store.tables import Call

__all__ = [
    "NUMBER",
    "Hit",
    "Line",
    "Query",
    "few_numbers",
    "hits_of",
    "is_said",
    "keep_words",
    "numbers_between",
    "parse_query",
]

NUMBER: Final = {"sqlite": "rowid", "postgresql": "id"}
"""The column of `call_words` that numbers its documents."""
_START: Final = "\x02"
_END: Final = "\x03"
"""Stand round each hit on its way from the database: control characters, which no indexed text holds."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\s]+")
_TERM: Final = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LONGEST: Final = 400
_FEW: Final = 1000
"""So many documents are sorted in no time; where there are more, a page of the newest is found soon."""
_SHIFT: Final = 1000
"""Far more than any number lies off its call's microsecond."""


@dataclass(frozen=True, slots=True)
class Line:
    """A turn with words."""

    speaker: str
    start_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn in which something was found; `marks` are where in `text`, [start, end) in characters."""

    speaker: str
    start_ms: int
    text: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Term:
    words: tuple[str, ...]
    is_prefix: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: every one of `wanted`, none of `unwanted`."""

    wanted: tuple[_Term, ...]
    unwanted: tuple[_Term, ...]


def parse_query(typed: str) -> Query | None:
    """The query in what somebody typed; None where there is no word in it. Raises BadSearch."""
    wanted: list[_Term] = []
    unwanted: list[_Term] = []
    for minus, phrase, word in _TERM.findall(typed[:_LONGEST]):
        words = tuple(_WORD.findall(phrase or word))
        if words:
            term = _Term(words, is_prefix=not phrase and word.endswith("*"))
            (unwanted if minus else wanted).append(term)
    if unwanted and not wanted:
        raise BadSearch("names only words that must not be there", where=typed, do="add one that must")
    return Query(tuple(wanted), tuple(unwanted)) if wanted else None


def is_said(dialect: str, query: Query) -> ColumnElement[bool]:
    """The condition that a row of `call_words` matches; join that table by `calls.words_id`."""
    if dialect == "postgresql":
        return text("call_words.vector @@ to_tsquery('kame_english', :kame_words)").bindparams(
            bindparam("kame_words", _tsquery(query))
        )  # type: ignore[return-value]
    return text("call_words MATCH :kame_words").bindparams(bindparam("kame_words", _match(query)))  # type: ignore[return-value]


def few_numbers(connection: Connection, query: Query) -> Sequence[int] | None:
    """The numbers of all documents that match, where PostgreSQL finds that they are few; else None.

    It knows how frequent a word is only of the most frequent ones, and would read all documents, the newest
    first, to fill a page with a rare one. FTS5 needs no such help.
    """
    if connection.dialect.name != "postgresql":
        return None
    # The index for the words leads: without an order to keep there is nothing else to choose.
    probe = text("SELECT id FROM call_words WHERE vector @@ to_tsquery('kame_english', :words) LIMIT :limit")
    found = connection.scalars(probe, {"words": _tsquery(query), "limit": _FEW + 1}).all()
    return found if len(found) <= _FEW else None


def numbers_between(since: datetime | None, until: datetime | None) -> tuple[int | None, int | None]:
    """Between which numbers the documents of calls lie that began between these times; may hold some more."""
    low = None if since is None else _number_at(since) - _SHIFT
    return low, None if until is None else _number_at(until) + _SHIFT


def hits_of(connection: Connection, query: Query, words_ids: Collection[int]) -> dict[int, list[Hit]]:
    """The turns with hits of each of these documents that matches, in order of time."""
    if not words_ids:
        return {}
    if connection.dialect.name == "postgresql":
        found = connection.execute(
            text(
                "SELECT id, places, ts_headline('kame_english', words, to_tsquery('kame_english', :words), "
                ":options) FROM call_words WHERE id = ANY(:ids)"
            ).bindparams(bindparam("ids", type_=postgresql.ARRAY(postgresql.BIGINT))),
            {
                "words": _tsquery(query),
                "options": f"HighlightAll=true, StartSel={_START}, StopSel={_END}",
                "ids": list(words_ids),
            },
        )
    else:
        found = connection.execute(
            text(
                "SELECT rowid, places, highlight(call_words, 1, :start, :end) FROM call_words "
                "WHERE call_words MATCH :words AND rowid IN :ids"
            ).bindparams(bindparam("ids", expanding=True)),
            {"words": _match(query), "start": _START, "end": _END, "ids": list(words_ids)},
        )
    return {id_: _hits(json.loads(places), marked) for id_, places, marked in found}


def keep_words(connection: Connection, call: Call, lines: Sequence[Line]) -> int | None:
    """Make `lines` the document of `call`, in place of an earlier one; its number, None without a line."""
    if call.words_id is not None:
        _forget(connection, call.words_id)
    if not lines:
        return None
    number = call.words_id or _free_number(connection, call.started_at)
    values: dict[str, Any] = {
        "id": number,
        "places": json.dumps([[line.speaker, line.start_ms] for line in lines]),
        "words": "\n".join(_CONTROL.sub(" ", line.text) for line in lines),
    }
    if connection.dialect.name == "postgresql":
        columns, values["call_id"] = "id, call_id, places, words", call.id
    else:
        columns = "rowid, places, words"
    names = columns.replace("rowid", "id").split(", ")
    connection.execute(
        text(f"INSERT INTO call_words ({columns}) VALUES ({', '.join(':' + name for name in names)})"), values
    )
    return number


def _forget(connection: Connection, number: int) -> None:
    column = NUMBER[connection.dialect.name]
    connection.execute(text(f"DELETE FROM call_words WHERE {column} = :number"), {"number": number})


def _free_number(connection: Connection, started_at: datetime) -> int:
    """Microseconds since 1970, or the next that is free: calls may begin in the same one."""
    number = _number_at(started_at)
    # Asked of the documents: a call concluded in the same transaction may not have its number yet.
    taken = text(f"SELECT 1 FROM call_words WHERE {NUMBER[connection.dialect.name]} = :number")
    while connection.execute(taken, {"number": number}).first() is not None:
        number += 1
    return number


def _number_at(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


def _hits(places: Sequence[tuple[str, int]], marked: str) -> list[Hit]:
    lines = zip(places, marked.split("\n"), strict=True)
    return [_hit(speaker, at_ms, line) for (speaker, at_ms), line in lines if _START in line]


def _hit(speaker: str, at_ms: int, marked: str) -> Hit:
    """Takes the marks out of the text."""
    text, marks = "", []
    for number, piece in enumerate(re.split(f"[{_START}{_END}]", marked)):
        if number % 2 and piece:
            marks.append((len(text), len(text) + len(piece)))
        text += piece
    return Hit(speaker, at_ms, text, tuple(marks))


def _match(query: Query) -> str:
    """In FTS5's language; every word is quoted, so that none is an operator."""

    def term(one: _Term) -> str:
        return '"' + " ".join(one.words) + '"' + (" *" if one.is_prefix else "")

    wanted = " AND ".join(term(one) for one in query.wanted)
    unwanted = " OR ".join(term(one) for one in query.unwanted)
    return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def _tsquery(query: Query) -> str:
    """In PostgreSQL's language; every word is quoted."""

    def term(one: _Term) -> str:
        quoted = ["'" + word.replace("'", "''") + "'" for word in one.words]
        quoted[-1] += ":*" if one.is_prefix else ""
        return "(" + " <-> ".join(quoted) + ")"

    return " & ".join([term(one) for one in query.wanted] + [f"!{term(one)}" for one in query.unwanted])
