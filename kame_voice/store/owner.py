"""Whose calls are whose: a process holds a lock for as long as it lives, so a crash frees it by itself.

Several servers may share one database, and a second program one data folder; a restart must close
the calls of the dead alone. File locks work across containers, where process ids do not.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path

from kame_voice.store.errors import StoreError

__all__ = ["Owner"]


class Owner:
    """This process, as the owner of the calls it runs. `name` is `node/process`."""

    def __init__(self, folder: Path) -> None:
        """Take a name in `folder`, which belongs to this node alone. Raises StoreError."""
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._node = self._node_id()
            self._process = uuid.uuid4().hex[:12]
            self._lock = os.open(self._path(self._process), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                f"no lock can be kept here ({error.strerror})", where=str(folder), do="check KAME_DATA_DIR"
            ) from error
        self.name = f"{self._node}/{self._process}"

    def still_runs(self, owner: str | None) -> bool:
        """Whether `owner` lives. Of another node nothing is known, so its calls are left to it."""
        node, _, process = (owner or f"{self._node}/").partition("/")
        if node != self._node or process == self._process:
            return True
        path = self._path(process)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def forget_the_dead(self) -> None:
        """Remove the locks of processes that are gone, once their calls are closed."""
        for path in self._folder.glob("*.lock"):
            if not self.still_runs(f"{self._node}/{path.stem}"):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give the name back."""
        self._path(self._process).unlink(missing_ok=True)
        os.close(self._lock)

    def _path(self, process: str) -> Path:
        return self._folder / f"{process}.lock"

    def _node_id(self) -> str:
        path = self._folder / "node"
        try:
            with path.open("x") as file:
                file.write(uuid.uuid4().hex[:12])
        except FileExistsError:
            pass
        return path.read_text().strip()
