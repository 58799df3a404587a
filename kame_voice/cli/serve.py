"""`kame-voice serve`: answer calls."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 8080,
    config: Annotated[Path | None, typer.Option(help="Settings file instead of config/kame.yaml.")] = None,
) -> None:
    """Answer calls until SIGTERM or Ctrl-C; running calls are finished first."""
    # before numpy is loaded. Its products here are small: two threads on one wait for each other, busily
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from kame_voice.core.logs import configure_logs
    from kame_voice.core.settings import load_settings
    from kame_voice.server import run_until_signal

    settings = load_settings(config)
    configure_logs(settings.log_level, settings.log_format)
    run_until_signal(settings, host, port, announce=lambda text: print(text, flush=True))
