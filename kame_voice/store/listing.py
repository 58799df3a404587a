"""Calls in a list: filtered, newest first, a page at a time by keyset, with what was found in their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Select, and_, column, or_, select, table, text
from sqlalchemy.orm import Session

from kame_voice.store.cursors import bad_cursor, decoded, encoded, moment_cursor, read_moment
from kame_voice.store.search import (
    NUMBER,
    Hit,
    Query,
    few_numbers,
    hits_of,
    is_said,
    numbers_between,
    parse_query,
)
from kame_voice.store.tables import FLAGGED, Call, CallTag

__all__ = ["CallFilter", "Flag", "Page", "page_of", "tags_of"]


class Flag(StrEnum):
    """What is worth a look about a call."""

    UNGROUNDED = "ungrounded"
    UNANSWERED = "unanswered"
    BARGE_IN = "barge_in"
    FAILURE = "failure"


_CONDITIONS: Final = {
    Flag.UNGROUNDED: FLAGGED["ungrounded"],
    Flag.UNANSWERED: FLAGGED["unanswered"],
    Flag.BARGE_IN: FLAGGED["barge_ins"],
    Flag.FAILURE: FLAGGED["failures"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls are wanted; a field left out asks for nothing.

    `customers` is the scope: what whoever asks may see, None for all. `caller` is a part of the
    caller's number, `number` either side's whole one. `since` is inclusive, `until` is not.
    `words` are looked for in what was said, as `store.search` reads them.
    """

    customers: frozenset[str] | None = None
    line: str | None = None
    customer: str | None = None
    status: str | None = None
    flag: Flag | None = None
    since: datetime | None = None
    until: datetime | None = None
    caller: str | None = None
    number: str | None = None
    tag: str | None = None
    disposition: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Calls with their tags and hits; `next` is the cursor of the page after it, None on the last."""

    calls: Sequence[Call]
    tags: dict[str, list[str]]
    hits: dict[str, list[Hit]]
    next: str | None


def page_of(session: Session, wanted: CallFilter, limit: int, before: str | None) -> Page:
    """At most `limit` calls, older than the cursor `before`. Raises BadCursor, BadSearch."""
    query = parse_query(wanted.words) if wanted.words else None
    statement = _filtered(wanted)
    if query is None:
        statement = statement.order_by(Call.started_at.desc(), Call.id.desc())
        if before is not None:
            at, call_id = read_moment(before)
            statement = statement.where(
                or_(Call.started_at < at, and_(Call.started_at == at, Call.id < call_id))
            )
    else:
        statement = _searched(statement, session.connection(), query, wanted, before)
    found = session.scalars(statement.limit(limit + 1)).all()
    calls = found[:limit]
    more = len(found) > limit
    return Page(
        calls,
        tags_of(session, [call.id for call in calls]),
        _hits(session, query, calls),
        _cursor(calls[-1], searched=query is not None) if more else None,
    )


def _filtered(wanted: CallFilter) -> Select[tuple[Call]]:
    statement = select(Call)
    for attribute, value in (
        (Call.line, wanted.line),
        (Call.customer, wanted.customer),
        (Call.status, wanted.status),
        (Call.disposition, wanted.disposition),
    ):
        if value is not None:
            statement = statement.where(attribute == value)
    if wanted.customers is not None:
        statement = statement.where(Call.customer.in_(sorted(wanted.customers)))
    if wanted.flag is not None:
        statement = statement.where(text(_CONDITIONS[wanted.flag]))
    if wanted.since is not None:
        statement = statement.where(Call.started_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(Call.started_at < wanted.until)
    if wanted.caller is not None:
        statement = statement.where(Call.from_number.contains(wanted.caller, autoescape=True))
    if wanted.number is not None:
        statement = statement.where(or_(Call.from_number == wanted.number, Call.to_number == wanted.number))
    if wanted.tag is not None:
        statement = statement.where(Call.id.in_(select(CallTag.call_id).where(CallTag.tag == wanted.tag)))
    return statement


def _searched(
    statement: Select[tuple[Call]],
    connection: Connection,
    query: Query,
    wanted: CallFilter,
    before: str | None,
) -> Select[tuple[Call]]:
    """Documents lead, newest first, so that the database can stop once a page is full."""
    few = few_numbers(connection, query)
    if few is not None:
        statement = statement.where(Call.words_id.in_(few)).order_by(Call.words_id.desc())
        return statement if before is None else statement.where(Call.words_id < _read_number(before))
    dialect = connection.dialect.name
    words = table("call_words", column(NUMBER[dialect]))
    number = words.columns[NUMBER[dialect]]
    statement = (
        statement.join(words, Call.words_id == number).where(is_said(dialect, query)).order_by(number.desc())
    )
    low, high = numbers_between(wanted.since, wanted.until)
    if low is not None:
        statement = statement.where(number >= low)
    if high is not None:
        statement = statement.where(number < high)
    return statement if before is None else statement.where(number < _read_number(before))


def tags_of(session: Session, call_ids: Sequence[str]) -> dict[str, list[str]]:
    """The tags of these calls, by id, in order; a call without any is left out."""
    found: dict[str, list[str]] = {}
    rows = session.execute(
        select(CallTag.call_id, CallTag.tag).where(CallTag.call_id.in_(call_ids)).order_by(CallTag.tag)
    )
    for call_id, tag in rows:
        found.setdefault(call_id, []).append(tag)
    return found


def _hits(session: Session, query: Query | None, calls: Iterable[Call]) -> dict[str, list[Hit]]:
    if query is None:
        return {}
    by_number = {call.words_id: call.id for call in calls if call.words_id is not None}
    found = hits_of(session.connection(), query, by_number.keys())
    return {by_number[number]: hits for number, hits in found.items()}


def _cursor(call: Call, *, searched: bool) -> str:
    return encoded(f"#{call.words_id}") if searched else moment_cursor(call.started_at, call.id)


def _read_number(cursor: str) -> int:
    try:
        return int(decoded(cursor).removeprefix("#"))
    except ValueError as error:
        raise bad_cursor(cursor) from error
