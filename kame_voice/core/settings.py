"""Every setting of the process: one frozen object, read once by the composition root.

The environment goes over `config/kame.yaml`, which goes over the defaults below. Nothing reads the
environment at import, and no room but this one reads it at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from kame_voice.core.errors import KameError
from kame_voice.core.nouns import FrontEndKind, OracleMode

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["Settings", "SettingsError", "load_settings", "unknown_variables"]


class SettingsError(KameError):
    """A setting is missing, misspelt or out of range."""

    code = "bad-setting"


def _sdk(*names: str) -> Any:
    """Accept an SDK's own variable name beside the YAML key."""
    return AliasChoices(*names)


class Settings(BaseSettings):
    """All settings with their help lines; `docs/settings.md` is checked against this class."""

    model_config = SettingsConfigDict(
        env_prefix="KAME_", frozen=True, extra="forbid", populate_by_name=True, yaml_file=None
    )

    public_url: str = Field(
        default="", description="The https:// address at which Twilio reaches this server."
    )
    flows_dir: Path = Field(default=Path("flows"), description="Folder of flow files, one YAML a line.")
    data_dir: Path = Field(default=Path("data"), description="Folder of the database and recordings.")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite in the data folder.")
    front_end: FrontEndKind = Field(
        default=FrontEndKind.SPOKEN, description="spoken (CPU), kame (GPU) or echo (line test)."
    )
    oracle: OracleMode = Field(
        default=OracleMode.PARTIAL, description="off, final or partial: when answers are asked for."
    )
    capacity: int = Field(
        default=8, ge=1, le=10_000, description="Calls taken at once; one more gets the overflow."
    )
    api_token: SecretStr = Field(
        default=SecretStr(""), description="Bearer token of the API; empty: the API is closed."
    )
    session_idle_min: int = Field(
        default=120, ge=5, le=43_200, description="Minutes without a request after which a session ends."
    )
    session_max_h: int = Field(
        default=168, ge=1, le=8_760, description="Hours after which a session ends, however busy it is."
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses or networks of reverse proxies whose X-Forwarded-For is believed, by comma.",
    )
    twilio_api_url: str = Field(
        default="", description="Stand-in for Twilio's REST address, for tests; empty: Twilio's own."
    )
    twilio_signatures: bool = Field(
        default=True,
        description="Check Twilio's signatures. May be switched off on loopback only, for development.",
    )
    twilio_account_sid: str = Field(
        default="",
        validation_alias=_sdk("TWILIO_ACCOUNT_SID", "twilio_account_sid"),
        description="The account's SID from Twilio's console.",
    )
    twilio_auth_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=_sdk("TWILIO_AUTH_TOKEN", "twilio_auth_token"),
        description="The account's auth token: signs webhooks and hangs up calls.",
    )
    ice_servers: str = Field(
        default="", description="STUN servers for calls from browsers: stun: addresses, with commas between."
    )
    turn_servers: str = Field(
        default="", description="TURN servers for browsers: turn: or turns: addresses, with commas between."
    )
    turn_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The secret shared with the TURN servers (coturn's static-auth-secret).",
    )
    turn_ttl_s: int = Field(
        default=3600, ge=60, le=86_400, description="Seconds for which one call's TURN password is good."
    )
    anthropic_api_key: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=_sdk("ANTHROPIC_API_KEY", "anthropic_api_key"),
        description="Key of the Anthropic API; empty: answers come from the flow's own facts.",
    )
    anthropic_base_url: str = Field(
        default="",
        validation_alias=_sdk("ANTHROPIC_BASE_URL", "anthropic_base_url"),
        description="Another address that speaks the Messages API; empty: Anthropic's own.",
    )
    claude_model: str = Field(default="claude-haiku-4-5", description="Model asked for answers.")
    claude_first_token_s: float = Field(
        default=1.05,
        gt=0,
        le=30,
        description="Seconds of a caller's silence without a token until the flow's facts answer instead.",
    )
    claude_price_in: float = Field(
        default=0, ge=0, description="US dollars a million input tokens; 0: the model's list price."
    )
    claude_price_out: float = Field(
        default=0, ge=0, description="US dollars a million output tokens; 0: the model's list price."
    )
    oracle_facts_first: bool = Field(
        default=True,
        description="Answer what the facts plainly know from them at once, the model unasked.",
    )
    oracle_guesses: int = Field(
        default=4, ge=1, le=20, description="Guesses asked on one turn while the caller talks, at most."
    )
    oracle_guess_words: int = Field(
        default=2, ge=1, le=20, description="New stable words that a guess is asked on."
    )
    oracle_guess_gap_ms: int = Field(
        default=500, ge=100, le=10_000, description="Least time between two guesses."
    )
    oracle_in_flight: int = Field(
        default=16, ge=0, description="Questions at the model at once, all calls together; 0: no limit."
    )
    oracle_requests_per_s: float = Field(
        default=20, ge=0, description="Questions a second, all calls together; 0: no limit."
    )
    oracle_tokens_per_min: int = Field(
        default=400_000, ge=0, description="Tokens a minute, all calls together; 0: no limit."
    )
    oracle_usd_per_day: float = Field(
        default=20, ge=0, description="US dollars in 24 hours, all calls together; 0: no limit."
    )
    oracle_call_in_flight: int = Field(
        default=3, ge=0, description="Questions of one call at the model at once; 0: no limit."
    )
    oracle_call_tokens: int = Field(default=300_000, ge=0, description="Tokens of one call; 0: no limit.")
    oracle_call_usd: float = Field(default=0.5, ge=0, description="US dollars of one call; 0: no limit.")
    breaker_failures: int = Field(
        default=3, ge=1, le=100, description="Failures of the model in a row until it is left alone."
    )
    breaker_cool_s: float = Field(
        default=5, gt=0, le=60, description="Seconds it is left alone before it is tried again."
    )
    stt_model: str = Field(
        default="", description="faster-whisper model, name or folder; empty: the bundled tiny.en."
    )
    stt_device: str = Field(default="cpu", description="Where speech to text runs: cpu, cuda or auto.")
    stt_compute_type: str = Field(default="int8", description="CTranslate2 compute type.")
    stt_workers: int = Field(default=1, ge=1, le=16, description="Calls transcribed at the same moment.")
    engine_weights: str = Field(
        default="SakanaAI/kame",
        description="Weights of the kame front end: a folder, or a Hugging Face repository.",
    )
    engine_revision: str = Field(
        default="", description="Commit of that repository; pin it. Empty: its newest."
    )
    engine_offline: bool = Field(default=False, description="Take the weights from the local cache only.")
    engine_device: str = Field(default="cuda", description="Device of the kame front end: cuda, cuda:1, cpu.")
    engine_dtype: str = Field(
        default="auto", description="bfloat16 or float32; auto: bfloat16 on a GPU, float32 on a CPU."
    )
    engine_context: int = Field(
        default=0, ge=0, le=3000, description="Steps of memory a call keeps, 80 ms each; 0: as trained."
    )
    recording: bool = Field(default=True, description="Keep a two-channel recording of each call.")
    keep_days: int = Field(
        default=0, ge=0, le=36_500, description="Days after which a call is deleted, all of it; 0: never."
    )
    keep_recordings_days: int = Field(
        default=0, ge=0, le=36_500, description="Days after which its recording is deleted; 0: with the call."
    )
    drain_s: float = Field(
        default=300, ge=0, le=3600, description="After SIGTERM, running calls may last this long."
    )
    log_level: str = Field(default="info", description="debug, info, warning or error.")
    log_format: str = Field(default="auto", description="json, console, or auto: console on a terminal.")

    @field_validator("public_url", "twilio_api_url", "anthropic_base_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with https:// (or http:// on loopback)")
        return url.rstrip("/")

    @property
    def effective_database_url(self) -> str:
        """`database_url`, or SQLite under `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'kame.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, YamlConfigSettingsSource(settings_cls))


def unknown_variables(environment: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Each `KAME_…` that no setting reads, with the one that was probably meant."""
    known = {"KAME_CONFIG"}
    for field, about in Settings.model_fields.items():
        known.add(f"KAME_{field.upper()}" if about.validation_alias is None else field.upper())
    for name in sorted(environment):
        if name.startswith("KAME_") and name not in known:
            yield name, _nearest(name, known)


def load_settings(config_file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings: `overrides` over the environment over `config_file` over defaults.

    `config_file` defaults to `$KAME_CONFIG`, else `config/kame.yaml` where that exists.
    Raises SettingsError naming each setting that is wrong.
    """
    named = os.environ.get("KAME_CONFIG")
    path = config_file or (Path(named) if named else Path("config/kame.yaml"))
    if not path.exists() and (config_file or named):
        raise SettingsError("there is no such file", where=str(path), do="mend KAME_CONFIG or --config")

    class FromFile(Settings):
        model_config = SettingsConfigDict(yaml_file=path if path.exists() else None)

    try:
        return FromFile(**overrides)
    except ValidationError as error:
        lines = "; ".join(_wrong(item) for item in error.errors())
        raise SettingsError(
            lines, where=f"settings ({path} and environment)", do="see docs/settings.md"
        ) from error


def _wrong(item: ErrorDetails) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        return f"{name}: {item['msg']}"
    meant = _nearest(name, Settings.model_fields)
    return f"{name}: is no setting" + (f"; did you mean {meant}?" if meant else "")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name, known, 1)), None)
