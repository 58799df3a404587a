"""How templates write times, lengths, numbers, names and what a search found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from markupsafe import Markup, escape

__all__ = ["FILTERS", "clock", "marked", "moment"]


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


def words_of(name: str) -> str:
    """`in_progress` as people write it."""
    return name.replace("_", " ").replace("-", " ")


def thousands(number: int) -> str:
    """12,345."""
    return f"{number:,}"


def marked(text: str, marks: Sequence[tuple[int, int]]) -> Markup:
    """`text`, escaped, with <mark> round each of `marks`, [start, end) in characters."""
    pieces, at = Markup(), 0
    for start, end in marks:
        pieces += escape(text[at:start]) + Markup("<mark>") + escape(text[start:end]) + Markup("</mark>")
        at = end
    return pieces + escape(text[at:])


def browser(agent: str | None) -> str:
    """A User-Agent header as people would say it: the browser, and on what."""
    agent = agent or ""
    name = next((label for mark, label in _BROWSERS if mark in agent), "A browser")
    system = next((label for mark, label in _SYSTEMS if mark in agent), "")
    return f"{name} on {system}" if system else name


def present(values: Mapping[str, str]) -> dict[str, str]:
    """Without what is empty."""
    return {name: value for name, value in values.items() if value}


# In this order: most browsers name the others too.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
FILTERS = {
    "browser": browser,
    "clock": clock,
    "moment": moment,
    "present": present,
    "marked": marked,
    "seconds": seconds,
    "thousands": thousands,
    "words_of": words_of,
}
