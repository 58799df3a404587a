from __future__ import annotations

import asyncio
import json
import wave
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from kame_voice.audio.wav import write_wav
from kame_voice.cli.call import call
from tests.caller.line_under_test import LineUnderTest, greet_and_answer, serving

pytestmark = pytest.mark.anyio

app = typer.Typer()
app.command()(call)


async def ring(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


async def test_a_call_from_the_command_line_leaves_recording_and_report(tmp_path: Path) -> None:
    voice = tmp_path / "hello.wav"
    write_wav(voice, (0.3 * np.cos(np.arange(4800))).astype(np.float32))
    out, report = tmp_path / "call.wav", tmp_path / "call.json"
    async with serving(LineUnderTest(behaviour=greet_and_answer)) as line:
        result = await ring(
            *("--url", line.url, "--to", "+15550100", "--wav", str(voice), "--settle-ms", "100"),
            *("--out", str(out), "--json", str(report)),
        )
    assert result.exit_code == 0, result.output
    assert "agent speaks" in result.output
    assert "hello.wav" in result.output
    data = json.loads(report.read_text())
    assert data["outcome"] == "answered"
    assert data["exchanges"][0]["said"] == "hello.wav"
    with wave.open(str(out)) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, 8000)


async def test_a_refused_call_exits_with_one_and_says_why() -> None:
    async with serving(LineUnderTest(twiml="<Response><Say>We are full.</Say></Response>")) as line:
        result = await ring("--url", line.url, "--json", "-")
    assert result.exit_code == 1
    assert "call refused: says: We are full." in result.stderr
    assert json.loads(result.stdout)["outcome"] == "refused"
