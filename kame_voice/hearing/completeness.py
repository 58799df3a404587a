"""Whether the words so far make a whole turn, and how long to wait when they do or do not. Pure, English.

Does not know audio or models: it reads what speech to text wrote, whose punctuation carries some of the
melody. Silence alone cannot tell a comma from an end: people pause for 0.2 to 1 s within a turn, and
wait for about 0.2 s between two (Stivers et al. 2009, ten languages).
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from kame_voice.hearing.turns import TurnTimes

__all__ = ["Completeness", "completeness", "silence_after"]


class Completeness(Enum):
    """What the words say about the turn."""

    WHOLE = auto()
    """A question that lacks nothing: the caller waits for us."""
    OPEN = auto()
    """A request, a short answer, or words that tell neither way."""
    PREAMBLE = auto()
    """A plain statement: callers say what the matter is, draw breath, and then ask."""
    UNFINISHED = auto()
    """A sentence that has to go on: it ends on "to", "and", "um", a comma, or in mid-question."""


def silence_after(text: str, times: TurnTimes) -> int:
    """Milliseconds of silence after which a caller who has said `text` has finished."""
    usual = times.end_silence_ms
    unfinished = max(usual, times.unfinished_silence_ms)
    match completeness(text):
        case Completeness.WHOLE:
            return min(usual, times.whole_silence_ms)
        case Completeness.PREAMBLE:
            return (usual + unfinished) // 2
        case Completeness.UNFINISHED:
            return unfinished
        case _:
            return usual


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OPENERS: Final = _set(
    "hi hello hey um uh er erm ah oh okay ok well so yes yeah yep right alright great perfect sorry "
    "please thanks good morning afternoon evening excuse me and also then now actually but"
)
"""Words before the sentence proper."""

_NEVER_LAST: Final = _set(
    "a an the my your our their his its this's and or but because if whether than i'm i'd i'll i've we're "
    "we'd we've you're they're there's um uh er erm i we he she they my very is are am was were do does did "
    "would could should might must shall of from into about between during without with for to at as like "
    "per every each another any some more not just also so wanted wondering asking which whose"
)
"""Words that ask for another. Of these `_STRANDED` may end a question."""

_STRANDED: Final = _set("of from into about with for to at like i we he she they more each")
"""Last words of questions that are whole: "what is it for?", "what street are you at?", "where are they?"."""

_TRANSITIVE: Final = _set(
    "have take accept offer sell get make bring give need want put use buy say rent fix repair treat tell "
    "know hire mean call keep charge"
)
"""Verbs that lack their object where a yes-no question ends on them."""

_WH: Final = _set("what what's when when's where where's which who who's whose how how's why")
_AUX: Final = _set(
    "do does did is are am was were can could will would shall should may might have has don't doesn't isn't "
    "aren't can't couldn't won't wouldn't haven't hasn't"
)
_PRONOUNS: Final = _set("i you we he she it they there that this your my the anyone anybody somebody")
_IF: Final = _set("if because since while although unless until once whenever after before")
_WORD: Final = re.compile(r"[a-z0-9$€£:.,]*[a-z0-9]+(?:['’][a-z]+)?", re.IGNORECASE)
_SENTENCES: Final = re.compile(r"(?<=[.?!])\s+(?=\S)")
_REQUEST: Final = re.compile(
    r"\b(i('d| would) (like|love|prefer)|i (want|need)|i('m| am) (looking|calling|trying)|i have to|"
    r"(please )?(tell|give|show|connect|put|transfer) me|let me|please|we need|we('d| would) like|"
    r"thank you|thanks|goodbye|bye)\b",
    re.IGNORECASE,
)
_ASKS_TO_ASK: Final = re.compile(
    r"\b(wanted to (ask|know|see|find out|check)|(had|have|got) (a|another|one more) (quick )?question|"
    r"wondering|i was (going to|gonna)|quick question|could you tell me|can you tell me|do you know|"
    r"one more thing|calling (about|to ask|to see|because))[.,?]?$",
    re.IGNORECASE,
)
_DICTATED: Final = 3
"""Digits that look like a group of a longer number: "five five five", and then the rest."""
_FEW: Final = 4
"""Fewer words than this are an answer or a fragment, not a statement."""


def completeness(text: str) -> Completeness:
    """What the words of the turn so far, as speech to text wrote them, say about its end."""
    text = text.strip()
    sentence = _SENTENCES.split(text)[-1] if text else ""
    words = _words(sentence)
    if not words:
        return Completeness.OPEN
    if text.endswith((",", "-", "–", "—", "…", "...")) or _ASKS_TO_ASK.search(text):
        return Completeness.UNFINISHED
    said = _without_openers(words)
    if not said:
        return Completeness.PREAMBLE
    last_clause = _without_openers(_words(sentence.rpartition(",")[2]))
    for clause in (last_clause, said):
        if _asks(clause):
            return _of_question(clause, text)
    return _of_statement(said, sentence)


def _of_question(clause: list[str], text: str) -> Completeness:
    first, last = clause[0], clause[-1]
    wh = first in _WH
    if last in _NEVER_LAST and not (wh and last in _STRANDED and len(clause) > 2):
        return Completeness.UNFINISHED
    if wh and len(clause) < 3:
        return Completeness.OPEN if text.endswith("?") else Completeness.UNFINISHED
    if not wh and (len(clause) < 3 or (last in _TRANSITIVE and len(clause) == 3)):
        return Completeness.UNFINISHED
    return Completeness.WHOLE if text[-1] in "?.!" else Completeness.OPEN


def _of_statement(said: list[str], sentence: str) -> Completeness:
    if said[-1] in _NEVER_LAST or said[-1] in _WH:
        return Completeness.UNFINISHED
    if said[0] in _IF or (said[0] in _WH and len(said) > 1):
        return Completeness.UNFINISHED
    if len(said[-1]) >= _DICTATED and said[-1].isdigit():
        return Completeness.UNFINISHED
    if len(said) < _FEW or _REQUEST.search(sentence):
        return Completeness.OPEN
    return Completeness.PREAMBLE


def _asks(clause: list[str]) -> bool:
    """Whether the clause begins as a question does: "what …", "do you …", not "when I come in …"."""
    if not clause:
        return False
    if clause[0] in _AUX:
        return len(clause) == 1 or clause[1] not in _AUX
    return clause[0] in _WH and not (len(clause) > 1 and clause[1] in _PRONOUNS and clause[0] != "what")


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'").strip(".,:") for word in _WORD.findall(text)]


def _without_openers(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at] in _OPENERS:
        at += 1
    return words[at:]
