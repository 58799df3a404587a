"""A house full of everything that pages show: two customers, calls told and running, people, tokens, links.

What people say and write in it comes from `Words`, so that one house is ordinary and another hostile.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kame_voice.caller.rest import RestStandIn, serving_rest
from kame_voice.caller.scripts import stay
from kame_voice.calls.live import LiveCall
from kame_voice.core.nouns import Role
from kame_voice.flows.schema import Flow
from kame_voice.store.notes import NoteStore
from tests.support.eventually import eventually
from tests.support.people import ROOT, add_user, gate_of_app
from tests.support.running_app import TOKEN, RunningApp, running_app
from tests.support.told_calls import PLAIN, Words, tell_call, tell_silent_call

__all__ = ["ACME", "SITE", "THEIR_CALL", "ZENITH", "House", "a_running_call", "open_house"]

ACME: Final = ("acme-main", "+15550100")
"""The line that the house's people look after, and its number."""
ZENITH: Final = ("zenith-main", "+15550200")
"""Another customer's."""
THEIR_CALL: Final = "call-of-zenith"
SITE: Final = "https://shop.example"
"""Where Acme's call button stands."""

_FLOW = """\
version: 1
customer: {customer}
line: {line}
numbers: ["{number}"]
greeting: {greeting}
unknown: {unknown}
# {comment}
business: {{name: {business}, time_zone: UTC}}
limits: {{max_silence_s: 600, max_minutes: 240}}
facts:
  - {{id: puncture, questions: [{question}], answer: {answer}}}
  - {{id: rental, questions: ["Do you rent bikes?"], answer: {rental}}}
browser: {{talk: true, widget: true, origins: ["{site}"], max_calls_per_hour: 1000, max_calls_per_day: 1000}}
"""


@dataclass(slots=True)
class _Kept:
    """A running call, placed anew should it end: a machine that stands still for long loses callers."""

    call_id: str = ""


@dataclass(frozen=True)
class House:
    """The running app, and what an address may name: see `places`."""

    line: RunningApp
    words: Words
    rest: RestStandIn
    kept: _Kept
    theirs_kept: _Kept
    links: dict[str, str] = field(default_factory=dict)

    call = "call-told"
    """A finished call with turns, candidates, events, a recording, a note and a tag."""
    silent_call = "call-silent"
    """A finished call without a word or a recording."""

    @property
    def running(self) -> str:
        """Acme's running call."""
        return self.kept.call_id

    @property
    def their_running(self) -> str:
        """The other customer's."""
        return self.theirs_kept.call_id

    @property
    def url(self) -> str:
        return self.line.url

    @property
    def flow(self) -> Flow:
        return self.line.app.flows.generation.by_line[ACME[0]]

    @property
    def places(self) -> dict[str, str]:
        """What stands for a parameter of a route: `address.format_map(house.places)`."""
        return {
            "call": self.call,
            "silent": self.silent_call,
            "running": self.running,
            "line": ACME[0],
            **self.links,
        }


@contextlib.asynccontextmanager
async def open_house(folder: Path, words: Words = PLAIN) -> AsyncIterator[House]:
    """Serve it out of `folder` until the body is left. Its front end is `spoken`; nobody thinks but facts."""
    rest = RestStandIn(TOKEN)
    flows = (_flow(*ACME, "acme", words), _flow(*ZENITH, "zenith", PLAIN))
    with serving_rest(rest):
        async with (
            running_app(folder, *flows, front_end="spoken", capacity=16, twilio_api_url=rest.url) as line,
            _keeping_up(line, ACME[1], words.caller, rest) as own,
            _keeping_up(line, ZENITH[1], "+15550111", rest) as theirs,
        ):
            house = House(line, words, rest, own, theirs)
            await asyncio.to_thread(_tell, house)
            for call_id in (house.call, THEIR_CALL):
                await eventually(functools.partial(_is_concluded, line, call_id), within_s=60)
            await asyncio.to_thread(_furnish, house)
            yield house


@contextlib.asynccontextmanager
async def a_running_call(
    line: RunningApp, number: str = ACME[1], caller: str = "+15550111", rest: RestStandIn | None = None
) -> AsyncIterator[LiveCall]:
    """A call over the wire, of a caller who says nothing, while the body runs."""
    before = {info.call.id for info in line.app.live_calls.running()}
    placed = line.caller(rest=rest).call(line.identity(number, caller), stay(600_000))
    calling = asyncio.create_task(placed, name=f"caller of {number}")

    def new_call() -> LiveCall | None:
        ids = [info.call.id for info in line.app.live_calls.running() if info.call.id not in before]
        return line.app.live_calls.get(ids[0]) if ids else None

    try:
        yield await eventually(new_call, within_s=60)
    finally:
        calling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await calling


@contextlib.asynccontextmanager
async def _keeping_up(line: RunningApp, number: str, caller: str, rest: RestStandIn) -> AsyncIterator[_Kept]:
    kept = _Kept()

    async def keep_up() -> None:
        while True:
            async with a_running_call(line, number, caller, rest) as live:
                kept.call_id = live.call.id
                while line.app.live_calls.get(live.call.id) is not None:  # noqa: ASYNC110 — a state, not an event
                    await asyncio.sleep(0.2)

    keeping = asyncio.create_task(keep_up(), name=f"running call of {number}")
    try:
        await eventually(lambda: kept.call_id or keeping.done(), within_s=60)
        yield kept
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


def _flow(line: str, number: str, customer: str, words: Words) -> str:
    # A JSON string is a YAML one.
    said = {
        name: json.dumps(getattr(words, name))
        for name in ("greeting", "business", "question", "answer", "rental", "unknown")
    }
    return _FLOW.format(customer=customer, line=line, number=number, comment=words.comment, site=SITE, **said)


def _is_concluded(line: RunningApp, call_id: str) -> bool:
    call = line.app.archive.calls.get(call_id)
    return (
        call is not None and bool(call.opening) and line.app.archive.recordings.path_of(call_id) is not None
    )


def _tell(house: House) -> None:
    writer, noon = house.line.app.writer, datetime.now(UTC) - timedelta(hours=1)
    theirs = house.line.app.flows.generation.by_line[ZENITH[0]]
    tell_call(writer, house.call, house.flow, house.words, noon)
    tell_call(writer, THEIR_CALL, theirs, PLAIN, noon)
    tell_silent_call(writer, house.silent_call, house.flow, house.words, noon)


def _furnish(house: House) -> None:
    line, words = house.line, house.words
    gate, people = gate_of_app(line), line.app.accounts.people
    notes = NoteStore(line.app.archive.database)
    for call_id in (house.call, THEIR_CALL):
        notes.add(call_id, words.user, words.note, gate.now(), 1_000)
        notes.tag(call_id, ["price"])
    rita = gate.users.add(words.user, Role.REVIEWER, ["acme"], gate.now())
    people.new_token(rita, words.token, ROOT, None)
    house.links.update(user=rita.id, link=people.link(add_user(line, "newcomer"), ROOT, None))
