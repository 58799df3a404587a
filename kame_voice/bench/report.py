"""Numbers as tables: the same report for a terminal, for Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Goal", "Report"]


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that is to be reached, and what was."""

    name: str
    wanted: str
    got: str
    reached: bool


@dataclass(slots=True)
class Report:
    """One benchmark's outcome. `rows` share their keys; `data` is everything, for the JSON file."""

    title: str
    command: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Every goal was reached."""
        return all(goal.reached for goal in self.goals)

    def markdown(self) -> str:
        """Title, table, goals, notes."""
        parts = [f"## {self.title}", f"`{self.command}` on {_machine()}."]
        if self.rows:
            parts.append(_table(self.rows))
        if self.goals:
            parts.append(
                _table(
                    [
                        {
                            "goal": goal.name,
                            "wanted": goal.wanted,
                            "measured": goal.got,
                            "": "reached" if goal.reached else "**missed**",
                        }
                        for goal in self.goals
                    ]
                )
            )
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts) + "\n"

    def write(self, json_file: Path | None) -> None:
        """Print the Markdown; write everything to `json_file` if given."""
        print(self.markdown())
        if json_file is not None:
            whole = {
                "title": self.title,
                "command": self.command,
                "machine": _machine(),
                "rows": self.rows,
                "goals": [
                    {"name": g.name, "wanted": g.wanted, "got": g.got, "reached": g.reached}
                    for g in self.goals
                ],
                "notes": self.notes,
                **self.data,
            }
            json_file.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row.get(name)) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
