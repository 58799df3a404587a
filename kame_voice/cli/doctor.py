"""`kame-voice doctor`: what is set, what is missing, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kame_voice.core.errors import KameError

if TYPE_CHECKING:
    from kame_voice.core.settings import Settings

__all__ = ["Finding", "State", "doctor", "findings"]

_LOW_DISK_GIB = 2


class State(StrEnum):
    """How a finding bears on answering calls."""

    OK = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `do` says what mends it."""

    state: State
    what: str
    text: str
    do: str = ""


def doctor(
    config: Annotated[Path | None, typer.Option(help="Settings file instead of config/kame.yaml.")] = None,
) -> None:
    """Check settings, flows, models and folders. Exits with 1 if calls could not be answered."""
    from kame_voice.core.settings import load_settings

    bad = 0
    for finding in findings(load_settings(config)):
        bad += finding.state is State.BAD
        print(f"{finding.state.value:>4}  {finding.what:<18} {finding.text}")
        if finding.do:
            print(f"{'':>4}  {'':<18} → {finding.do}")
    print()
    print("Ready to answer calls." if not bad else f"{bad} thing(s) to mend before calls can be answered.")
    if bad:
        raise typer.Exit(1)


def findings(settings: Settings) -> Iterator[Finding]:
    """Everything that bears on answering calls, in the order in which to mend it."""
    from kame_voice.core.nouns import FrontEndKind
    from kame_voice.core.settings import unknown_variables

    yield Finding(State.OK, "python", f"{platform.python_version()} on {platform.system()}")
    for name, meant in unknown_variables(os.environ):
        yield Finding(
            State.NOTE,
            "environment",
            f"{name} is no setting" + (f"; did you mean {meant}?" if meant else ""),
            "see docs/settings.md",
        )
    yield _twilio_url(settings)
    yield _secret(
        "twilio token",
        bool(settings.twilio_auth_token.get_secret_value()),
        "TWILIO_AUTH_TOKEN: webhooks are checked with it, and calls hung up",
        State.BAD if settings.twilio_signatures else State.NOTE,
    )
    yield _secret(
        "twilio account",
        bool(settings.twilio_account_sid),
        "TWILIO_ACCOUNT_SID: needed to hang up a call from our side",
        State.BAD if settings.twilio_signatures else State.NOTE,
    )
    yield _secret(
        "anthropic key",
        bool(settings.anthropic_api_key.get_secret_value()),
        f"ANTHROPIC_API_KEY: answers by {settings.claude_model}; without it the flow's own facts answer",
        State.NOTE,
    )
    yield _secret(
        "api token",
        bool(settings.api_token.get_secret_value()),
        "KAME_API_TOKEN: opens the API to scripts; without it only users get in",
        State.NOTE,
    )
    yield _checked("flows", lambda: _flows(settings), f"mend the files in {settings.flows_dir}")
    yield _checked("data folder", lambda: _data_folder(settings), "choose another KAME_DATA_DIR")
    yield _checked("database", lambda: _database(settings), "see KAME_DATABASE_URL")
    yield _users(settings)
    if settings.front_end is FrontEndKind.SPOKEN:
        yield _checked("voice", _voice, "install again: make setup")
    if settings.front_end is not FrontEndKind.ECHO:
        yield _checked("voice activity", _voice_activity, "install again: make setup")
        yield _checked("speech to text", lambda: _speech_to_text(settings), "see KAME_STT_MODEL")
        yield _checked("knowledge", _knowledge, "install again: make setup")


def _twilio_url(settings: Settings) -> Finding:
    url = settings.public_url
    if not settings.twilio_signatures:
        return Finding(
            State.NOTE, "signatures", "OFF: for development on loopback only", "remove KAME_TWILIO_SIGNATURES"
        )
    if not url:
        return Finding(
            State.BAD,
            "public url",
            "not set",
            "set KAME_PUBLIC_URL to the https:// address at which Twilio reaches this server",
        )
    if not url.startswith("https://"):
        return Finding(
            State.NOTE, "public url", f"{url}: Twilio only calls https:// addresses", "put TLS in front"
        )
    return Finding(State.OK, "public url", f"{url} (voice webhook: {url}/twilio/voice)")


def _secret(what: str, is_set: bool, text: str, if_missing: State) -> Finding:
    if is_set:
        return Finding(State.OK, what, "set")
    return Finding(if_missing, what, "not set", text)


def _checked(what: str, check: Callable[[], str], do: str) -> Finding:
    try:
        return Finding(State.OK, what, check())
    except KameError as error:
        return _failed(what, error, do)
    except OSError as error:
        return Finding(State.BAD, what, f"{error.filename}: {error.strerror}", do)
    except ImportError as error:
        return Finding(State.BAD, what, str(error), do)


def _failed(what: str, error: KameError, do: str) -> Finding:
    text = f"{error.where}: {error.what}" if error.where else error.what
    return Finding(State.BAD, what, text, error.do or do)


def _flows(settings: Settings) -> str:
    from kame_voice.core.telemetry import Telemetry
    from kame_voice.flows.directory import FlowDirectory

    lines = FlowDirectory(settings.flows_dir, Telemetry()).generation.by_line
    return f"{len(lines)} in {settings.flows_dir}: {', '.join(sorted(lines))}"


def _data_folder(settings: Settings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    probe = settings.data_dir / ".doctor"
    probe.write_bytes(b"")
    probe.unlink()
    free_gib = shutil.disk_usage(settings.data_dir).free / 2**30
    low = " (low: a minute of recording is about 2 MB)" if free_gib < _LOW_DISK_GIB else ""
    return f"{settings.data_dir} is writable, {free_gib:.0f} GiB free{low}"


def _database(settings: Settings) -> str:
    from kame_voice.store.database import Database

    database = Database.open(settings.effective_database_url)
    database.close()
    return database.where


def _users(settings: Settings) -> Finding:
    from kame_voice.store.database import Database
    from kame_voice.store.users import UserStore

    try:
        database = Database.open(settings.effective_database_url)
        try:
            users = UserStore(database).all()
        finally:
            database.close()
    except KameError as error:
        return _failed("users", error, "see KAME_DATABASE_URL")
    if not users:
        return Finding(
            State.NOTE,
            "users",
            "nobody can sign in yet",
            "start `kame-voice serve`, and open the one-time link that it prints",
        )
    return Finding(
        State.OK, "users", f"{len(users)}, of whom {sum(u.has_password for u in users)} can sign in"
    )


def _voice() -> str:
    from kame_voice.front_end.spoken.voice import Voice

    Voice().close()
    return "hibari, bundled"


def _voice_activity() -> str:
    from kame_voice.hearing.vad import VoiceActivity

    VoiceActivity()
    return "silero, bundled"


def _speech_to_text(settings: Settings) -> str:
    from kame_voice.oracle.transcriber import WhisperRecogniser

    WhisperRecogniser(settings.stt_model, settings.stt_device, settings.stt_compute_type)
    return settings.stt_model or "faster-whisper tiny.en, bundled"


def _knowledge() -> str:
    from kame_voice.oracle.knowledge import Knowledge

    Knowledge().close()
    return "MiniLM, bundled"
