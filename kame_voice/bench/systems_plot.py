"""Every answer of every system as a dot over its response gap: an SVG, by hand. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from kame_voice.caller.wire_stats import percentile

__all__ = ["gap_plot"]

_LEFT: Final = 184
_WIDTH: Final = 860
_LANE: Final = 54
_TOP: Final = 46
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.soft{fill:#5f6b7a}.right{fill:#1b7f5c}"
    ".wrong{fill:none;stroke:#c2410c;stroke-width:1.6}.median{stroke:#1f2933;stroke-width:2}"
    ".grid{stroke:#d5dbe3}.paper{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6eaf0}.soft{fill:#9aa6b5}.right{fill:#4cc79a}"
    ".wrong{stroke:#fb923c}.median{stroke:#e6eaf0}.grid{stroke:#3a4452}.paper{fill:#161b22}}"
)


def gap_plot(systems: Mapping[str, Any]) -> str:
    """A lane a system: a filled dot for a right answer, a ring for a wrong one, a bar at the median."""
    lanes = {name: one["answers"] for name, one in systems.items() if "answers" in one}
    gaps = [row["gap_ms"] for rows in lanes.values() for row in rows if row["gap_ms"] is not None]
    low, high = int(min([0, *gaps])), int(max([1_000, *gaps]))
    step = 250 if high - low <= 2_500 else 500
    low, high = (low // step) * step, -(-high // step) * step
    height = _TOP + _LANE * len(lanes) + 46

    def at(ms: float) -> float:
        return float(_LEFT + (ms - low) / (high - low) * (_WIDTH - _LEFT - 30))

    bottom = _TOP + _LANE * len(lanes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'aria-label="Response gap of every answer, by system">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        f'<text x="{_LEFT}" y="22">From the caller\'s last sound to our first, ms</text>',
        f'<text class="soft" x="{_WIDTH - 30}" y="22" text-anchor="end">'
        "dot: right answer, ring: wrong, bar: median</text>",
    ]
    for tick in range(int(low), int(high) + 1, step):
        x = at(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{bottom}"/>')
        parts.append(f'<text class="soft" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{tick:g}</text>')
    for number, (name, rows) in enumerate(lanes.items()):
        middle = _TOP + _LANE * number + _LANE / 2 - 6
        parts.append(f'<text x="12" y="{middle + 4:.1f}">{escape(name)}</text>')
        answered = [row for row in rows if row["gap_ms"] is not None]
        for place, row in enumerate(answered):
            y = middle + (place % 5 - 2) * 5
            kind = "right" if row["right"] else "wrong"
            parts.append(f'<circle class="{kind}" cx="{at(row["gap_ms"]):.1f}" cy="{y:.1f}" r="4"/>')
        median = percentile([row["gap_ms"] for row in answered], 50)
        if median is not None:
            x = at(median)
            parts.append(
                f'<line class="median" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 18:.1f}" '
                f'y2="{middle + 18:.1f}"/>'
                f'<text x="{x + 5:.1f}" y="{middle - 12:.1f}">{median:.0f}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"
