"""`kame-voice calls delete` and `prune`: calls that are gone for good. Each goes into the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from kame_voice.cli.audited import noting, somebody_here

if TYPE_CHECKING:
    from kame_voice.accounts.trail import AuditTrail
    from kame_voice.review.erasing import Erasure, Gone
    from kame_voice.store.archive import Archive

__all__ = ["delete_call", "prune"]

_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def delete_call(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="A call's id, or how it begins.")],
    yes: _Yes = False,
) -> None:
    """Delete a finished call for good: transcript, recording, notes and all else that is kept of it."""
    from kame_voice.accounts.trail import Action

    with _desk() as (archive, erasure, trail):
        call = archive.calls.find(call_id)
        about = f"{call.id}, {call.line}, {call.started_at:%Y-%m-%d %H:%M} UTC, from {call.from_number}"
        if not yes:
            typer.confirm(f"Delete call {about} for good?", abort=True)
        gone = erasure.call(call.id)
        if gone is not None:
            data = {"line": gone.line, "started_at": gone.started_at.isoformat()}
            trail.record(
                Action.CALL_DELETE, somebody_here(), call_id=gone.id, customer=gone.customer, data=data
            )
    print(f"Deleted {about}.")


def prune(
    older_than: Annotated[int, typer.Option(min=1, metavar="DAYS", help="Keep what is younger.")],
    recordings: Annotated[
        bool, typer.Option("--recordings", help="Delete recordings alone; the calls stay.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deleted, and end.")] = False,
    yes: _Yes = False,
) -> None:
    """Delete all finished calls that began over DAYS days ago, as the setting `keep_days` would."""
    from kame_voice.accounts.trail import Action
    from kame_voice.review.erasing import Age, Gone

    age = Age(recordings=older_than) if recordings else Age(calls=older_than)
    with _desk() as (_, erasure, trail):
        due = erasure.due(age)
        if dry_run or not due:
            print(f"{_told(due)} over {older_than} days old; nothing was deleted.")
            return
        if not yes:
            typer.confirm(f"Delete {_told(due)} over {older_than} days old for good?", abort=True)
        gone = Gone()
        try:
            for step in erasure.old(age):
                gone += step
        finally:
            if gone:
                data = {"calls": gone.calls, "recordings": gone.recordings, "older_than_days": older_than}
                trail.record(Action.CALL_DELETE, somebody_here(), data=data)
            print(f"Deleted {_told(gone)}.")


@contextmanager
def _desk() -> Iterator[tuple[Archive, Erasure, AuditTrail]]:
    from kame_voice.accounts.trail import AuditTrail
    from kame_voice.core.settings import load_settings
    from kame_voice.review.erasing import Erasure
    from kame_voice.store.archive import Archive

    settings = load_settings()
    archive = Archive.open_existing(settings.effective_database_url, settings.data_dir)
    try:
        with noting(archive) as note:
            yield archive, Erasure.over(archive, settings.data_dir), AuditTrail(note)
    finally:
        archive.close()


def _told(gone: Gone) -> str:
    """ "3 calls", "2 recordings", "3 calls and 2 recordings"."""
    parts = []
    if gone.calls or not gone.recordings:
        parts.append(f"{gone.calls} call{'' if gone.calls == 1 else 's'}")
    if gone.recordings:
        parts.append(f"{gone.recordings} recording{'' if gone.recordings == 1 else 's'}")
    return " and ".join(parts)
