"""The flows that a line's calls had, one a content hash: its generations so far."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kame_voice.store.database import Database
from kame_voice.store.tables import Call, FlowSnapshot

__all__ = ["GenerationStore", "SeenGeneration"]

_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class SeenGeneration:
    """A flow as `calls` calls had it, the last of them at `last_used_at`; `content` is its JSON."""

    version: str
    customer: str
    first_used_at: datetime
    last_used_at: datetime | None
    calls: int
    content: dict[str, Any]


class GenerationStore:
    """Reads them. Methods block; all raise the StoreErrors of `Database.read`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_line(self, line: str, customers: Collection[str] | None) -> list[SeenGeneration]:
        """Newest first, fifty at most: those of these customers (None: all)."""

        def look(session: Session) -> list[SeenGeneration]:
            flows = select(FlowSnapshot).where(FlowSnapshot.line == line)
            if customers is not None:
                flows = flows.where(FlowSnapshot.customer.in_(customers))
            found = session.scalars(flows.order_by(FlowSnapshot.first_used_at.desc()).limit(_MOST)).all()
            used = {
                version: (calls, last)
                for version, calls, last in session.execute(
                    select(Call.flow_version, func.count(), func.max(Call.started_at))
                    .where(Call.line == line)
                    .group_by(Call.flow_version)
                )
            }
            return [
                SeenGeneration(
                    flow.version,
                    flow.customer,
                    flow.first_used_at,
                    used.get(flow.version, (0, None))[1],
                    used.get(flow.version, (0, None))[0],
                    flow.content,
                )
                for flow in found
            ]

        return self._database.read(look)
