"""`kame-voice bench`: what the project promises, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kame_voice.bench.report import Report

__all__ = ["app"]

app = typer.Typer(
    name="bench",
    help="Measure a server of its own on this machine. Exit code 1 when a goal is missed.",
    no_args_is_help=True,
)

_Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")]
_Flows = Annotated[Path, typer.Option(help="Folder of the sample flows.")]
_DatabaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="An empty PostgreSQL database instead of SQLite.")
]
_FilledFolder = Annotated[
    Path | None, typer.Option(help="Keep the filled data folder here, and use it again.")
]
_To = Annotated[str, typer.Option(help="Number to call; a flow must name it.")]


@app.command("phone-path")
def phone_path(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    to: _To = "+15550100",
    calls: Annotated[str, typer.Option(help="Numbers of calls to try, until it breaks.")] = (
        "1,20,50,80,110,140,170,200"
    ),
    seconds: Annotated[float, typer.Option(min=2, help="How long each number is measured.")] = 15,
    recording: Annotated[bool, typer.Option("--recording", help="Record the calls, too.")] = False,
    stall_ms: Annotated[
        int, typer.Option(min=0, max=2000, help="Stop the server for so long before it is measured.")
    ] = 0,
) -> None:
    """Wire, codec, resampling and pacing alone: CPU a call, jitter, holes, echo, breaking point."""
    from kame_voice.bench import phone_path as bench

    steps = [int(part) for part in calls.split(",")]
    _finish(bench.run(flows_dir, to, steps, seconds, recording=recording, stall_s=stall_ms / 1000), json_file)


@app.command("response")
def response(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions of each line.")] = None,
    oracle: Annotated[str, typer.Option(help="KAME_ORACLE of the server: partial or final.")] = "partial",
) -> None:
    """Response gap, greeting, and the share of right answers over spoken questions."""
    from kame_voice.bench import response as bench

    _finish(bench.run(flows_dir, limit=limit, settings={"KAME_ORACLE": oracle}), json_file)


@app.command("concurrent")
def concurrent(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    calls: Annotated[int, typer.Option(min=1, help="Callers at once.")] = 5,
    questions: Annotated[int, typer.Option(min=1, help="Questions a caller.")] = 3,
) -> None:
    """Whole conversations at once: all answered, none crossed, late frames."""
    from kame_voice.bench import concurrent as bench

    _finish(bench.run(flows_dir, calls=calls, questions=questions), json_file)


@app.command("human")
def human(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    folder: Annotated[Path, typer.Option(help="Recordings, with their words in its README.md.")] = Path(
        "tests/data/speech"
    ),
    to: _To = "+15550100",
) -> None:
    """Word errors of the record over recordings of people."""
    from kame_voice.bench import human as bench

    _finish(bench.run(flows_dir, folder, to), json_file)


@app.command("stt")
def stt(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    callers: Annotated[int, typer.Option(min=1, help="Callers who talk at once.")] = 8,
    seconds: Annotated[float, typer.Option(min=5, help="How long they talk.")] = 30,
    workers: Annotated[int, typer.Option(min=1, help="Threads for partials (KAME_STT_WORKERS).")] = 1,
) -> None:
    """Speech to text under load: how old the words of many callers are who talk at once."""
    from kame_voice.bench import stt as bench

    _finish(bench.run(flows_dir, callers=callers, seconds=seconds, workers=workers), json_file)


@app.command("systems")
def systems(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure only this part: cascade-knowledge, tandem-knowledge, cascade-llm, "
            "cascade-llm-facts-first, tandem-llm, tandem-llm-alone, direct, kame-llm or lateness; may be "
            "given several times. Parts in one --json file add up."
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw every answer's gap as SVG.")] = None,
    seed: Annotated[int, typer.Option(help="Of the language model's delays.")] = 0,
    holding: Annotated[
        bool, typer.Option("--holding", help="Leave the lines their holding phrases.")
    ] = False,
    weights: Annotated[str, typer.Option(help="KAME checkpoint, for the systems that need one.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions of each line.")] = None,
) -> None:
    """Cascade, tandem, direct and KAME, asked the same spoken questions in one run."""
    from kame_voice.bench import systems_run as bench

    run = bench.Run(flows_dir, tuple(only or ()), seed, holding, weights, limit)
    _finish(bench.run(run, json_file, plot), json_file)


@app.command("failures")
def failures(json_file: _Json = None, flows_dir: _Flows = Path("flows")) -> None:
    """What a caller hears, and how soon, for each way in which the language model can fail."""
    from kame_voice.bench import failures as bench

    _finish(bench.run(flows_dir, report=lambda text: typer.echo(text, err=True)), json_file)


@app.command("review")
def review(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    calls: Annotated[int, typer.Option(min=1000, help="Calls in the database.")] = 100_000,
    folder: _FilledFolder = None,
    database_url: _DatabaseUrl = None,
    chromium: Annotated[str | None, typer.Option(help="Path of the browser; empty: as installed.")] = None,
) -> None:
    """Pages over years of calls: time of lists, filters, searches; an hour's call in a real browser."""
    from kame_voice.bench import review as bench

    _finish(
        bench.run(flows_dir, calls=calls, folder=folder, database_url=database_url, chromium=chromium),
        json_file,
    )


@app.command("dashboard")
def dashboard(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    calls: Annotated[int, typer.Option(min=1000, help="Calls in the last 30 days.")] = 100_000,
    folder: _FilledFolder = None,
    database_url: _DatabaseUrl = None,
) -> None:
    """The dashboard over a busy month: its first view after a start, and views of days, weeks, a line."""
    from kame_voice.bench import dashboard as bench

    _finish(bench.run(flows_dir, calls=calls, folder=folder, database_url=database_url), json_file)


@app.command("browser")
def browser(
    json_file: _Json = None,
    flows_dir: _Flows = Path("flows"),
    part: Annotated[
        list[str] | None, typer.Option(help="load, gap or memory; give it several times. All, if none.")
    ] = None,
    calls: Annotated[int, typer.Option(min=1, help="Callers at once, for load.")] = 8,
    seconds: Annotated[float, typer.Option(min=5, help="How long the load is measured.")] = 30,
    questions: Annotated[int, typer.Option(min=1, help="Questions a line, for gap.")] = 4,
    memory_calls: Annotated[int, typer.Option(min=40, help="Calls made and ended, for memory.")] = 200,
) -> None:
    """Calls from browsers: CPU a call, late playout, gap beside the phone's, first sound, memory."""
    from kame_voice.bench import browser as bench

    unknown = set(part or ()) - set(bench.PARTS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(bench.PARTS)}")
    sizes = bench.Sizes(calls, seconds, questions, memory_calls)
    _finish(bench.run(flows_dir, part or bench.PARTS, sizes), json_file)


def _finish(report: Report, json_file: Path | None) -> None:
    report.write(json_file)
    if not report.reached:
        raise typer.Exit(1)
