"""The four systems of the field's comparison on our own wire, asked the same questions in one run."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from ruamel.yaml import YAML

from kame_voice.bench.messages_server import messages_process
from kame_voice.bench.questions import QuestionSet, load_questions
from kame_voice.bench.server import MeasuredServer, serving_process
from kame_voice.bench.systems_answers import answers_of
from kame_voice.caller.caller import PhoneCaller, Server
from kame_voice.caller.clip import CallerVoice, Clip
from kame_voice.caller.listener import Listener
from kame_voice.caller.result import CallResult
from kame_voice.caller.scripts import Manners, conversation
from kame_voice.caller.twilio_side import CallIdentity

__all__ = [
    "SYSTEMS",
    "System",
    "load_parts",
    "measure_lateness",
    "measure_systems",
    "questions_hash",
    "unhurried_flows",
]

_QUESTIONS: Final = Path(__file__).with_name("questions_systems.yaml")
_CALLS_A_LINE: Final = 2
"""At once, so that a run takes minutes. Callers listen for most of a call, and seldom talk together."""
_BRISK: Final = Manners(settle_ms=600, more_within_ms=300)
"""No holding phrase can come, so what was said is over sooner than where one might go on behind it."""
_STAGGER_S: Final = 0.37
"""Calls begin a little apart, as calls do."""
_NO_HOLDING_MS: Final = 10_000
_LATENESS_QUESTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class System:
    """One row of the comparison. `llm`: answers come from the stand-in for a language model.

    `facts_first`: but those to plain questions from the flow's facts, as by default. The field's cascade asks
    its model always; with the short cut it shows what is left for guessing ahead to win.
    """

    name: str
    front_end: str
    oracle: str
    llm: bool
    facts_first: bool = True

    def why_not(self, weights: str) -> str:
        """Why it cannot be measured here; empty: it can."""
        if self.front_end != "kame":
            return ""
        if not weights:
            return "no checkpoint was named (--weights)"
        if importlib.util.find_spec("torch") is None:
            return "torch is not installed"
        import torch

        return "" if torch.cuda.is_available() else "there is no GPU"

    def settings(self, llm_url: str, weights: str) -> dict[str, str]:
        """Environment of the server that is this system."""
        settings = {
            "KAME_FRONT_END": self.front_end,
            "KAME_ORACLE": self.oracle,
            "KAME_ORACLE_FACTS_FIRST": str(self.facts_first).lower(),
            "ANTHROPIC_API_KEY": "bench" if self.llm else "",
        }
        if self.llm:
            settings["ANTHROPIC_BASE_URL"] = llm_url
        if self.front_end == "kame":
            settings["KAME_ENGINE_WEIGHTS"] = weights
        return settings


SYSTEMS: Final = (
    System("cascade, knowledge", "spoken", "final", llm=False),
    System("tandem, knowledge", "spoken", "partial", llm=False),
    System("cascade, LLM", "spoken", "final", llm=True, facts_first=False),
    System("cascade, LLM, facts first", "spoken", "final", llm=True),
    System("tandem, LLM", "spoken", "partial", llm=True),
    System("tandem, LLM alone", "spoken", "partial", llm=True, facts_first=False),
    System("direct", "kame", "off", llm=False),
    System("KAME, LLM", "kame", "partial", llm=True),
)


@dataclass(slots=True)
class _Asked:
    """What one caller is to ask in one call, and what came of it."""

    questions: QuestionSet
    clips: list[Clip]
    result: CallResult | None = None
    record: dict[str, Any] = field(default_factory=dict)


def questions_hash() -> str:
    """Of the questions as they are asked: parts of a comparison belong together only with the same."""
    return hashlib.sha256(_QUESTIONS.read_bytes()).hexdigest()[:16]


@contextlib.contextmanager
def unhurried_flows(flows_dir: Path, *, holding: bool) -> Iterator[Path]:
    """The flows without holding phrases: those would hide how long each system takes to answer."""
    if holding:
        yield flows_dir
        return
    yaml = YAML(typ="rt")
    with tempfile.TemporaryDirectory(prefix="kame-flows-") as folder:
        for path in flows_dir.glob("*.yaml"):
            flow = yaml.load(path)
            flow.setdefault("turns", {})["hold_after_ms"] = _NO_HOLDING_MS
            with (Path(folder) / path.name).open("w", encoding="utf-8") as file:
                yaml.dump(flow, file)
        yield Path(folder)


def measure_systems(
    flows_dir: Path,
    systems: Sequence[System],
    *,
    seed: int,
    weights: str,
    limit: int | None,
    holding: bool = False,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Ask every system every question; by its name the answers, requests and tokens, or why not.

    `holding`: the flows have their holding phrases, so callers wait for what may come behind one.
    """
    manners = Manners() if holding else _BRISK
    voice = CallerVoice()
    sets = load_questions(flows_dir, _QUESTIONS)
    sets = [QuestionSet(one.to, one.flow, one.questions[:limit]) for one in sets]
    spoken = [(one, one.clips(voice)) for one in sets]
    listener = Listener()
    measured: dict[str, Any] = {}
    judged: dict[str, Future[list[dict[str, Any]]]] = {}
    with ThreadPoolExecutor(1, "judge") as judges:
        for system in systems:
            reason = system.why_not(weights)
            if reason:
                report(f"{system.name}: not measured, {reason}")
                measured[system.name] = {"skipped": reason}
                continue
            report(f"{system.name}: {sum(len(clips) for _, clips in spoken)} questions …")
            calls = [asked for one, clips in spoken for asked in _calls(one, clips)]
            with _language_model(system.llm, seed) as llm_url:
                with serving_process(flows_dir, settings=system.settings(llm_url, weights)) as server:
                    # The listener works while a server starts, and never while one is measured.
                    wait(judged.values())
                    asyncio.run(_at_once(server, calls, manners))
                stats = httpx.get(f"{llm_url}/stats", trust_env=False).json() if system.llm else {}
            judged[system.name] = judges.submit(_judged, listener, calls)
            measured[system.name] = {"llm": stats}
        for name, rows in judged.items():
            measured[name]["answers"] = rows.result()
    return measured


