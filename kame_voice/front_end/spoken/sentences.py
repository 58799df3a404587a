"""Sentences out of text that arrives in pieces. Pure; does not know who wrote it or who speaks it."""

from __future__ import annotations

import re
from typing import Final

from kame_voice.core.first_clause import first_clause_end

__all__ = ["SentenceSplitter", "sentences_of"]

_TITLES: Final = frozenset(
    """
    mr mrs ms dr prof rev hon sr jr st ste mt ft vs approx dept est ext fig inc ltd co corp jan feb
    mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun ave blvd
    rd ln apt e.g i.e etc
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Words whose full stop does not end a sentence. Too many cost a longer sentence, too few a broken one."""

_AFTER_A_TIME: Final = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays
    fridays saturdays sundays est edt cst cdt mst mdt pst pdt eastern central mountain pacific
    january february march april may june july august september october november december
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Capitalised words that go on a sentence after "9 a.m."."""

_END: Final = re.compile(r"""(?P<stop>[.!?…]+)["'”’)\]]*\s+|\s*\n\s*""")
_WORD_AHEAD: Final = re.compile(r"""["'“‘(\[]*(?P<word>[^\s]+?)(?P<done>[\s.,;:!?…)\]])""")
_LONG: Final = 240
"""A sentence longer than this is broken at its last comma, so that its first sound does not wait."""
_CLAUSE: Final = re.compile(r"[,;:—]\s+")


class SentenceSplitter:
    """Feed pieces of any length; whole sentences come out, the same ones however the text was cut.

    An end is taken for one only when what follows it has been seen as far as it matters, so a piece
    that stops inside "9 a.m." breaks nothing. `finish` gives what is left.

    `begins_early`: of the first sentence its first clause comes by itself ("Yes,", "A cleaning is ninety
    dollars,"), for a writer who is slower than a voice: the rest arrives while it is being said.
    """

    def __init__(self, *, begins_early: bool = False) -> None:
        self._text = ""
        self._begins_early = begins_early

    @property
    def tail(self) -> str:
        """What has arrived of the sentence that is not whole yet."""
        return self._text.strip()

    def feed(self, piece: str) -> list[str]:
        """More text; the sentences that it completes, without surrounding white space."""
        self._text += piece
        return self._take(final=False)

    def finish(self) -> list[str]:
        """The text is complete: all that is left of it."""
        found = self._take(final=True)
        rest, self._text = self._text.strip(), ""
        return [*found, rest] if rest else found

    def _take(self, *, final: bool) -> list[str]:
        found: list[str] = []
        while (cut := self._first_cut(final)) is not None:
            sentence, self._text = self._text[:cut].strip(), self._text[cut:]
            if sentence:
                self._begins_early = False
                found.append(sentence)
        return found

    def _first_cut(self, final: bool) -> int | None:
        """Where the next piece ends: the first sentence, or what it begins with."""
        end = self._first_end(final)
        clause = first_clause_end(self._text) if self._begins_early else None
        return clause if clause is not None and (end is None or clause < end) else end

    def _first_end(self, final: bool) -> int | None:
        """Where the first sentence surely ends; None: nowhere yet."""
        for match in _END.finditer(self._text):
            broken = "\n" in match[0]
            if match.end() == len(self._text) and not (final or broken):
                break  # more white space may follow
            ends = broken or self._ends(match, final)
            if ends is None:
                break
            if ends:
                return self._long_cut(match.end()) or match.end()
        return self._long_cut(len(self._text))

    def _ends(self, match: re.Match[str], final: bool) -> bool | None:
        """Whether a stop ends a sentence; None: that shows only in what has not arrived."""
        if match["stop"] != ".":
            return True
        before = self._text[: match.start()]
        word = before[max(before.rfind(" "), before.rfind("\n")) + 1 :].lstrip("(\"'“‘[").lower()
        rest = self._text[match.end() :]
        if word in ("a.m", "p.m", "am", "pm") and not rest[:1].islower():
            ahead = _WORD_AHEAD.match(rest + " " if final else rest)
            if ahead is None:
                return True if final else None
            return ahead["word"].lower() not in _AFTER_A_TIME
        return not (
            rest[:1].islower()
            or word in _TITLES
            or (word in ("no", "nos") and rest[:1].isdigit())
            or (len(word) == 1 and word.isalpha() and word != "i")
            or (word.isdigit() and before.strip() == word)  # "1. First …" counts, it does not end
        )

    def _long_cut(self, end: int) -> int | None:
        """Where to break the first `end` characters if they are too many for one breath."""
        if end <= _LONG:
            return None
        cuts = [match.end() for match in _CLAUSE.finditer(self._text, 0, _LONG)]
        return cuts[-1] if cuts and cuts[-1] > _LONG // 4 else None


def sentences_of(text: str) -> list[str]:
    """The sentences of a whole text."""
    splitter = SentenceSplitter()
    return [*splitter.feed(text), *splitter.finish()]
