"""Writes rows: insert, or update where the key is there already. Knows both databases' dialects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from kame_voice.store.account_tables import AuditEntry
from kame_voice.store.rows import AuditRow, CallRow, EventRow, FlowRow, OracleRow, Row, TurnRow
from kame_voice.store.tables import Base, Call, Event, FlowSnapshot, Oracle, Turn

__all__ = ["WRITE_ORDER", "upsert"]

WRITE_ORDER: Final[tuple[type[Row], ...]] = (FlowRow, CallRow, TurnRow, OracleRow, EventRow, AuditRow)
"""Calls come before what belongs to them."""

_TABLES: Final[dict[type[Row], type[Base]]] = {
    FlowRow: FlowSnapshot,
    CallRow: Call,
    TurnRow: Turn,
    OracleRow: Oracle,
    EventRow: Event,
    AuditRow: AuditEntry,
}
_FIELDS: Final = {kind: tuple(item.name for item in fields(kind)) for kind in WRITE_ORDER}
_KEEP_FIRST: Final = frozenset({FlowRow, EventRow, AuditRow})
"""What never changes once it is written."""


def upsert(connection: Connection, rows: Iterable[Row]) -> None:
    """Write `rows` on `connection`, in whichever order they come. Idempotent; does not commit."""
    groups: dict[type[Row], list[Row]] = {kind: [] for kind in WRITE_ORDER}
    for row in rows:
        groups[type(row)].append(row)
    for kind, group in groups.items():
        if group:
            _upsert_group(connection, kind, group)


def _upsert_group(connection: Connection, kind: type[Row], group: Sequence[Row]) -> None:
    table = _TABLES[kind].__table__
    assert isinstance(table, Table)
    keys = [column.name for column in table.primary_key]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement: Any = insert(table)
    if kind in _KEEP_FIRST:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        changed = {name: statement.excluded[name] for name in _FIELDS[kind] if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    connection.execute(statement, [_values(kind, row) for row in group])


def _values(kind: type[Row], row: Row) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in _FIELDS[kind]}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