def _calls(one: QuestionSet, clips: list[Clip]) -> list[_Asked]:
    """A line's questions in the calls in which they are asked."""
    length = -(-len(clips) // _CALLS_A_LINE)
    return [
        _Asked(QuestionSet(one.to, one.flow, one.questions[at : at + length]), clips[at : at + length])
        for at in range(0, len(clips), length)
    ]


def _judged(listener: Listener, calls: list[_Asked]) -> list[dict[str, Any]]:
    rows = []
    for asked in calls:
        assert asked.result is not None
        listener.transcribe(asked.result)
        rows += answers_of(asked.questions, asked.result, asked.record)
    return rows


@contextlib.contextmanager
def _language_model(wanted: bool, seed: int, *options: str) -> Iterator[str]:
    if not wanted:
        yield ""
        return
    with messages_process(*options, seed=seed) as url:
        yield url


async def _at_once(server: MeasuredServer, calls: list[_Asked], manners: Manners) -> None:
    async def one(number: int, asked: _Asked) -> None:
        await asyncio.sleep(_STAGGER_S * number)
        asked.result = await _call(server.server, asked, manners)
        asked.record = await asyncio.to_thread(server.record_of, asked.result.call.call_sid)

    async with asyncio.TaskGroup() as group:
        for number, asked in enumerate(calls):
            group.create_task(one(number, asked), name=f"caller {number}")


async def _call(server: Server, asked: _Asked, manners: Manners) -> CallResult:
    identity = CallIdentity("+15550111", asked.questions.to)
    return await PhoneCaller(server).call(identity, conversation(asked.clips, manners=manners))


def measure_lateness(
    flows_dir: Path, *, seed: int, calls: int, report: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Late frames with the back end off, at work, and hanging on every request.

    The callers do not wait long for answers, so that the three hear about as much.
    """
    voice = CallerVoice()
    sets = load_questions(flows_dir, _QUESTIONS)
    manners = Manners(answer_within_ms=2_500)
    rates: dict[str, dict[str, float]] = {}
    for state, oracle, options in (
        ("off", "off", ()),
        ("on", "partial", ()),
        ("failing", "partial", ("--mode", "hang")),
    ):
        report(f"late frames, back end {state} …")
        with _language_model(True, seed, *options) as llm_url:
            settings = System("", "spoken", oracle, llm=True).settings(llm_url, "")
            with serving_process(flows_dir, settings=settings) as server:
                lines = [sets[number % len(sets)] for number in range(calls)]
                asked = [
                    _Asked(line, line.clips(voice)[number : number + _LATENESS_QUESTIONS])
                    for number, line in enumerate(lines)
                ]
                asyncio.run(_at_once(server, asked, manners))
                late, sent = (
                    server.metric("kame_outbound_late_total"),
                    server.metric("kame_outbound_frames_total"),
                )
        rates[state] = {"late": late, "sent": sent, "share": late / sent if sent else 0.0}
    return rates


def load_parts(file: Path, seed: int) -> dict[str, Any]:
    """What earlier parts of the same comparison have measured; empty where there is none."""
    if not file.exists():
        return {}
    parts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")).get("parts", {})
    return parts if parts.get("questions") == questions_hash() and parts.get("seed") == seed else {}
