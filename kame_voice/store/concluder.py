"""Sums up calls that are over, a few at a time; one that cannot be is set aside, so that the others go on.

Knows no thread and no clock: `round()` is one go, on the record writer's thread.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, Engine

from kame_voice.core.telemetry import Telemetry
from kame_voice.store.concluding import conclude_due, conclude_one, due_ids, set_aside, take_up_again
from kame_voice.store.errors import SummaryFailed, is_outage

__all__ = ["Concluder"]

_AT_ONCE: Final = 10
"""Calls a round: some 20 ms, as recordings wait behind it."""

log = structlog.get_logger()


class Concluder:
    """What a call comes to, call by call.

    A call that fails is marked with the reason, logged and counted, and tried again at the next start.
    """

    def __init__(self, engine: Engine, telemetry: Telemetry) -> None:
        self._engine = engine
        self._telemetry = telemetry
        self._is_first = True

    def round(self) -> bool:
        """Conclude a few calls that are due; whether more may be.

        Raises the SQLAlchemyError or OSError of a database that cannot be used at present.
        """
        if self._is_first:
            with self._writing() as connection:
                take_up_again(connection)
            self._is_first = False
        try:
            with self._writing() as connection:
                return conclude_due(connection, _AT_ONCE) > 0
        except Exception as error:  # whatever one call's record provokes must not hold up all others
            if is_outage(error):
                raise
        return self._one_by_one()

    def _one_by_one(self) -> bool:
        """One of them spoils the transaction of all: each gets its own."""
        with self._engine.connect() as connection:
            ids = due_ids(connection, _AT_ONCE)
        for call_id in ids:
            try:
                with self._writing() as connection:
                    conclude_one(connection, call_id)
            except Exception as error:  # as above
                if is_outage(error):
                    raise
                self._set_aside(call_id, error)
        return bool(ids)

    def _set_aside(self, call_id: str, error: Exception) -> None:
        told = SummaryFailed(
            f"the call cannot be summed up ({_kind_and_place(error)})",
            where=call_id,
            do="report it with this line; it is tried again when the server starts next",
        )
        with self._writing() as connection:
            set_aside(connection, call_id, _kind_and_place(error))
        self._telemetry.summaries_failed.inc()
        log.error("a call was set aside", code=told.code, call_id=call_id, error=str(told))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        # It reads before it writes: SQLite must be told at once, or a note written meanwhile fails it.
        with (
            self._engine.connect().execution_options(kame_begin="BEGIN IMMEDIATE") as connection,
            connection.begin(),
        ):
            yield connection


def _kind_and_place(error: Exception) -> str:
    """What went wrong and where in this program. Never its text, which may hold a caller's words."""
    ours = Path(__file__).parents[1]
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if Path(frame.filename).is_relative_to(ours)]
    kind = type(error).__name__
    return f"{kind} at {Path(mine[-1].filename).relative_to(ours)}:{mine[-1].lineno}" if mine else kind
