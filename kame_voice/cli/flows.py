"""`kame-voice flows`: check flow files, print their JSON schema, try a line by text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kame_voice.core.errors import KameError

if TYPE_CHECKING:
    from kame_voice.flows.loader import FlowFile
    from kame_voice.flows.schema import Flow
    from kame_voice.oracle.trial import Trial

__all__ = ["NoSuchLine", "app"]

app = typer.Typer(help="Check flow files and try them by text.", no_args_is_help=True)

FlowsDir = Annotated[
    Path | None, typer.Option("--flows-dir", help="Folder of flows; default: the settings' flows_dir.")
]


class NoSuchLine(KameError):
    """A line was asked for that no flow has."""

    code = "no-such-line"


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; default: the settings' flows_dir.")
    ] = None,
) -> None:
    """Check flow files: one line a flow, or every mistake with its place and exit code 1."""
    for file in _read(paths or [_flows_dir(None)]):
        flow = file.flow
        reached = [*flow.numbers, *(["any other number"] if flow.default else [])]
        print(
            f"{file.name}: line {flow.line}, customer {flow.customer}, "
            f"{', '.join(reached) or 'no number'}, {len(flow.facts)} facts, version {flow.content_hash}"
        )


@app.command()
def schema() -> None:
    """Print the JSON schema of a flow, as flows/flow.schema.json keeps it for editors."""
    from kame_voice.flows.schema import Flow

    print(json.dumps(Flow.model_json_schema(), indent=2, ensure_ascii=False))


@app.command()
def ask(
    line: Annotated[str, typer.Argument(help="The line's name.")],
    question: Annotated[str, typer.Argument(help="What a caller would say.")],
    flows_dir: FlowsDir = None,
) -> None:
    """Ask a line by text what a caller would ask; answered offline, from the flow's own knowledge."""
    files = _read([_flows_dir(flows_dir)])
    flow = next((file.flow for file in files if file.flow.line == line), None)
    if flow is None:
        names = ", ".join(sorted(file.flow.line for file in files))
        raise NoSuchLine(f"no flow has the line {line!r}", do=f"ask one of {names}")
    if not question.strip():
        raise typer.BadParameter("say something", param_hint="QUESTION")
    trial = _trial(flow, question)
    print(trial.answer)
    print(f"facts: {', '.join(trial.facts) or 'none; the line said that it does not know'}")
    print(f"scores: {', '.join(f'{name} {score:.2f}' for name, score in trial.scores[:4])}")


def _trial(flow: Flow, question: str) -> Trial:
    from kame_voice.oracle.knowledge import Knowledge

    with contextlib.closing(Knowledge()) as knowledge:
        return knowledge.try_out(flow, question)


def _flows_dir(given: Path | None) -> Path:
    from kame_voice.core.settings import load_settings

    return given or load_settings().flows_dir


def _read(paths: Iterable[Path]) -> list[FlowFile]:
    from kame_voice.flows.directory import read_flow_files
    from kame_voice.flows.folder import flow_paths

    files = [file for path in paths for file in (flow_paths(path) if path.is_dir() else [path])]
    return read_flow_files(dict.fromkeys(files))
