"""A call's transcript to take away: as text for people, as WebVTT for players. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kame_voice.store.calls import CallDetail, CallTurn, TurnSentence

__all__ = ["as_text", "as_vtt"]

_NAMES = {"caller": "Caller", "agent": "Agent"}


def as_text(call: CallDetail) -> str:
    """One line a turn; what the caller never heard of it stands in brackets."""
    lasted = "still running" if call.duration_ms is None else f"{_clock(call.duration_ms)} long"
    lines = [
        f"Call {call.id}, {call.line} ({call.customer})",
        f"{call.started_at:%Y-%m-%d %H:%M:%S} UTC, {lasted}, {call.status.value}",
        f"From {call.from_number} to {call.to_number}",
        "",
        *(f"[{_clock(turn.start_ms)}] {_name(turn)}: {_said(turn)}" for turn in call.turns),
    ]
    return "\n".join(lines) + "\n"


def as_vtt(call: CallDetail) -> str:
    """Cues in step with the recording, so an agent's words are those that were heard. W3C WebVTT."""
    return "WEBVTT\n\n" + "".join(_cues(call))


def _cues(call: CallDetail) -> Iterator[str]:
    for number, turn in enumerate(call.turns, 1):
        heard = _heard(turn)
        if not heard:
            continue
        # A cue must end after it begins.
        times = f"{_clock(turn.start_ms)} --> {_clock(max(turn.end_ms, turn.start_ms + 1))}"
        yield f"{number}\n{times}\n<v {_name(turn)}>{heard}</v>\n\n"


def _heard(turn: CallTurn) -> str:
    """The words that were heard, as a cue's text; those that no fact stands behind have a class."""
    parts = []
    for one in _sentences(turn):
        heard = _escaped(" ".join(one.text.split()[: one.heard_words]))
        if heard:
            parts.append(f"<c.no-source>{heard}</c>" if one.grounded is False else heard)
    return " ".join(parts)


def _said(turn: CallTurn) -> str:
    """All words, those that were not heard in brackets; a sentence that no fact stands behind is marked."""
    if not turn.text:
        return "(not transcribed)"
    heard: list[str] = []
    unheard: list[str] = []
    for one in _sentences(turn):
        words = one.text.split()
        mark = ["(no source)"] if one.grounded is False else []
        for part, said in ((heard, words[: one.heard_words]), (unheard, words[one.heard_words :])):
            part.extend([*said, *mark] if said else [])
    return " ".join([*heard, f"[not heard: {' '.join(unheard)}]"] if unheard else heard)


def _sentences(turn: CallTurn) -> Sequence[TurnSentence]:
    """The agent's; a caller's words are one without a source."""
    if turn.sentences or not turn.text:
        return turn.sentences
    heard = turn.text if turn.heard_text is None else turn.heard_text
    return [
        TurnSentence(text=turn.text, heard_words=len(heard.split()), oracle_id=None, grounded=None),
    ]


def _name(turn: CallTurn) -> str:
    return _NAMES.get(turn.speaker, turn.speaker)


def _escaped(text: str) -> str:
    """No tag and no arrow may come from what somebody said."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")


def _clock(ms: int) -> str:
    hours, rest = divmod(max(ms, 0), 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest / 1000:06.3f}"
