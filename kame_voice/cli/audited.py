"""What is done from the machine itself, written to the audit log by the command: it has no record writer."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kame_voice.accounts.viewer import Viewer
    from kame_voice.store.archive import Archive
    from kame_voice.store.rows import AuditRow

__all__ = ["noting", "somebody_here"]


@contextmanager
def noting(archive: Archive) -> Iterator[Callable[[AuditRow], None]]:
    """Takes audit rows, and stores them at the end, also of what was done before a failure."""
    from kame_voice.store.upsert import upsert

    noted: list[AuditRow] = []
    try:
        yield noted.append
    finally:
        if noted:
            archive.database.change(lambda session: upsert(session.connection(), noted))


def somebody_here() -> Viewer:
    """The person at this machine, who may do everything."""
    from kame_voice.accounts.viewer import Via, Viewer
    from kame_voice.core.nouns import Role

    return Viewer(None, getpass.getuser(), Role.ADMIN, None, Via.CLI)
