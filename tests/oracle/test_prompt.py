from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kame_voice.core.nouns import Speaker
from kame_voice.oracle.base import Said
from kame_voice.oracle.prompt import (
    FINAL_WORDS,
    GUESS_WORDS,
    Prompt,
    build_prompt,
    business_text,
    summary_prompt,
)
from tests.oracle.examples import DENTIST, MONDAY_NOON, request

HISTORY = (
    Said(Speaker.AGENT, "Hello, this is Bay Dental."),
    Said(Speaker.CALLER, "How much is a cleaning?"),
    Said(Speaker.AGENT, "A cleaning is one"),
)

GOLDEN = Path(__file__).parent / "golden"

LONG_CALL = "The caller wants a cleaning for her son and herself on a Monday. You told her the price."
REQUESTS = {
    "final": request("Are you open?", history=HISTORY),
    "guess": request("How much is a", is_final=False),
    "at_night": request("Are you open?", now=MONDAY_NOON.replace(hour=22)),
    "long_call": request("And whitening?", history=HISTORY[1:]),
}
REQUESTS["long_call"] = replace(REQUESTS["long_call"], summary=LONG_CALL)


def as_text(prompt: Prompt) -> str:
    """A prompt as a person reads it in a golden file."""
    parts = [f"max_tokens: {prompt.max_tokens}"]
    for block in prompt.system:
        parts.append(f"=== system{' (cached)' if 'cache_control' in block else ''}\n{block['text']}")
    parts += [f"=== {message['role']}\n{message['content']}" for message in prompt.messages]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("name", REQUESTS)
def test_the_prompt_is_the_golden_one_to_the_byte(name: str) -> None:
    """After a change that is meant run this file with KAME_WRITE_GOLDEN=1, and read the diff."""
    written = as_text(build_prompt(REQUESTS[name]))
    if os.environ.get("KAME_WRITE_GOLDEN"):
        (GOLDEN / f"{name}.txt").write_text(written)
    assert written == (GOLDEN / f"{name}.txt").read_text()


def test_the_notes_of_a_long_call_are_asked_for_from_the_notes_before_and_what_came_after() -> None:
    written = as_text(summary_prompt(DENTIST, LONG_CALL, HISTORY))
    if os.environ.get("KAME_WRITE_GOLDEN"):
        (GOLDEN / "summary.txt").write_text(written)
    assert written == (GOLDEN / "summary.txt").read_text()


def test_the_business_comes_first_and_is_cached() -> None:
    prompts = [build_prompt(one) for one in REQUESTS.values()]
    assert {prompt.system[0]["text"] for prompt in prompts} == {business_text(DENTIST)}
    assert all(prompt.system[0]["cache_control"] == {"type": "ephemeral"} for prompt in prompts)


def test_a_sentence_that_was_broken_off_is_told_as_far_as_it_was_heard() -> None:
    history = (HISTORY[1], Said(Speaker.AGENT, "A cleaning is", cut=True))
    assert build_prompt(request("Stop.", history=history)).messages[1]["content"] == "A cleaning is —"


def test_what_changes_by_the_minute_comes_after_the_cached_part() -> None:
    noon = build_prompt(request("Are you open?"))
    night = build_prompt(request("Are you open?", now=MONDAY_NOON.replace(hour=22)))
    assert noon.system[0] == night.system[0]
    assert noon.system[1]["text"] == (
        "At the business it is noon on Monday, March two, 2026. "
        "We are open right now, until five in the afternoon."
    )
    assert "We are closed right now." in night.system[1]["text"]


def test_the_conversation_is_told_as_it_was_heard() -> None:
    messages = build_prompt(request("And whitening?", history=HISTORY)).messages
    assert messages == [
        {"role": "user", "content": "(The caller rings.)"},
        {"role": "assistant", "content": "Hello, this is Bay Dental."},
        {"role": "user", "content": "How much is a cleaning?"},
        {"role": "assistant", "content": "A cleaning is one"},
        {
            "role": "user",
            "content": "And whitening?\n\n(The caller has finished. Answer in at most 60 words.)",
        },
    ]


def test_unfinished_words_are_marked_and_get_a_shorter_answer() -> None:
    guess = build_prompt(request("How much is a", is_final=False))
    final = build_prompt(request("How much is a cleaning?"))
    assert guess.messages[-1]["content"].startswith("How much is a …\n\n(The caller is still speaking;")
    assert f"at most {GUESS_WORDS} words" in guess.messages[-1]["content"]
    assert f"at most {FINAL_WORDS} words" in final.messages[-1]["content"]
    assert guess.max_tokens < final.max_tokens


def test_roles_alternate_whatever_was_said() -> None:
    history = (Said(Speaker.CALLER, "Hello?"), Said(Speaker.CALLER, "Hello?"), Said(Speaker.AGENT, " "))
    roles = [message["role"] for message in build_prompt(request("Anyone?", history=history)).messages]
    assert roles == ["user"]
