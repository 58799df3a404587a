"""The flow: everything a line says and knows, as its YAML file spells it. Frozen once read."""

from __future__ import annotations

import hashlib
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = [
    "Business",
    "Fact",
    "Flow",
    "Hours",
    "Limits",
    "Overflow",
    "TurnSettings",
    "Weekday",
]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
PhoneNumber = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
"""E.164: a plus sign and 7 to 15 digits."""
Sentence = Annotated[str, Field(min_length=1, max_length=600)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Hours(_Part):
    """One stretch in which the business is open, in its own time zone."""

    opens: time
    closes: time

    @model_validator(mode="after")
    def _in_order(self) -> Hours:
        if self.closes <= self.opens:
            raise ValueError("closes must be later than opens; split a night into two days")
        return self


class Business(_Part):
    """Who answers the phone."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    time_zone: str = Field(description="IANA name, such as America/New_York.")
    address: str | None = Field(default=None, max_length=300)
    hours: dict[Weekday, tuple[Hours, ...]] = Field(
        default_factory=dict, description="Opening hours a weekday; a day left out is closed."
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is not an IANA time zone") from error
        return name


class Fact(_Part):
    """One thing the line knows: how callers ask for it, and the answer as it is to be spoken."""

    id: Slug
    questions: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=40)]
    answer: Sentence


class TurnSettings(_Part):
    """When a caller's turn is over and when an interruption counts. All in milliseconds."""

    end_silence_ms: int = Field(default=350, ge=150, le=3000)
    barge_in_ms: int = Field(default=350, ge=200, le=2000)
    backchannel_ms: int = Field(default=300, ge=100, le=1000)
    hold_after_ms: int = Field(default=700, ge=300, le=10_000)

    @model_validator(mode="after")
    def _backchannel_is_shorter(self) -> TurnSettings:
        if self.backchannel_ms > self.barge_in_ms:
            raise ValueError("backchannel_ms must not exceed barge_in_ms")
        return self


class Limits(_Part):
    """Where a call ends of itself."""

    max_minutes: float = Field(default=20, gt=0, le=240)
    max_silence_s: float = Field(
        default=30, ge=5, le=600, description="Nobody spoke for this long: ask, then say goodbye."
    )


class Overflow(_Part):
    """What a caller gets when no agent can answer: a number to be put through to, or a sentence."""

    number: PhoneNumber | None = None
    say: Sentence = "All our lines are busy right now. Please call again in a few minutes."


class Flow(_Part):
    """What one line says and knows."""

    version: Literal[1]
    customer: Slug
    line: Slug
    numbers: tuple[PhoneNumber, ...] = ()
    default: bool = Field(default=False, description="Answers numbers that no flow names.")
    language: Literal["en"] = "en"
    greeting: Sentence
    disclosure: Sentence | None = Field(
        default=None, description="Spoken verbatim before anything else; cannot be interrupted."
    )
    persona: Annotated[str, Field(max_length=2000)] = ""
    business: Business
    facts: Annotated[tuple[Fact, ...], Field(max_length=500)] = ()
    never_say: tuple[Sentence, ...] = ()
    unknown: Sentence = "I'm sorry, I don't have that here. Is there anything else I can help with?"
    holding: Annotated[tuple[Sentence, ...], Field(min_length=1)] = (
        "One moment.",
        "Let me check that for you.",
    )
    still_there: Sentence = "Are you still there?"
    goodbye: Sentence = "Thank you for calling. Goodbye."
    turns: TurnSettings = TurnSettings()
    limits: Limits = Limits()
    overflow: Overflow = Overflow()

    @model_validator(mode="after")
    def _facts_have_their_own_ids(self) -> Flow:
        seen: set[str] = set()
        for fact in self.facts:
            if fact.id in seen:
                raise ValueError(f"fact id {fact.id!r} is used twice")
            seen.add(fact.id)
        return self

    @property
    def content_hash(self) -> str:
        """The first 16 hex digits of the SHA-256 of the flow's content: the version a call is frozen with."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
