"""`kame-voice calls`: the calls that were taken, and one of them as a readable transcript."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kame_voice.cli.erasing import delete_call, prune
from kame_voice.cli.timeline import clock, oracle_line, timeline

if TYPE_CHECKING:
    from kame_voice.store.archive import Archive
    from kame_voice.store.calls import CallDetail, CallOracle, CallSummary, CallTurn

__all__ = ["app"]

app = typer.Typer(name="calls", help="Read, and delete, the calls that were taken.", no_args_is_help=True)
app.command("delete")(delete_call)
app.command("prune")(prune)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON, as the API gives it.")]


@app.command("list")
def list_calls(
    line: Annotated[str | None, typer.Option(help="Only this line's calls.")] = None,
    status: Annotated[str | None, typer.Option(help="Only calls in this state, such as completed.")] = None,
    text: Annotated[str | None, typer.Option(help="Only calls in which these words were said.")] = None,
    flag: Annotated[
        str | None, typer.Option(help="Only calls with it: unanswered, ungrounded, barge_in or failure.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many calls.")] = 20,
    before: Annotated[str | None, typer.Option(help="Older calls: `next` of the page before.")] = None,
    as_json: _Json = False,
) -> None:
    """List calls, newest first."""
    from kame_voice.store.calls import CallFilter
    from kame_voice.store.listing import Flag
    from kame_voice.store.rows import CallStatus

    if status is not None and status not in list(CallStatus):
        raise typer.BadParameter(f"one of {', '.join(CallStatus)}", param_hint="--status")
    if flag is not None and flag not in list(Flag):
        raise typer.BadParameter(f"one of {', '.join(Flag)}", param_hint="--flag")
    wanted = CallFilter(line=line, status=status, words=text, flag=Flag(flag) if flag else None)
    with _archive() as archive:
        page = archive.calls.list(wanted, limit=limit, before=before)
    if as_json:
        print(_pretty(page.model_dump(mode="json")))
        return
    if not page.calls:
        print("No calls yet." if wanted == CallFilter() else "No such calls.")
        return
    print(f"{'ID':<12}  {'STARTED (UTC)':<19}  {'LASTED':>7}  {'STATUS':<11}  {'LINE':<16}  FROM")
    for call in page.calls:
        print(_row(call))
        for hit in call.hits[:2]:
            print(f"{'':<14}{clock(hit.start_ms, thousandths=False)}  {hit.speaker}: {hit.text}")
    if page.next:
        print(f"Older calls: the same with --before {page.next}")


@app.command("show")
def show_call(
    call_id: Annotated[str, typer.Argument(metavar="ID", help="A call's id, or how it begins.")],
    as_json: _Json = False,
) -> None:
    """Show one call: transcript, oracles, timeline, gaps, recording."""
    with _archive() as archive:
        call = archive.calls.find(call_id)
        path = archive.recordings.path_of(call.id)
    if as_json:
        print(_pretty(call.model_dump(mode="json")))
        return
    print("\n".join(_story(call, path)))


@contextmanager
def _archive() -> Iterator[Archive]:
    from kame_voice.core.settings import load_settings
    from kame_voice.store.archive import Archive

    settings = load_settings()
    archive = Archive.open_existing(settings.effective_database_url, settings.data_dir)
    try:
        yield archive
    finally:
        archive.close()


def _row(call: CallSummary) -> str:
    started = call.started_at.strftime("%Y-%m-%d %H:%M:%S")
    lasted = "-" if call.duration_ms is None else clock(call.duration_ms, thousandths=False)
    return (
        f"{call.id[:12]:<12}  {started}  {lasted:>7}  {call.status:<11}  {call.line:<16}  {call.from_number}"
    )


def _story(call: CallDetail, recording: Path | None) -> Iterator[str]:
    lasted = "still running" if call.duration_ms is None else clock(call.duration_ms)
    why = f" ({call.end_reason})" if call.end_reason else ""
    yield f"Call {call.id}  {call.status}{why}"
    yield f"  {call.line} ({call.customer})  {call.from_number} → {call.to_number}"
    yield f"  {call.started_at:%Y-%m-%d %H:%M:%S} UTC, {lasted}"
    yield f"  front end {call.front_end}, oracle {call.oracle_mode}, flow {call.flow_version}"
    yield f"  carrier's id {call.provider_id}"
    if call.summary_error:
        yield f"  not summed up: {call.summary_error}; tried again when the server starts next"
    yield from _section("Transcript", (text for turn in call.turns for text in _turn(turn)))
    yield from _section("Oracles", (text for oracle in call.oracles for text in _oracle(oracle)))
    yield from _section("Timeline", iter(timeline(call)))
    gaps, informed = call.latency.response_gap_ms, call.latency.informed_gap_ms
    if gaps:
        yield ""
        yield f"Response gaps   {_gaps(gaps)}"
        yield f"To the answer   {_gaps(informed)}"
    thinking = call.thinking
    if thinking.requests:
        yield ""
        yield (
            f"Thinking        {thinking.requests} requests, {thinking.input_tokens} tokens in, "
            f"{thinking.output_tokens} out, ${thinking.cost_usd:.4f}"
        )
    yield ""
    yield f"Recording       {recording or 'none'}"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield ""
            yield title
        yield f"  {line}"


def _turn(turn: CallTurn) -> Iterator[str]:
    words = turn.text or "(not transcribed)"
    marks = ["verbatim"] if turn.verbatim else []
    if turn.oracle_ids:
        marks.append("oracle " + ", ".join(turn.oracle_ids))
    yield f"{clock(turn.start_ms)} – {clock(turn.end_ms)}  {turn.speaker:<6}  {words}" + (
        f"  [{'; '.join(marks)}]" if marks else ""
    )
    if turn.heard_text is not None and turn.heard_text != turn.text:
        heard = f"{turn.heard_text} ✂" if turn.heard_text else "nothing"
        yield f"{'':>25}heard:  {heard}"
    for one in turn.sentences:
        if one.grounded is False:
            yield f"{'':>25}no source:  {one.text}"


def _oracle(oracle: CallOracle) -> Iterator[str]:
    final = "final" if oracle.is_final else "partial"
    yield f"{oracle.id}  {oracle.source}, {final}, {oracle.outcome}: {oracle.text or '(no text)'}"
    times = f"asked {clock(oracle.asked_ms)}"
    for name, at_ms in (("first token", oracle.first_token_ms), ("delivered", oracle.delivered_ms)):
        times += f", {name} " + ("never" if at_ms is None else f"+{at_ms - oracle.asked_ms} ms")
    about = oracle_line(oracle)
    yield f"    {times}{', ' if about else ''}{about}"
    yield f"    on: {oracle.basis}"


def _gaps(gaps: list[int] | list[int | None]) -> str:
    return "  ".join("-" if gap is None else f"{gap} ms" for gap in gaps)


def _pretty(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
