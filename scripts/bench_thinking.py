"""How long the back end holds up the event loop: `python -m scripts.bench_thinking`.

Back ends of several calls ask the stand-in for a language model, a process of its own, over HTTP, while a
task that wants to run every millisecond notes how much later it does. Loopback only, half a minute a line.
With `--trace` every stall of over 10 ms is told with its cause, as far as it can be seen from within.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop

from kame_voice.bench.messages_server import messages_process
from kame_voice.core.nouns import CallInfo, OracleMode
from kame_voice.core.settings import load_settings
from kame_voice.core.telemetry import Telemetry
from kame_voice.flows.loader import load_flow
from kame_voice.oracle.base import Transcript
from kame_voice.oracle.claude import Claude
from kame_voice.oracle.knowledge import Knowledge
from kame_voice.oracle.thinking import Thinking
from scripts.stall_watch import StallWatch

FLOW = load_flow(Path("flows/harbor-dental.yaml"))
QUESTION = "I chipped a tooth last night and it really hurts, what can I do and could somebody see me today?"
WORDS = QUESTION.split()
RUNS = ((0, "normal"), (1, "normal"), (8, "normal"), (8, "529"), (8, "stall"))


async def said(number: int) -> AsyncIterator[Transcript]:
    """Four long questions, partial by partial, as a caller would ask them."""
    await asyncio.sleep(0.13 * number)
    for base in range(0, 36_000, 9_000):
        for upto in range(3, len(WORDS), 2):
            text, stable = " ".join(WORDS[:upto]), " ".join(WORDS[: upto - 1])
            yield Transcript(text, stable, base, base + upto * 300, is_final=False)
            await asyncio.sleep(0.4)
        yield Transcript(" ".join(WORDS), " ".join(WORDS), base, base + 6_000, is_final=True)
        await asyncio.sleep(1.8)


async def call(thinking: Thinking, number: int) -> None:
    """One call's thinking, its oracles thrown away."""
    begun = time.monotonic()
    info = CallInfo(f"c{number}", "x", FLOW.line, FLOW.customer, "+1", "+1", FLOW.content_hash)
    await thinking.back_end(info, FLOW).run(
        said(number),
        lambda _write: None,
        lambda _record: None,
        tuple,
        lambda: int((time.monotonic() - begun) * 1000),
        lambda _kind, **_data: None,
    )


async def late_ms(late: list[float], watch: StallWatch | None) -> None:
    """Note by how much each millisecond's turn came too late."""
    before = time.perf_counter()
    while True:
        await asyncio.sleep(0.001)
        if watch is not None:
            watch.beat()
        now = time.perf_counter()
        late.append((now - before - 0.001) * 1000)
        before = now


async def measure(calls: int, mode: str) -> None:
    """One line of figures."""
    with messages_process("--mode", mode) as url:
        knowledge = Knowledge()
        await knowledge.prepare(FLOW)
        claude = Claude("any", model="stand-in", base_url=url)
        settings = load_settings(oracle_facts_first=False)
        thinking = Thinking(settings, OracleMode.PARTIAL, knowledge, claude, Telemetry())
        late: list[float] = []
        watch = StallWatch() if "--trace" in sys.argv else None
        ticking = asyncio.create_task(late_ms(late, watch), name="ticker")
        await asyncio.gather(*(call(thinking, number) for number in range(calls)), asyncio.sleep(8))
        ticking.cancel()
        await claude.close()
        knowledge.close()
    if watch is not None:
        watch.close()
        for stall in watch.stalls:
            sys.stdout.write(f"  {stall}\n")
    late.sort()
    p50, p99, p999 = (late[int(len(late) * share)] for share in (0.5, 0.99, 0.999))
    sys.stdout.write(
        f"{calls} calls, model {mode}: late by median {p50:.2f}, p99 {p99:.2f}, p99.9 {p999:.2f}, "
        f"worst {late[-1]:.1f} ms\n"
    )


if __name__ == "__main__":
    for how_many, behaviour in RUNS:
        uvloop.run(measure(how_many, behaviour))
