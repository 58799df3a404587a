"""Small charts as SVG, drawn on the server. Colours and fonts come from classes, so they follow the theme
and print. Each says in words what it shows; `title` is unique on its page. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from kame_voice.web.dashboard.scale import gridlines

__all__ = ["Column", "Marker", "Part", "columns", "share"]

_WIDTH: Final = 560
_HEIGHT: Final = 200
_LEFT: Final = 40
_TOP: Final = 22
_BOTTOM: Final = 28
_LABELS: Final = 7


@dataclass(frozen=True, slots=True)
class Column:
    """One place on the x axis: its label, what it says when pointed at, and its stacked values."""

    label: str
    says: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Marker:
    """An upright line at `place`, in columns from the left, with its label."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Part:
    """One share of a whole."""

    name: str
    value: float
    kind: str


def columns(
    title: str,
    description: str,
    data: Sequence[Column],
    kinds: Sequence[str],
    markers: Sequence[Marker] = (),
    *,
    labels_at_edges: bool = False,
) -> Markup:
    """Stacked columns; `kinds` are the classes of the layers, from below.

    `labels_at_edges`: a label names where its column begins, as in a histogram.
    """
    lines = gridlines(max((sum(column.values) for column in data), default=0), wanted=3)
    plot_w, plot_h = _WIDTH - _LEFT - 4, _HEIGHT - _TOP - _BOTTOM
    pitch = plot_w / max(len(data), 1)
    bar = max(pitch - max(1.5, pitch * 0.18), 0.8)

    def y_of(value: float) -> float:
        return _TOP + plot_h * (1 - value / lines[-1])

    drawn = [
        Markup('<line class="grid-line" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
            _LEFT, _WIDTH - 4, y_of(value), y_of(value)
        )
        + Markup('<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{:g}</text>').format(
            _LEFT - 8, y_of(value) + 4, value
        )
        for value in lines
    ]
    every = max(1, -(-len(data) // _LABELS))
    for place, column in enumerate(data):
        x = _LEFT + pitch * place + (pitch - bar) / 2
        drawn.append(_column(column, kinds, x, bar, y_of))
        if place % every == 0:
            drawn.append(
                Markup('<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    x - (pitch - bar) / 2 if labels_at_edges else x + bar / 2, _HEIGHT - 8, column.label
                )
            )
    for marker in markers:
        x = _LEFT + pitch * marker.place
        drawn.append(
            Markup(
                '<line class="marker" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
                '<text class="marker-label" x="{3:.1f}" y="{4}" text-anchor="{5}">{6}</text>'
            ).format(
                x,
                _TOP - 4,
                _TOP + plot_h,
                x + (4 if x < _WIDTH * 0.75 else -4),
                _TOP - 8,
                "start" if x < _WIDTH * 0.75 else "end",
                marker.label,
            )
        )
    return _svg("chart", _WIDTH, _HEIGHT, title, description, drawn)


def share(title: str, description: str, parts: Sequence[Part]) -> Markup:
    """One bar, divided."""
    whole = sum(part.value for part in parts)
    drawn, x = [], 0.0
    for part in parts:
        width = _WIDTH * part.value / whole if whole else 0.0
        if width:
            drawn.append(
                Markup(
                    '<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="18"><title>{}</title></rect>'
                ).format(part.kind, x, max(width - 1.5, 0.5), f"{part.name}: {part.value:g}")
            )
        x += width
    return _svg("chart share", _WIDTH, 18, title, description, drawn, fit="none")


def _column(
    column: Column, kinds: Sequence[str], x: float, width: float, y_of: Callable[[float], float]
) -> Markup:
    drawn, base = [Markup("<title>{}</title>").format(column.says)], 0.0
    for kind, value in zip(kinds, column.values, strict=True):
        if value:
            top = y_of(base + value)
            drawn.append(
                Markup('<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
                    kind, x, top, width, max(y_of(base) - top, 0.5)
                )
            )
        base += value
    return Markup("<g>") + Markup("").join(drawn) + Markup("</g>")


def _svg(
    kind: str,
    width: int,
    height: int,
    title: str,
    description: str,
    drawn: Sequence[Markup],
    fit: str = "xMidYMid meet",
) -> Markup:
    name = re.sub(r"\W+", "-", title.lower())
    return Markup(
        '<svg class="{0}" viewBox="0 0 {1} {2}" preserveAspectRatio="{6}" role="img" '
        'aria-labelledby="chart-{3}" aria-describedby="chart-{3}-says"><title id="chart-{3}">{4}</title>'
        '<desc id="chart-{3}-says">{5}</desc>{7}</svg>'
    ).format(kind, width, height, name, title, description, fit, Markup("").join(drawn))
