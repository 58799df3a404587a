"""A folder of flow files from outside: which files are flows, and whether any of them has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kame_voice.flows.errors import FlowError, FlowMistake

__all__ = ["FolderStamp", "flow_paths", "stamp_of"]

_SUFFIXES: Final = frozenset({".yaml", ".yml"})

FolderStamp = frozenset[tuple[str, int, int, int]]
"""Name, modification time in ns, size and inode of each flow file; empty without a folder."""


def flow_paths(folder: Path) -> list[Path]:
    """The flow files of `folder`: `*.yaml` and `*.yml`, editors' hidden files left out.

    Raises FlowError where the folder cannot be read or holds none.
    """
    try:
        paths = _flow_files(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"the folder of flows cannot be read: {reason}; mend KAME_FLOWS_DIR"
        raise FlowError([FlowMistake(str(folder), 0, 0, "", message)]) from error
    if not paths:
        message = "there is no flow (*.yaml) in this folder; mend KAME_FLOWS_DIR or put one there"
        raise FlowError([FlowMistake(str(folder), 0, 0, "", message)])
    return paths


def stamp_of(folder: Path) -> FolderStamp:
    """What the folder looks like now. Never raises: what cannot be looked at has a stamp of its own."""
    try:
        paths = _flow_files(folder)
    except OSError:
        return frozenset()
    return frozenset(_stamp(path) for path in paths)


def _flow_files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix in _SUFFIXES and not path.name.startswith(".")
    )


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (path.name, -1, -1, -1)
    return (path.name, status.st_mtime_ns, status.st_size, status.st_ino)
