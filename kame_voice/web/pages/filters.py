"""How templates write times, lengths and numbers."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

__all__ = ["FILTERS", "clock", "moment"]


def moment(at: datetime | None, missing: str = "–") -> Markup:
    """A moment as `<time>`: in UTC, which the page's script turns into the reader's own time."""
    if at is None:
        return Markup.escape(missing)
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}" data-local>{} UTC</time>').format(
        utc.isoformat(timespec="seconds"), utc.strftime("%Y-%m-%d %H:%M")
    )


def clock(ms: int | None, missing: str = "–") -> str:
    """Milliseconds as minutes and seconds, 4:05, or 1:02:03."""
    if ms is None:
        return missing
    minutes, seconds = divmod(max(ms, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def seconds(ms: int | None, missing: str = "–") -> str:
    """Milliseconds as seconds with two decimals and their unit."""
    return missing if ms is None else f"{ms / 1000:.2f} s"


FILTERS = {"moment": moment, "clock": clock, "seconds": seconds}
