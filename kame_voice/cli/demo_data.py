"""`kame-voice demo-data`: place many calls of all kinds, so that there is a record to look at."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kame_voice.demo.stage import Placed

__all__ = ["demo_data"]


def demo_data(
    data_dir: Annotated[Path, typer.Option(help="Where the calls are kept.")] = Path("data"),
    flows_dir: Annotated[Path, typer.Option(help="The sample flows, whose lines are called.")] = Path(
        "flows"
    ),
    recordings: Annotated[
        Path, typer.Option(help="Folder of the recordings of people; without it those callers stay away.")
    ] = Path("tests/data/speech"),
    at_a_time: Annotated[int, typer.Option(min=1, max=16, help="Calls at the same time.")] = 4,
    slots: Annotated[
        int, typer.Option(min=1, max=16, help="Slots of the server; the last callers are one more than fit.")
    ] = 6,
) -> None:
    """Start a server of its own on loopback, place about forty calls in real time, and end it."""
    from kame_voice.bench.server import serving_process
    from kame_voice.caller.rest import RestStandIn, serving_rest
    from kame_voice.demo.cast import load_cast
    from kame_voice.demo.stage import outcome_of, place

    began = time.monotonic()
    cast = [part for part in load_cast() if not part.recording or (recordings / part.recording).exists()]
    rest = RestStandIn()

    def show(placed: Placed) -> None:
        part = placed.part
        print(
            f"{time.monotonic() - began:6.1f} s  {part.from_number} → {part.to_number}  {outcome_of(placed)}",
            flush=True,
        )

    print(f"Starting a server, then placing {len(cast)} calls, {at_a_time} at a time ...", flush=True)
    with serving_rest(rest):
        settings = {
            "KAME_DATA_DIR": str(data_dir),
            "KAME_CAPACITY": str(slots),
            "KAME_FRONT_END": "spoken",
            "KAME_TWILIO_API_URL": rest.url,
        }
        with serving_process(flows_dir, settings=settings) as served:
            placed = asyncio.run(
                place(cast, served.server, rest, recordings, at_a_time=at_a_time, on_placed=show)
            )
    ended = Counter(one.result.outcome.value if one.result else "abandoned" for one in placed)
    told = ", ".join(f"{count} {name}" for name, count in ended.most_common())
    print(f"\n{len(placed)} calls in {time.monotonic() - began:.0f} s: {told}")
    place_of_data = "" if data_dir == Path("data") else f"KAME_DATA_DIR={data_dir} "
    print(f"list them   {place_of_data}.venv/bin/kame-voice calls list")
