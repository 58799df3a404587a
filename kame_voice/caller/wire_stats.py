"""How evenly the server's audio came in: jitter, lead, holes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kame_voice.caller.playback import Arrival, Playback
from kame_voice.caller.twilio_side import RATE
from kame_voice.caller.voiced import VOICED_DB

__all__ = ["WireStats", "measure", "percentile"]

_SPURT_START: Final = 5
"""Messages at the start of a stretch that build up the lead: they come at once by design."""
_EDGE: Final = RATE // 50
_RESUMES_WITHIN: Final = RATE // 2
_POWER: Final = 10 ** (VOICED_DB / 10)


@dataclass(slots=True)
class WireStats:
    """`jitter_ms`: each message's |distance to the one before − its length|, while audio flows.

    `drift_ms`: |arrival − its place on an absolute clock| that a dry buffer sets anew. `lead_ms`:
    audio that lay in the buffer when each message came. `holes_ms`: lengths of the holes a caller
    could hear, that is, voice before and after and silence of the network's making in between;
    `underruns` counts every time the buffer ran dry, pauses in the conversation included.
    `late_share`: messages within a stretch that came when the buffer had run dry already, of all.
    `own_late_ms`: the caller's own worst delay in sending: what the measuring itself can be trusted to.
    """

    messages: int = 0
    seconds: float = 0.0
    jitter_ms: list[float] = field(default_factory=list)
    drift_ms: list[float] = field(default_factory=list)
    lead_ms: list[float] = field(default_factory=list)
    holes_ms: list[float] = field(default_factory=list)
    underruns: int = 0
    late: int = 0
    overflowed: int = 0
    own_late_ms: float = 0.0

    @property
    def late_share(self) -> float:
        """0..1."""
        return self.late / self.messages if self.messages else 0.0

    def to_json(self) -> dict[str, Any]:
        """Percentiles instead of lists."""
        return {
            "messages": self.messages,
            "seconds": round(self.seconds, 3),
            "jitter_ms": _percentiles(self.jitter_ms),
            "drift_ms": _percentiles(self.drift_ms),
            "lead_ms": _percentiles(self.lead_ms),
            "holes": len(self.holes_ms),
            "holes_ms": [round(hole, 1) for hole in self.holes_ms[:50]],
            "underruns": self.underruns,
            "late_share": round(self.late_share, 5),
            "overflowed": self.overflowed,
            "own_late_ms": round(self.own_late_ms, 1),
        }


def percentile(values: Sequence[float], p: float) -> float | None:
    """The `p`-th percentile, None of nothing."""
    return round(float(np.percentile(values, p)), 2) if len(values) else None


def _percentiles(values: Sequence[float]) -> dict[str, float | None]:
    return {name: percentile(values, p) for name, p in (("min", 0), ("p50", 50), ("p99", 99), ("max", 100))}


def measure(
    playback: Playback, heard: NDArray[np.float32], own_late_s: float, *, since_s: float = 0.0
) -> WireStats:
    """Sum up a finished call's playback from `since_s` on; `heard` is `playback.heard` of the whole call."""
    arrivals = [arrival for arrival in playback.arrivals if arrival.at_s >= since_s]
    underruns = [gap for gap in playback.underruns if gap.end >= since_s * RATE]
    stats = WireStats(
        messages=len(arrivals),
        seconds=sum(arrival.duration_s for arrival in arrivals),
        lead_ms=[arrival.lead_s * 1000 for arrival in arrivals],
        underruns=len(underruns),
        overflowed=playback.overflowed,
        own_late_ms=own_late_s * 1000,
    )
    for stretch in _stretches(arrivals):
        _add_stretch(stats, stretch)
    holes = [
        (gap.end - gap.start) * 1000 / RATE
        for gap in underruns
        if gap.end - gap.start <= _RESUMES_WITHIN
        and _sounds(heard[max(gap.start - _EDGE, 0) : gap.start])
        and _sounds(heard[gap.end : gap.end + _EDGE])
    ]
    stats.holes_ms = holes
    return stats


def _stretches(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    stretches: list[list[Arrival]] = []
    for arrival in arrivals:
        if arrival.after_pause or not stretches:
            stretches.append([])
        stretches[-1].append(arrival)
    return stretches


def _add_stretch(stats: WireStats, stretch: list[Arrival]) -> None:
    if len(stretch) <= _SPURT_START + 1:
        return
    at = np.array([arrival.at_s for arrival in stretch])
    length = np.array([arrival.duration_s for arrival in stretch])
    stats.jitter_ms.extend((np.abs(np.diff(at) - length[:-1])[_SPURT_START:] * 1000).tolist())
    dry = [place for place in range(1, len(stretch)) if not stretch[place].lead_s]
    stats.late += len(dry)
    place = at - (np.cumsum(length) - length)
    for part in np.split(place, dry):
        settled = part[_SPURT_START:]
        if len(settled):
            stats.drift_ms.extend((np.abs(settled - np.median(settled)) * 1000).tolist())


def _sounds(pcm: NDArray[np.float32]) -> bool:
    return len(pcm) > 0 and float((pcm.astype(np.float64) ** 2).mean()) >= _POWER
