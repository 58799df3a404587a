"""One run of the comparison of systems, whole or in parts that add up in one file."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kame_voice.bench.report import Report
from kame_voice.bench.systems import (
    SYSTEMS,
    load_parts,
    measure_lateness,
    measure_systems,
    questions_hash,
    unhurried_flows,
)
from kame_voice.bench.systems_plot import gap_plot
from kame_voice.bench.systems_report import systems_report
from kame_voice.core.errors import KameError

__all__ = ["Run", "UnknownPart", "run"]

_LATENESS: Final = "lateness"
_LATENESS_CALLS: Final = 4


class UnknownPart(KameError):
    """There is no such part of the comparison."""

    code = "unknown-part"


@dataclass(frozen=True, slots=True)
class Run:
    """What is asked for. `only`: parts by their names in lower case with hyphens; none: all of them."""

    flows_dir: Path
    only: tuple[str, ...]
    seed: int
    holding: bool
    weights: str
    limit: int | None


def run(asked: Run, json_file: Path | None, plot: Path | None) -> Report:
    """Measure, add to what `json_file` holds of the same comparison, draw. Raises UnknownPart."""
    names = {_slug(system.name): system for system in SYSTEMS}
    unknown = set(asked.only) - {*names, _LATENESS}
    if unknown:
        raise UnknownPart(
            f"there is no {', '.join(sorted(unknown))}",
            where="--only",
            do=f"one of {', '.join((*names, _LATENESS))}",
        )
    systems = [system for slug, system in names.items() if not asked.only or slug in asked.only]
    parts: dict[str, Any] = load_parts(json_file, asked.seed) if json_file and asked.only else {}
    parts = {"questions": questions_hash(), "seed": asked.seed, "systems": {}, **parts}
    with unhurried_flows(asked.flows_dir, holding=asked.holding) as flows:
        parts["systems"] |= measure_systems(
            flows,
            systems,
            seed=asked.seed,
            weights=asked.weights,
            limit=asked.limit,
            holding=asked.holding,
            report=_say,
        )
        if not asked.only or _LATENESS in asked.only:
            parts["lateness"] = measure_lateness(flows, seed=asked.seed, calls=_LATENESS_CALLS, report=_say)
    parts["systems"] = {s.name: parts["systems"][s.name] for s in SYSTEMS if s.name in parts["systems"]}
    if plot is not None:
        plot.write_text(gap_plot(parts["systems"]), encoding="utf-8")
    return systems_report(parts, _command(asked))


def _slug(name: str) -> str:
    return name.lower().replace(", ", "-").replace(" ", "-")


def _command(asked: Run) -> str:
    options = [f"--only {part}" for part in asked.only]
    options += ["--holding"] if asked.holding else []
    return " ".join(["kame-voice bench systems", f"--seed {asked.seed}", *options])


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
