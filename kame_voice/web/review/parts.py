"""What the review's routes are built from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException

from kame_voice.accounts.viewer import Viewer
from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.schema import Flow
from kame_voice.review.erasing import Erasure
from kame_voice.review.peaks import Peaks
from kame_voice.store.archive import Archive
from kame_voice.store.calls import CallDetail
from kame_voice.store.notes import NoteStore
from kame_voice.store.questions import QuestionStore

__all__ = ["ReviewParts"]


@dataclass(frozen=True, slots=True)
class ReviewParts:
    """`which_facts` tells which facts of a flow answer a question today; it blocks for some 10 ms.

    `threads` of low priority are for what takes the processor, such as sound.
    """

    archive: Archive
    flows: FlowDirectory
    peaks: Peaks
    erasure: Erasure
    notes: NoteStore
    questions: QuestionStore
    which_facts: Callable[[Flow, str], list[str]]
    threads: Executor

    @classmethod
    def over(
        cls,
        archive: Archive,
        flows: FlowDirectory,
        data_dir: Path,
        which_facts: Callable[[Flow, str], list[str]] | None,
        threads: Executor,
    ) -> ReviewParts:
        """The review of one archive; outlines are kept under `data_dir`."""
        peaks = Peaks(archive.recordings, data_dir / "peaks")
        return cls(
            archive,
            flows,
            peaks,
            Erasure(archive, peaks),
            NoteStore(archive.database),
            QuestionStore(archive.database),
            which_facts or (lambda _flow, _question: []),
            threads,
        )

    def call(self, viewer: Viewer, call_id: str) -> CallDetail:
        """The call, where the viewer may see it. Blocks. Raises HTTPException 404, for others' calls too."""
        detail = self.archive.calls.get(call_id, viewer.customers)
        if detail is None:
            raise HTTPException(404, f"There is no call {call_id!r}.")
        return detail

    def line(self, viewer: Viewer, name: str) -> Flow | None:
        """Today's flow of a line, where the viewer may see it."""
        flow = self.flows.line(name)
        return flow if flow is not None and viewer.may_see(flow.customer) else None
