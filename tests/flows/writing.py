"""Flow files for tests: the least a flow needs, and a folder to put flows in."""

from __future__ import annotations

from pathlib import Path

LEAST = """\
version: 1
customer: corner
line: corner
greeting: Hello.
business: {name: Corner Shop, time_zone: UTC}
"""
"""Five lines; what a test adds begins in line 6."""


def least(line: str, *more: str) -> str:
    """The least flow of another line, with more lines after it."""
    return "\n".join([LEAST.replace("line: corner", f"line: {line}").rstrip(), *more, ""])


def write(folder: Path, name: str, text: str) -> Path:
    """Put a file into a folder of flows, as an editor saves it: whole, by a rename."""
    scratch = folder / f".{name}.new"
    scratch.write_text(text, encoding="utf-8")
    return scratch.rename(folder / name)
