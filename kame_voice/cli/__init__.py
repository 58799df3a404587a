"""The command line. One file a group of commands; heavy rooms are imported when a command runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import NoReturn

import typer

from kame_voice import __version__
from kame_voice.cli import bench, call, calls, demo, demo_data, doctor, engine, flows, serve, users
from kame_voice.core.errors import KameError

__all__ = ["main"]

app = typer.Typer(
    name="kame-voice",
    help="A phone line that answers at once and knows the business.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("demo-data")(demo_data.demo_data)
app.command("call")(call.call)
app.command("doctor")(doctor.doctor)
app.add_typer(flows.app, name="flows")
app.add_typer(calls.app, name="calls")
app.add_typer(users.app, name="users")
app.add_typer(engine.app, name="engine")
app.add_typer(bench.app, name="bench")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Run a command; an error meant for a person is one line on stderr and exit code 1."""
    try:
        app()
    except KameError as error:
        _complain([error])
    except BaseExceptionGroup as group:
        told, bugs = group.split(KameError)
        if bugs is not None or told is None:
            raise
        _complain(_leaves(told))


def _complain(errors: Iterable[KameError]) -> NoReturn:
    for error in errors:
        print(f"kame-voice: {error}", file=sys.stderr)
    sys.exit(1)


def _leaves(group: BaseExceptionGroup[KameError]) -> Iterator[KameError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
