"""Recordings of people through the wire: how many of their words the record gets right."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, Final

from kame_voice.bench.judge import word_errors
from kame_voice.bench.report import Goal, Report
from kame_voice.bench.server import serving_process
from kame_voice.caller.caller import PhoneCaller
from kame_voice.caller.clip import clip_from_file
from kame_voice.caller.scripts import conversation
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.core.errors import KameError

__all__ = ["NoRecordings", "read_words", "run"]

_ROW: Final = re.compile(r"^\|\s*(\S+\.(?:flac|wav))\s*\|[^|]*\|\s*([^|]+?)\s*\|\s*$", re.MULTILINE)


class NoRecordings(KameError):
    """The folder of recordings, or its table of words, is missing."""

    code = "no-recordings"


def read_words(folder: Path) -> dict[Path, str]:
    """The recordings of `folder` and their words, from the table in its README.md. Raises NoRecordings."""
    table = folder / "README.md"
    if not table.exists():
        raise NoRecordings("there is no table of recordings", where=str(table), do="name another --folder")
    words = {folder / name: text for name, text in _ROW.findall(table.read_text(encoding="utf-8"))}
    missing = [str(path) for path in words if not path.exists()]
    if missing or not words:
        raise NoRecordings(f"recordings are missing: {', '.join(missing) or 'all'}", where=str(table))
    return words


def run(flows_dir: Path, folder: Path, to_number: str) -> Report:
    """Say each recording in a call of its own; compare the caller's turns on record with its words."""
    words = read_words(folder)
    rows: list[dict[str, Any]] = []
    with serving_process(flows_dir, settings={"KAME_FRONT_END": "spoken"}) as measured:
        for path, reference in words.items():
            identity = CallIdentity("+15550111", to_number)
            script = conversation([clip_from_file(path)])
            result = asyncio.run(PhoneCaller(measured.server).call(identity, script))
            turns = measured.record_of(identity.call_sid)["turns"]
            heard = " ".join(turn["text"] for turn in turns if turn["speaker"] == "caller")
            errors, total = word_errors(reference, heard)
            gap = result.exchanges[0].gap_ms if result.exchanges else None
            rows.append(
                {
                    "recording": path.name,
                    "words": total,
                    "errors": errors,
                    "WER %": round(100 * errors / total, 1),
                    "gap ms": None if gap is None else round(gap),
                    "on record": heard,
                }
            )
    errors, total = sum(row["errors"] for row in rows), sum(row["words"] for row in rows)
    rate = 100 * errors / total
    report = Report("Human recordings through the wire", "kame-voice bench human", rows=rows)
    report.goals = [Goal("WER of the final transcripts", "≤ 8 %", f"{rate:.1f} %", rate <= 8)]
    report.notes.append(f"{errors} errors in {total} words; the turns of a call are read in order.")
    return report
