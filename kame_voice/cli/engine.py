"""kame-voice engine: prove, measure and size the GPU front end's speech engine."""

from __future__ import annotations

import json
import math
from pathlib import Path

import typer

from kame_voice.core.errors import KameError

__all__ = ["app"]

app = typer.Typer(help="The GPU front end's speech engine: verify, bench, plan.", no_args_is_help=True)


class BadOption(KameError):
    """An option of the command line has no meaning."""

    code = "bad-option"


def _counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise BadOption(f"{text!r} is no list of numbers", where="--slots", do="write 1,8,16") from error
    if not all(1 <= count <= 4096 for count in counts):
        raise BadOption(f"{text!r} is out of range", where="--slots", do="use 1 to 4096")
    return counts


def _config(name: str) -> None:
    from kame_voice.front_end.kame.configs import CONFIGS

    if name not in CONFIGS:
        raise BadOption(f"{name!r} is unknown", where="--config", do=f"use one of {', '.join(CONFIGS)}")


@app.command()
def verify(
    folder: Path = typer.Argument(help="Folder of reference vectors with their checkpoint."),
    slots: str = typer.Option("1,2,4,7", help="Rows of the batch, one replay for each number."),
    device: str = typer.Option("cpu", help="cpu or cuda."),
) -> None:
    """Replay reference vectors with calls that join, pause and leave; exit 1 on any mismatched token."""
    _need_libraries()
    from kame_voice.front_end.kame.vectors import verify as replay_all

    bad = False
    for result in replay_all(folder, slots=tuple(_counts(slots)), device=device):
        line = (
            f"{result.slots} slots: {result.compared} tokens compared, {result.mismatched} mismatched; "
            f"{result.ticks} ticks, {result.joins} joins, {result.pauses} pauses"
        )
        if result.oracle_mismatched:
            line += f"; {result.oracle_mismatched} oracle tokens differ from the schedule"
        if result.first is not None:
            call, step, stream, expected, got = result.first
            line += f"; first: call {call} step {step} stream {stream}: {got}, not {expected}"
        print(line)
        bad = bad or result.mismatched > 0 or result.oracle_mismatched > 0
    if bad:
        raise typer.Exit(1)


@app.command()
def bench(
    config: str = typer.Option("7b", help="Model shape: 7b, small, tiny, least."),
    slots: str = typer.Option("1,8,16,32,48,64,80", help="Calls at once, one row each."),
    seconds: float = typer.Option(10.0, min=0.4, max=600, help="Seconds of calls a row."),
    device: str = typer.Option("cuda", help="cuda or cpu."),
    json_file: Path | None = typer.Option(None, "--json", help="Write all figures here."),
    markdown_file: Path | None = typer.Option(None, "--markdown", help="Write the table here."),
    variants: bool = typer.Option(False, help="Add rows for shorter rings and single changes (GPU)."),
    singles: int = typer.Option(0, min=0, max=64, help="Compare so many calls batched with as many engines."),
    minutes: float = typer.Option(7.5, min=0.1, help="Begin no row after this long."),
) -> None:
    """Measure random weights of a true size, with frames fed and collected as in production."""
    from kame_voice.bench import engine as measuring
    from kame_voice.front_end.kame.configs import CONFIGS

    _config(config)
    counts = _counts(slots)
    cases = [measuring.Case(count) for count in counts]
    if variants:
        cases = measuring.gpu_cases(counts, CONFIGS[config].context)

    def report(row: measuring.Row) -> None:
        outcome = row.error or f"{row.on_time_pct:.2f} % on time, p50 {row.step_p50_ms:.1f} ms"
        print(f"{row.case.slots} calls {row.case.note}: {outcome}", flush=True)

    rows = measuring.measure(
        config, cases, seconds=seconds, device=device, report=report, limit_s=60 * minutes
    )
    table = measuring.markdown(rows, config=config, device=device)
    figures = measuring.as_json(rows, config=config, device=device)
    if singles:
        compared = measuring.compare_with_singles(config, singles, ticks=25, device=device)
        table += (
            f"\n\n{singles} calls batched: {compared.batched_ms:.1f} ms a tick; {singles} engines of one: "
            f"{compared.singles_ms:.1f} ms; ratio {compared.ratio:.2f}."
        )
        figures["singles"] = {"slots": singles, "ratio": compared.ratio}
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if markdown_file is not None:
        markdown_file.write_text(table + "\n", encoding="utf-8")
    print(f"\n{table}")


@app.command()
def plan(
    memory: float = typer.Option(141e9 / 2**30, min=1, help="The card's memory in GiB."),
    context: int = typer.Option(0, min=0, max=3000, help="Steps a call remembers; 0: a few, compared."),
    bandwidth: float = typer.Option(4300.0, min=10, help="The card's memory bandwidth in GB/s."),
    tflops: float = typer.Option(790.0, min=1, help="The card's dense bf16 rate in TFLOP/s."),
    config: str = typer.Option("7b", help="Model shape."),
) -> None:
    """Print how many calls a card holds. Arithmetic: an upper bound, not a measurement."""
    from kame_voice.front_end.kame.configs import CONFIGS
    from kame_voice.front_end.kame.plan import Card, forecast

    _config(config)
    if not math.isfinite(memory):
        raise BadOption("is not a number", where="--memory", do="give GiB")
    card = Card(memory * 2**30, bandwidth * 1e9, tflops * 1e12)
    print("steps  seconds  GiB a call  calls by memory  calls by time  calls  floor of a step")
    for steps in [context] if context else [3000, 1500, 750, 375]:
        sized = forecast(CONFIGS[config], card, context=steps)
        print(
            f"{steps:5d} {steps * 0.08:8.0f} {sized.ring_a_call / 2**30:11.3f} {sized.by_memory:16d} "
            f"{sized.by_time:14d} {sized.calls:6d} {1000 * sized.step_s:12.1f} ms"
        )


def _need_libraries() -> None:
    from importlib.util import find_spec

    from kame_voice.front_end.kame.errors import EngineMissing

    missing = [name for name in ("torch", "moshi", "safetensors") if find_spec(name) is None]
    if missing:
        raise EngineMissing(f"{', '.join(missing)} not installed", do="pip install 'kame-voice[gpu]'")
