"""The composition root: the only place that builds concrete parts and knows them all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import structlog
from fastapi import FastAPI

from kame_voice.accounts.accounts import Accounts
from kame_voice.accounts.trail import Action
from kame_voice.calls.admission import Admission, Reservation
from kame_voice.calls.desk import Desk
from kame_voice.calls.live import LiveCall, LiveCalls
from kame_voice.calls.recorder import CallRecorder
from kame_voice.calls.session import Session
from kame_voice.core.clock import monotonic
from kame_voice.core.nouns import CallInfo, FrontEndKind, OracleMode
from kame_voice.core.settings import Settings
from kame_voice.core.telemetry import Telemetry
from kame_voice.core.threads import background_threads
from kame_voice.flows.directory import FlowDirectory, Generation
from kame_voice.flows.names import names_of
from kame_voice.flows.schema import Flow
from kame_voice.flows.watch import watch
from kame_voice.front_end.base import FrontEnd
from kame_voice.front_end.echo import EchoFrontEnd
from kame_voice.front_end.spoken.front_end import SpokenFrontEnd
from kame_voice.front_end.spoken.voice import Need, Voice
from kame_voice.hearing.base import Listener
from kame_voice.hearing.deaf import DeafEar
from kame_voice.hearing.ear import Ear
from kame_voice.hearing.vad import VoiceActivity
from kame_voice.legs.base import Leg
from kame_voice.legs.twilio_rest import TwilioRest
from kame_voice.oracle.base import Transcriber
from kame_voice.oracle.deaf import NoTranscriber
from kame_voice.oracle.knowledge import Knowledge
from kame_voice.oracle.prices import price_of
from kame_voice.oracle.repetition import says_nothing_new
from kame_voice.oracle.thinking import Thinking
from kame_voice.oracle.transcriber import SpeechToText
from kame_voice.review.erasing import Age, Gone
from kame_voice.review.meanings import Meanings
from kame_voice.review.read_ahead import ReadAhead
from kame_voice.review.retention import Retention
from kame_voice.store.archive import Archive
from kame_voice.store.generations import GenerationStore
from kame_voice.store.questions import QuestionStore
from kame_voice.store.rows import CallStatus
from kame_voice.store.statistics import StatisticsReader
from kame_voice.store.writer import StoreWriter
from kame_voice.web import api, health
from kame_voice.web.browser_door import PUBLIC_CALLER, BrowserDoor
from kame_voice.web.dashboard import routes as dashboard
from kame_voice.web.ice import ice_servers
from kame_voice.web.lines import routes as lines
from kame_voice.web.live import routes as live
from kame_voice.web.media_calls import MediaCalls
from kame_voice.web.review.parts import ReviewParts
from kame_voice.web.review.routes import routers as review_routers
from kame_voice.web.signatures import Signatures, check_carrier_is_known
from kame_voice.web.site import new_site
from kame_voice.web.talk import TalkPages
from kame_voice.web.telephony import Telephony
from kame_voice.web.webrtc import WebRtcCalls
from kame_voice.web.widget_pass import WidgetPasses

if TYPE_CHECKING:
    from kame_voice.oracle.claude import Claude

__all__ = ["App", "build"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Senses:
    """What hears and thinks for calls; a line test has none of it."""

    vad: VoiceActivity
    stt: SpeechToText
    knowledge: Knowledge
    claude: Claude | None


class App:
    """Every part of the process, built once from the settings. `running()` starts and ends them.

    Raises the KameError of whatever part cannot be built: settings, flows, database, models.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._parts = contextlib.ExitStack()
        self.telemetry = Telemetry()
        self.flows = FlowDirectory(settings.flows_dir, self.telemetry)
        self.archive = Archive.open(settings.effective_database_url, settings.data_dir)
        self._parts.callback(self.archive.close)
        self._background = background_threads("background", 2)
        self._parts.callback(self._background.shutdown)
        self._statistics = StatisticsReader(self.archive.database, self.flows.zone_of)
        self.writer = StoreWriter(self.archive.database, self.archive.recordings, self.telemetry)
        self.accounts = Accounts(settings, self.archive, self.writer.put)
        self._parts.callback(self.accounts.close)
        self._rest = TwilioRest(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            api_url=settings.twilio_api_url,
        )
        self._oracle_mode = settings.oracle
        self._senses: _Senses | None = None
        if settings.front_end is FrontEndKind.ECHO:
            self._oracle_mode = OracleMode.OFF
        else:
            self._senses = self._build_senses()
        senses = self._senses
        self._thinking = Thinking(
            settings,
            self._oracle_mode,
            senses.knowledge if senses else None,
            senses.claude if senses else None,
            self.telemetry,
        )
        self.front_end = self._build_front_end()
        self.admission = Admission(
            self.front_end, self.flows, self.telemetry, monotonic, self._note_unanswered
        )
        self.live_calls = LiveCalls()
        self.desk = Desk(self._open_session, self.live_calls, self.telemetry)
        self._passes = WidgetPasses()
        self._door = BrowserDoor(self.flows, self._passes, self._public_calls_of_the_day)
        self.browser_calls = WebRtcCalls(
            self.admission,
            self.desk,
            self.live_calls,
            ice_servers(settings),
            self.telemetry,
            monotonic,
            self._door,
        )
        self._review = self._review_parts()
        self._signatures = Signatures(settings)
        self.media_calls = MediaCalls(
            self._signatures,
            self.admission,
            self.desk,
            self._rest.hang_up,
            self.telemetry,
            monotonic,
            self.front_end.frame_samples,
        )
        self.asgi = self._build_web()
        self._warm = asyncio.Event()

    @property
    def line_names(self) -> list[str]:
        """The lines that are answered."""
        return sorted(self.flows.generation.by_line)

    def describe(self) -> dict[str, str]:
        """What answers, for the log's first line."""
        answers = "flow facts" if self._senses is None or self._senses.claude is None else "claude"
        return {
            "front_end": self.settings.front_end.value,
            "oracle": self._oracle_mode.value,
            "answers": answers,
        }

    def _customers(self) -> set[str]:
        return {flow.customer for flow in self.flows.generation.by_line.values()}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Own everything that runs beside the calls, until the body is left."""
        with self._parts:
            self._parts.enter_context(self.writer)
            async with contextlib.AsyncExitStack() as clients:
                await clients.enter_async_context(self._rest)
                if self._senses is not None and self._senses.claude is not None:
                    clients.push_async_callback(self._senses.claude.close)
                async with self._owning_tasks(), self.media_calls.running():
                    yield

    @contextlib.asynccontextmanager
    async def _owning_tasks(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.front_end.run(), name="front end"),
                group.create_task(self.admission.run(), name="admission"),
                group.create_task(self.browser_calls.run(), name="browser calls"),
                group.create_task(watch(self.flows, prepare=self._prepare), name="flow watcher"),
                group.create_task(self._warm_up(), name="warm up"),
            ]
            tasks += [group.create_task(job(), name=name) for name, job in self._upkeep().items()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    def _upkeep(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """What is done about past calls beside the present ones, on threads that yield to them."""
        threads = self._background
        age = Age(self.settings.keep_days, self.settings.keep_recordings_days)
        retention = Retention(self._review.erasure, age, threads, self.telemetry, self._note_gone)
        jobs = {
            "days of the dashboard": ReadAhead(self._statistics, threads).run,
            "retention": retention.run,
        }
        if self._senses is not None:
            questions = QuestionStore(self.archive.database)
            meanings = Meanings(questions, self._senses.knowledge.embed, threads)
            jobs["meanings of open questions"] = meanings.run
        return jobs

    def _note_gone(self, gone: Gone) -> None:
        data = {"calls": gone.calls, "recordings": gone.recordings}
        self.accounts.trail.record(Action.CALL_DELETE, None, who="retention", data=data)

    async def ready(self) -> None:
        """Return once calls can be taken."""
        await self._warm.wait()
        while not self.front_end.ready:  # noqa: ASYNC110 — it may turn unready again: a state, not an event
            await asyncio.sleep(0.05)

    def why_not_ready(self) -> str | None:
        """None when a call can be taken, else the reason."""
        if self.admission.draining:
            return "draining"
        if not self._warm.is_set():
            return "warming up"
        return None if self.front_end.ready else "the front end is not ready"

    async def _warm_up(self) -> None:
        await self._prepare(self.flows.generation)
        self._warm.set()

    async def _prepare(self, generation: Generation) -> None:
        """What the first call of each line would otherwise wait for: fixed phrases, the index of facts."""
        flows = tuple(generation.by_line.values())
        await self.front_end.warm(flows)
        if self._senses is not None:
            for flow in flows:
                await self._senses.knowledge.prepare(flow)

    # Building.

    def _build_senses(self) -> _Senses:
        settings = self.settings
        stt = SpeechToText(
            settings.stt_model,
            settings.stt_device,
            settings.stt_compute_type,
            settings.stt_workers,
            self.telemetry,
        )
        knowledge = Knowledge()
        self._parts.callback(stt.close)
        self._parts.callback(knowledge.close)
        return _Senses(
            vad=VoiceActivity(),
            stt=stt,
            knowledge=knowledge,
            claude=self._build_claude(),
        )

    def _build_claude(self) -> Claude | None:
        key = self.settings.anthropic_api_key.get_secret_value()
        if not key:
            return None
        # Imported here: half a second that a process without a key need not spend.
        from kame_voice.oracle.claude import Claude

        settings = self.settings
        price = price_of(settings.claude_model, settings.claude_price_in, settings.claude_price_out)
        return Claude(key, model=settings.claude_model, base_url=settings.anthropic_base_url, price=price)

    def _build_front_end(self) -> FrontEnd:
        match self.settings.front_end:
            case FrontEndKind.ECHO:
                return EchoFrontEnd(self.settings.capacity)
            case FrontEndKind.SPOKEN:
                return SpokenFrontEnd(Voice(), self.settings.capacity, says_nothing_new)
            case FrontEndKind.KAME:
                # Imported here: torch and moshi are an extra.
                from kame_voice.front_end.kame.factory import build_kame_front_end
                from kame_voice.front_end.kame.scribe_seam import Synthesizer

                voice = Voice()
                self._parts.callback(voice.close)
                synthesize = cast(Synthesizer, lambda text: voice.prepare(text, Need.NOW, keep=True))
                return build_kame_front_end(self.settings, self.telemetry, synthesize)

    def _build_web(self) -> FastAPI:
        web = new_site(self.settings, self.archive, self.accounts, self._customers)
        carrier = Telephony(self._signatures, self.admission, self.desk, self.telemetry)
        web.include_router(carrier.router)
        web.include_router(self.browser_calls.router)
        web.include_router(TalkPages(self.settings, self.flows, self._door, self._passes).router)
        web.include_router(api.router(self.archive, self.live_calls))
        for routes in review_routers(self._review):
            web.include_router(routes)
        statistics = self._statistics
        web.include_router(dashboard.router(statistics, self.flows, self.live_calls, self._slots_in_use))
        generations = GenerationStore(self.archive.database)
        try_out = self._senses.knowledge.try_out if self._senses else None
        web.include_router(lines.router(lines.LineParts(self.flows, generations, statistics, try_out)))
        web.include_router(live.router(self.live_calls, self.archive))
        web.include_router(health.router(self.telemetry, self.why_not_ready, lambda: self.front_end.free))
        return web

    def _review_parts(self) -> ReviewParts:
        knows = self._senses.knowledge.facts_for if self._senses else None
        return ReviewParts.over(self.archive, self.flows, self.settings.data_dir, knows, self._background)

    def _slots_in_use(self) -> dashboard.Slots:
        capacity = self.front_end.capacity
        return dashboard.Slots(capacity, capacity - self.front_end.free)

    async def _public_calls_of_the_day(self, line: str, besides: Collection[str]) -> int:
        since = datetime.now(UTC) - timedelta(days=1)
        return await asyncio.to_thread(self.archive.calls.count_taken, line, PUBLIC_CALLER, since, besides)

    # One call.

    def _open_session(self, reservation: Reservation, leg: Leg, live: LiveCall) -> Session:
        call, flow = reservation.call, reservation.flow
        ear, transcriber = self._hearing(call.id, flow)
        return Session(
            call,
            flow,
            leg,
            reservation.slot,
            frame_samples=self.front_end.frame_samples,
            ear=ear,
            transcriber=transcriber,
            back_end=self._thinking.back_end(call, flow),
            recorder=self._recorder(reservation.call, reservation.flow),
            live=live,
            telemetry=self.telemetry,
            clock=monotonic,
        )

    def _hearing(self, call_id: str, flow: Flow) -> tuple[Listener, Transcriber]:
        if self._senses is None:
            return DeafEar(), NoTranscriber()
        return Ear(self._senses.vad, flow.turns), self._senses.stt.transcriber(call_id, names_of(flow))

    def _note_unanswered(self, call: CallInfo, flow: Flow, status: CallStatus, reason: str) -> None:
        self._recorder(call, flow).unanswered(status, reason)

    def _recorder(self, call: CallInfo, flow: Flow) -> CallRecorder:
        owner = self.archive.owner
        return CallRecorder(
            self.writer,
            call,
            flow,
            front_end=self.settings.front_end,
            oracle_mode=self._oracle_mode,
            recording=self.settings.recording,
            owner=owner.name if owner else None,
        )


def build(settings: Settings, host: str) -> App:
    """An app that may serve on `host`.

    Raises SettingsError where Twilio's requests could not be checked, and as App does.
    """
    check_carrier_is_known(settings, host)
    return App(settings)
