"""The callers of `cast.yaml`: who rings which line, says what and leaves how. Knows no wire."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

__all__ = ["Leave", "Part", "load_cast"]

_FILE: Final = Path(__file__).with_name("cast.yaml")


class Leave(enum.StrEnum):
    """How the caller goes; `cast.yaml` explains each."""

    HANG_UP = "hang-up"
    MID_ANSWER = "mid-answer"
    DROP = "drop"
    WAIT = "wait"
    BEFORE_ANSWER = "before-answer"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Part:
    """One caller. `pace` and `pitch` as `CallerVoice` has them; `at_once`: rings together with its like."""

    from_number: str
    to_number: str
    say: tuple[str, ...] = ()
    recording: str = ""
    barge_in_ms: float | None = None
    leave: Leave = Leave.HANG_UP
    keys: str = ""
    silent_ms: float = 9_000
    pace: float = 1.0
    pitch: float = 1.0
    at_once: bool = False


def load_cast(file: Path = _FILE) -> list[Part]:
    """All callers, in the order in which they ring. Raises TypeError or ValueError for a misspelt part."""
    return [
        _part(entry["to"], entry.get("at_once", False), **call)
        for entry in YAML(typ="safe").load(file)
        for call in entry["calls"]
    ]


def _part(to: str, at_once: bool, **call: Any) -> Part:
    pace, pitch = call.pop("voice", (1.0, 1.0))
    return Part(
        from_number=call.pop("from"),
        to_number=to,
        say=tuple(call.pop("say", ())),
        leave=Leave(call.pop("leave", Leave.HANG_UP)),
        pace=pace,
        pitch=pitch,
        at_once=at_once,
        **call,
    )
