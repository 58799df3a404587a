"""Whole calls from a browser's place: real WebRTC over UDP, judged by what an STT hears of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kame_voice.caller.browser import BrowserCaller, BrowserResult
from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.listener import Listener
from kame_voice.caller.scripts import conversation
from kame_voice.store.calls import CallDetail
from tests.support.running_app import OPEN_TO_BROWSERS, RunningApp, flow_text, running_app

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]

LINE = "acme-main"


async def record(line: RunningApp, result: BrowserResult) -> CallDetail:
    """The call as it is kept, once it is closed."""
    async with asyncio.timeout(15):
        while True:
            detail = line.app.archive.calls.get(result.call_id)
            if detail is not None and detail.duration_ms is not None:
                return detail
            await asyncio.sleep(0.1)


def captions(result: BrowserResult, speaker: str) -> list[str]:
    return [
        event["text"]
        for event in result.told
        if event["type"] == "caption" and event["speaker"] == speaker and event["final"]
    ]


async def test_a_caller_is_greeted_answered_and_remembered(
    tmp_path: Path, voice: CallerVoice, listener: Listener
) -> None:
    async with running_app(tmp_path, flow_text(more=OPEN_TO_BROWSERS), front_end="spoken") as line:
        result = await BrowserCaller(line.url).call(
            LINE, conversation([voice.speak("How much is a puncture repair?")], dtmf="42#")
        )
        call = await record(line, result)
    listener.transcribe(result.call)
    assert "bicycles" in (result.call.greeting_text or "").lower()
    assert "wait for it" in (result.call.exchanges[0].answer_text or "").lower()
    assert (call.from_number, call.to_number) == ("browser:127.0.0.1", "browser:acme-main")
    assert (call.status, call.end_reason) == ("completed", "caller hung up")
    answer = next(turn for turn in call.turns if "twelve euros" in turn.text)
    assert answer.heard_text == answer.text
    assert any("puncture" in text.lower() for text in captions(result, "caller"))
    assert answer.text in captions(result, "agent")
    assert [event.data["digit"] for event in call.events if event.kind == "dtmf"] == ["4", "2", "#"]
    assert result.told[-1] == {"type": "ended", "status": "completed", "reason": "caller hung up"}
    assert "oracle" not in {event["type"] for event in result.told}, "that is for staff"
