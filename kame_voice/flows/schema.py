"""The flow: everything a line says and knows, as its YAML file spells it. Frozen once read."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import time
from itertools import pairwise
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kame_voice.flows.browser import BrowserAccess
from kame_voice.flows.opening import read_day, read_time

__all__ = [
    "DUPLICATE_FACT",
    "PHONE_PATTERN",
    "SLUG_PATTERN",
    "BrowserAccess",
    "Business",
    "Fact",
    "Flow",
    "Hours",
    "Limits",
    "Overflow",
    "Sampling",
    "Thinking",
    "TurnSettings",
    "Weekday",
]

PHONE_PATTERN: Final = r"^\+[1-9][0-9]{6,14}$"
"""E.164: a plus sign and 7 to 15 digits."""
DUPLICATE_FACT: Final = "duplicate_fact"
"""Type of the error for a fact id that stands twice."""
SLUG_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,63}$"


def _one_line(text: Any) -> Any:
    """Line breaks of a folded text are no part of a sentence."""
    return " ".join(text.split()) if isinstance(text, str) else text


def _speakable(text: str) -> str:
    for character in text:
        if not character.isprintable():
            raise ValueError(f"holds the invisible character U+{ord(character):04X}; type the text anew")
    if text and not any(character.isalnum() for character in text):
        raise ValueError("has no word that could be spoken")
    if text and not any(_is_latin(character) for character in text):
        raise ValueError("has no word in Latin letters, and the voice speaks English")
    return text


def _is_latin(character: str) -> bool:
    return character.isnumeric() or unicodedata.name(character, "").startswith("LATIN ")


def _not_text(value: Any) -> Any:
    """The loader hands every scalar over as text; only `version` is compared with a number."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]
PhoneNumber = Annotated[str, Field(pattern=PHONE_PATTERN)]
Sentence = Annotated[
    str, Field(min_length=1, max_length=600), BeforeValidator(_one_line), AfterValidator(_speakable)
]
_TimeOfDay = Annotated[
    time,
    BeforeValidator(read_time),
    WithJsonSchema({"type": "string", "examples": ["09:00", "17:30"]}),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Hours(_Part):
    """One stretch in which the business is open, in its own time zone."""

    opens: _TimeOfDay = Field(description="Such as 09:00.")
    closes: _TimeOfDay = Field(description="Such as 17:30; 24:00 is midnight, kept as 23:59.")

    @model_validator(mode="after")
    def _in_order(self) -> Hours:
        if self.closes <= self.opens:
            raise ValueError("closes must be later than opens; split a night into two days")
        return self


def _apart(stretches: tuple[Hours, ...]) -> tuple[Hours, ...]:
    in_order = tuple(sorted(stretches, key=lambda stretch: stretch.opens))
    for earlier, later in pairwise(in_order):
        if later.opens < earlier.closes:
            before = f"{earlier.opens:%H:%M}-{earlier.closes:%H:%M}"
            raise ValueError(f"{later.opens:%H:%M} is within the stretch {before}; they must not overlap")
    return in_order


_Day = Annotated[
    tuple[Hours, ...],
    BeforeValidator(read_day, json_schema_input_type=str | Hours | list[str | Hours]),
    AfterValidator(_apart),
]


class Business(_Part):
    """Who answers the phone."""

    name: Annotated[str, Field(min_length=1, max_length=120)] = Field(description="As it is spoken.")
    time_zone: str = Field(description="IANA name, such as America/New_York.")
    address: str | None = Field(default=None, max_length=300, description="As it is spoken.")
    hours: dict[Weekday, _Day] = Field(
        default_factory=dict,
        description="Opening hours a weekday: 09:00-17:00, closed, or a list of stretches. "
        "A day left out is closed.",
    )

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            if not available_timezones():
                raise ValueError("this machine knows no time zones; pip install tzdata") from error
            raise ValueError(f"{name!r} is not an IANA time zone, such as America/New_York") from error
        return name


class Fact(_Part):
    """One thing the line knows: how callers ask for it, and the answer as it is to be spoken."""

    id: Slug = Field(description="The fact's name in the record of a call.")
    questions: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=40)] = Field(
        description="Ways in which callers ask; three to five quite different ones do best."
    )
    answer: Sentence = Field(description="One or two sentences, written as they are spoken.")


class TurnSettings(_Part):
    """When a caller's turn is over and when an interruption counts. All in milliseconds."""

    end_silence_ms: int = Field(
        default=350, ge=150, le=3000, description="Silence after which the caller has finished."
    )
    whole_silence_ms: int = Field(
        default=200, ge=130, le=3000, description="The same after a whole question; at most end_silence_ms."
    )
    unfinished_silence_ms: int = Field(
        default=1000,
        ge=150,
        le=5000,
        description="The same in the middle of a sentence; at least end_silence_ms.",
    )
    barge_in_ms: int = Field(
        default=350, ge=200, le=2000, description="Speech of the caller that stops the agent."
    )
    backchannel_ms: int = Field(
        default=300, ge=100, le=1000, description="Speech up to this is a cough or an 'mm-hm'."
    )
    hold_after_ms: int = Field(
        default=700, ge=300, le=10_000, description="Wait for an answer that a holding phrase covers."
    )

    @model_validator(mode="after")
    def _backchannel_is_shorter(self) -> TurnSettings:
        if self.backchannel_ms > self.barge_in_ms:
            raise ValueError("backchannel_ms must not exceed barge_in_ms")
        return self


