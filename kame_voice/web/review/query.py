"""What a list's address asks for, the same on the page and in the API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kame_voice.accounts.viewer import Viewer
from kame_voice.store.listing import CallFilter, Flag
from kame_voice.store.notes import Disposition
from kame_voice.store.rows import CallStatus

__all__ = ["CallQuery"]


class CallQuery(BaseModel):
    """The filters of a list of calls. Days are UTC's; both ends are included."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str | None = Field(
        default=None, max_length=400, description='Words said; "a phrase", beginn*, -not.'
    )
    line: str | None = Field(default=None, max_length=64, description="The line's name.")
    customer: str | None = Field(default=None, max_length=64, description="Whose line it is.")
    status: CallStatus | None = Field(default=None, description="How the call stands.")
    flag: Flag | None = Field(default=None, description="Only calls with this flag.")
    since: date | None = Field(default=None, description="First day.")
    until: date | None = Field(default=None, description="Last day.")
    caller: str | None = Field(default=None, max_length=40, description="Part of the caller's number.")
    tag: str | None = Field(default=None, max_length=48, description="Only calls with this tag.")
    disposition: Disposition | None = Field(default=None, description="Only calls judged so.")
    before: str | None = Field(default=None, max_length=300, description="Cursor: `next` of the page before.")

    @model_validator(mode="before")
    @classmethod
    def _empty_asks_for_nothing(cls, given: Any) -> Any:
        """A form sends its empty fields too."""
        return {name: value for name, value in dict(given).items() if str(value).strip()}

    def wanted(self, viewer: Viewer) -> CallFilter:
        """As the store takes it, within what the viewer may see."""
        return CallFilter(
            customers=viewer.customers,
            line=self.line,
            customer=self.customer,
            status=self.status,
            flag=self.flag,
            since=_midnight(self.since),
            until=_midnight(self.until + timedelta(days=1)) if self.until else None,
            caller=self.caller.strip() if self.caller else None,
            tag=self.tag.lower().removeprefix("#") if self.tag else None,
            disposition=self.disposition,
            words=self.text,
        )

    def address(self, **changes: Any) -> str:
        """The query string of this list, its cursor left out unless it is among the `changes`."""
        fields = self.model_dump(mode="json", exclude_none=True, exclude={"before"})
        return urlencode({**fields, **changes})

    @property
    def is_filtered(self) -> bool:
        """It asks for anything but all calls."""
        return bool(self.address())


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
