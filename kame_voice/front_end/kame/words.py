"""Words to tokens and tokens to words, as they stream. Pure but for the tokenizer passed in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

__all__ = ["TextTokens", "WholeWords", "WordJoiner"]

_PADS_THAT_END_A_WORD: Final = 2
"""Padding steps after a word's last piece until it counts as ended: pieces of one word follow each
other without padding, but a sampled model may slip one in."""
_LAST_SPACE: Final = re.compile(r"\s(?=\S*$)")


class TextTokens(Protocol):
    """A SentencePiece vocabulary."""

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, pieces joined."""
        ...

    def starts_word(self, token: int) -> bool:
        """Whether the piece begins with a space."""
        ...


class WholeWords:
    """Tokenises a stream of text deltas word by word, so that no word is broken at a seam.

    However a text is cut into deltas, its tokens are those of the whole text: SentencePiece joins
    no pieces across spaces.
    """

    def __init__(self, vocabulary: TextTokens) -> None:
        self._vocabulary = vocabulary
        self._tail = ""

    def feed(self, delta: str) -> list[int]:
        """Tokens of the words that are complete now; the word at the end waits for its space."""
        text = self._tail + delta
        seam = _LAST_SPACE.search(text)
        if seam is None:
            self._tail = text
            return []
        self._tail = text[seam.end() :]
        return self._tokens(text[: seam.start()])

    def flush(self) -> list[int]:
        """Tokens of the last word: no more text comes."""
        text, self._tail = self._tail, ""
        return self._tokens(text)

    def _tokens(self, text: str) -> list[int]:
        return [token for word in text.split() for token in self._vocabulary.encode(word)]


class WordJoiner:
    """Joins the inner monologue's tokens, one a step, into words.

    `padding` tokens carry no text; `end_padding` marks that the next step starts a word. A word is
    complete when another starts, at an end padding, or after two steps of padding.
    """

    def __init__(self, vocabulary: TextTokens, *, padding: int, end_padding: int, card: int) -> None:
        self._vocabulary = vocabulary
        self._padding = padding
        self._end_padding = end_padding
        self._card = card
        self._pieces: list[int] = []
        self._oracle_id: str | None = None
        self._pads = 0

    @property
    def under_way(self) -> bool:
        """Whether a word has begun and not ended."""
        return bool(self._pieces)

    def feed(self, token: int, oracle_id: str | None) -> tuple[str, str | None] | None:
        """Take one step's token; the word that it completes, with the oracle in force at its start."""
        if token == self._padding:
            self._pads += 1
            return self.flush() if self._pads >= _PADS_THAT_END_A_WORD else None
        self._pads = 0
        if token == self._end_padding or not 0 <= token < self._card:
            return self.flush()
        done = self.flush() if self._pieces and self._vocabulary.starts_word(token) else None
        if not self._pieces:
            self._oracle_id = oracle_id
        self._pieces.append(token)
        return done

    def flush(self) -> tuple[str, str | None] | None:
        """The word under way, ended here; None where there is none."""
        if not self._pieces:
            return None
        text = self._vocabulary.decode(self._pieces).strip()
        self._pieces = []
        return (text, self._oracle_id) if text else None
