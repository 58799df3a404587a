"""Database, recordings and reader of one data folder, opened together; by a server or for a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kame_voice.store.audit import AuditReader
from kame_voice.store.calls import CallStore
from kame_voice.store.database import Database
from kame_voice.store.keys import KeyStore
from kame_voice.store.owner import Owner
from kame_voice.store.recordings import RecordingStore
from kame_voice.store.users import UserStore

__all__ = ["Archive"]


@dataclass(frozen=True, slots=True)
class Archive:
    """What is kept of all calls, and of those who may see them.

    `owner` is None where it was opened for a look.
    """

    database: Database
    recordings: RecordingStore
    calls: CallStore
    users: UserStore
    keys: KeyStore
    audit: AuditReader
    owner: Owner | None

    @classmethod
    def open(cls, database_url: str, data_dir: Path) -> Archive:
        """Open for a server: tables brought up to date, calls that a crash left open closed.

        Blocks. Raises the StoreErrors of `Database.open` and `Owner`.
        """
        database = Database.open(database_url)
        try:
            recordings = RecordingStore(data_dir / "recordings")
            owner = Owner(data_dir / "owners")
            archive = cls._of(database, recordings, owner)
            archive.calls.close_interrupted(datetime.now(UTC), owner.still_runs)
            owner.forget_the_dead()
        except BaseException:
            database.close()
            raise
        return archive

    @classmethod
    def open_existing(cls, database_url: str, data_dir: Path) -> Archive:
        """Open for a look: nothing is made, upgraded or closed. Raises as `Database.open_existing` does."""
        database = Database.open_existing(database_url)
        recordings = RecordingStore(data_dir / "recordings")
        return cls._of(database, recordings, None)

    @classmethod
    def _of(cls, database: Database, recordings: RecordingStore, owner: Owner | None) -> Archive:
        return cls(
            database,
            recordings,
            CallStore(database, recordings),
            UserStore(database),
            KeyStore(database),
            AuditReader(database),
            owner,
        )

    def close(self) -> None:
        """Close the connections and give the owner's name back. The writer must have stopped."""
        self.database.close()
        if self.owner is not None:
            self.owner.close()
