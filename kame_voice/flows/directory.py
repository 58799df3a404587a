"""The flows of the process: a folder of files, read into immutable generations. Knows no calls."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import structlog

from kame_voice.core.clock import Clock, monotonic
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.errors import FlowError, FlowMistake
from kame_voice.flows.folder import FolderStamp, flow_paths, stamp_of
from kame_voice.flows.loader import FlowFile, read_flow_file
from kame_voice.flows.schema import Flow

__all__ = ["FlowDirectory", "Generation", "read_flow_files"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Generation:
    """All flows as one reading of the folder found them. Never changed; a reload makes the next one.

    `number` counts from 1; `loaded_at` is the reading's time on the directory's clock, in seconds.
    `paths`: the file of each line.
    """

    number: int
    by_line: Mapping[str, Flow]
    by_number: Mapping[str, Flow]
    default: Flow | None
    loaded_at: float
    paths: Mapping[str, Path] = field(default_factory=dict)


class FlowDirectory:
    """Number → flow, from one folder. Calls that hold a `Flow` keep it through every reload."""

    def __init__(self, folder: Path, telemetry: Telemetry, clock: Clock = monotonic) -> None:
        """Read `folder`. Raises FlowError with every mistake in every file: nothing starts half right."""
        self._folder = folder
        self._telemetry = telemetry
        self._clock = clock
        self._reading = threading.Lock()
        self._trouble: FlowError | None = None
        self._stamp = stamp_of(folder)
        self._generation = _generation(1, self._read(), clock())

    @property
    def folder(self) -> Path:
        """Where the flow files are."""
        return self._folder

    @property
    def stamp(self) -> FolderStamp:
        """What the folder looked like when it was last read, well or not."""
        return self._stamp

    @property
    def generation(self) -> Generation:
        """The generation that new calls get."""
        return self._generation

    @property
    def trouble(self) -> FlowError | None:
        """Why the last reload failed; None where it succeeded."""
        return self._trouble

    def line_for(self, number: str) -> Flow | None:
        """The flow that answers the dialled `number` (E.164), else the default flow, else None."""
        generation = self._generation
        return generation.by_number.get(number, generation.default)

    def line(self, name: str) -> Flow | None:
        """The flow of the line called `name`."""
        return self._generation.by_line.get(name)

    def zone_of(self, line: str) -> ZoneInfo:
        """The time zone of a line; UTC for one that is no more."""
        flow = self.line(line)
        return flow.business.zone if flow else ZoneInfo("UTC")

    def reload(self) -> Generation:
        """Read the folder again; the new generation, or the old one where there is any mistake.

        Never raises for what stands in the folder: mistakes are logged, counted and kept in
        `trouble`. Blocks while it reads (about 3 ms a fact); may be called from
        any thread.
        """
        with self._reading:
            # Before the reading: what changes during it is then seen as a further change.
            self._stamp = stamp_of(self._folder)
            try:
                files = self._read()
            except FlowError as error:
                self._keep(error)
            else:
                self._take(files)
            return self._generation

    def _read(self) -> list[FlowFile]:
        return read_flow_files(flow_paths(self._folder))

    def _keep(self, error: FlowError) -> None:
        self._trouble = error
        self._telemetry.flow_reloads.labels("failed").inc()
        log.error(
            "flows not reloaded; calls go on with those read before",
            generation=self._generation.number,
            mistakes=[str(mistake) for mistake in error.mistakes],
        )

    def _take(self, files: list[FlowFile]) -> None:
        old, mended = self._generation, self._trouble is not None
        self._trouble = None
        new = _generation(old.number + 1, files, self._clock())
        if new.by_line == old.by_line and new.paths == old.paths:
            self._telemetry.flow_reloads.labels("unchanged").inc()
            if mended:
                log.info("flows are as before", generation=old.number)
            return
        self._generation = new
        self._telemetry.flow_reloads.labels("loaded").inc()
        log.info(
            "flows reloaded",
            generation=new.number,
            added=sorted(new.by_line.keys() - old.by_line.keys()),
            removed=sorted(old.by_line.keys() - new.by_line.keys()),
            changed=sorted(name for name, flow in new.by_line.items() if old.by_line.get(name, flow) != flow),
        )


def read_flow_files(paths: Iterable[Path]) -> list[FlowFile]:
    """Read all files, then hold them against each other. Raises FlowError with every mistake of all."""
    files: list[FlowFile] = []
    mistakes: list[FlowMistake] = []
    for path in paths:
        try:
            files.append(read_flow_file(path))
        except FlowError as error:
            mistakes += error.mistakes
    mistakes += _conflicts(files)
    if mistakes:
        raise FlowError(mistakes)
    return files


def _generation(number: int, files: list[FlowFile], loaded_at: float) -> Generation:
    flows = [file.flow for file in files]
    return Generation(
        number=number,
        by_line=MappingProxyType({flow.line: flow for flow in flows}),
        by_number=MappingProxyType({phone: flow for flow in flows for phone in flow.numbers}),
        default=next((flow for flow in flows if flow.default), None),
        loaded_at=loaded_at,
        paths=MappingProxyType({file.flow.line: Path(file.name) for file in files}),
    )


def _conflicts(files: list[FlowFile]) -> Iterator[FlowMistake]:
    """What two files both claim; a mistake in each of them that names the other."""
    claims: dict[tuple[str, str], list[tuple[FlowFile, tuple[str | int, ...]]]] = defaultdict(list)
    for file in files:
        claims["line", file.flow.line].append((file, ("line",)))
        for index, phone in enumerate(file.flow.numbers):
            claims["number", phone].append((file, ("numbers", index)))
        if file.flow.default:
            claims["default flow", ""].append((file, ("default",)))
    for (noun, name), claimants in claims.items():
        for file, path in claimants:
            others = ", ".join(
                f"{other.name}:{other.line_of(*there)}" for other, there in claimants if other is not file
            )
            if others and noun == "default flow":
                yield file.mistake(path, f"only one flow can be the default; so is {others}")
            elif others:
                yield file.mistake(path, f"the {noun} {name} is claimed by {others} too")