class Limits(_Part):
    """Where a call ends of itself."""

    max_minutes: float = Field(
        default=20, gt=0, le=240, description="The longest call; it ends with the goodbye."
    )
    max_silence_s: float = Field(
        default=30, ge=5, le=600, description="Nobody spoke for this long: ask, then say goodbye."
    )


class Thinking(_Part):
    """What answers may take on this line, where it is not what the settings say (docs/oracle.md)."""

    guesses: int | None = Field(
        default=None, ge=1, le=20, description="Guesses asked on one turn while the caller talks, at most."
    )
    guess_words: int | None = Field(
        default=None, ge=1, le=20, description="New stable words that a guess is asked on."
    )
    guess_gap_ms: int | None = Field(
        default=None, ge=100, le=10_000, description="Least time between two guesses."
    )
    facts_first: bool | None = Field(
        default=None, description="Plain questions are answered from the facts at once, the model unasked."
    )
    first_token_ms: int | None = Field(
        default=None,
        ge=100,
        le=30_000,
        description="A caller's wait for the model's first word until the facts answer.",
    )
    in_flight: int | None = Field(
        default=None, ge=0, description="Questions of one call at the model at once; 0: no limit."
    )
    tokens: int | None = Field(default=None, ge=0, description="Tokens of one call; 0: no limit.")
    usd: float | None = Field(default=None, ge=0, description="US dollars of one call; 0: no limit.")


class Sampling(_Part):
    """How freely the speech model of the `kame` front end speaks. Temperature 0: always the likeliest.

    `seed`: the same for every call of the line, to replay one; left out, each call has its own, drawn
    from the call's id. The defaults are Moshi's.
    """

    temperature: float = Field(default=0.8, ge=0, le=2, description="Of the voice's audio tokens.")
    text_temperature: float = Field(default=0.7, ge=0, le=2, description="Of the words.")
    top_k: int = Field(default=250, ge=1, le=250, description="Likeliest audio tokens chosen from.")
    text_top_k: int = Field(default=25, ge=1, le=25, description="Likeliest words chosen from.")
    seed: int | None = Field(default=None, ge=0, lt=2**63, description="To replay a call.")


class Overflow(_Part):
    """What a caller gets when no agent can answer: a number to be put through to, or a sentence."""

    number: PhoneNumber | None = Field(default=None, description="Put the caller through to this number.")
    say: Sentence = Field(
        default="All our lines are busy right now. Please call again in a few minutes.",
        description="Spoken where there is no number; the call then ends.",
    )


class Flow(_Part):
    """What one line says and knows."""

    version: Annotated[Literal[1], BeforeValidator(_not_text)] = Field(
        description="Version of this file format."
    )
    customer: Slug = Field(description="Whom the line belongs to; one customer may have several lines.")
    line: Slug = Field(description="The line's name, in commands, calls and metrics. No two flows share it.")
    numbers: tuple[PhoneNumber, ...] = Field(
        default=(), description="Phone numbers that this line answers, with country code: +12025550100."
    )
    default: bool = Field(default=False, description="Answers numbers that no flow names.")
    language: Literal["en"] = Field(default="en", description="Language of the line.")
    greeting: Sentence = Field(description="The first words, after the disclosure.")
    disclosure: Sentence | None = Field(
        default=None, description="Spoken verbatim before anything else; cannot be interrupted."
    )
    persona: Annotated[str, Field(max_length=2000)] = Field(
        default="", description="Who the agent is and how it speaks, for the language model."
    )
    business: Business = Field(description="Who answers the phone.")
    facts: Annotated[tuple[Fact, ...], Field(max_length=500)] = Field(
        default=(), description="What the line knows."
    )
    never_say: tuple[Sentence, ...] = Field(default=(), description="What the agent must never say.")
    unknown: Sentence = Field(
        default="I'm sorry, I don't have that here. Is there anything else I can help with?",
        description="Said where no fact answers the question.",
    )
    holding: Annotated[tuple[Sentence, ...], Field(min_length=1)] = Field(
        default=("One moment.", "Let me check that for you."),
        description="Said in turn while an answer is waited for.",
    )
    still_there: Sentence = Field(
        default="Are you still there?", description="Asked after limits.max_silence_s of silence."
    )
    goodbye: Sentence = Field(
        default="Thank you for calling. Goodbye.", description="The last words of a call that we end."
    )
    turns: TurnSettings = Field(
        default=TurnSettings(), description="When a turn is over and when an interruption counts."
    )
    limits: Limits = Field(default=Limits(), description="Where a call ends of itself.")
    thinking: Thinking = Field(
        default=Thinking(), description="What answers may take, where it is not what the settings say."
    )
    overflow: Overflow = Field(default=Overflow(), description="What a caller gets when no agent can answer.")
    browser: BrowserAccess = Field(
        default=BrowserAccess(), description="Who may call the line from a browser; nobody unless set."
    )
    sampling: Sampling = Field(
        default=Sampling(), description="How freely the `kame` front end's model speaks."
    )

    @model_validator(mode="after")
    def _facts_have_their_own_ids(self) -> Flow:
        seen: set[str] = set()
        for fact in self.facts:
            if fact.id in seen:
                raise PydanticCustomError(DUPLICATE_FACT, "fact id {id} is used twice", {"id": fact.id})
            seen.add(fact.id)
        return self

    @property
    def content_hash(self) -> str:
        """The first 16 hex digits of the SHA-256 of the flow's content: the version a call is frozen with."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
