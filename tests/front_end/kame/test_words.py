from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kame_voice.front_end.kame.words import WholeWords, WordJoiner


class Letters:
    """Pieces of at most two letters; a piece that opens a word is odd."""

    def encode(self, text: str) -> list[int]:
        return [token for word in text.split() for token in self._word(word)]

    def _word(self, word: str) -> list[int]:
        return [10 + 2 * ord(letter) + (index == 0) for index, letter in enumerate(word)]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join((" " if token % 2 else "") + chr(max(0, token - 10) // 2) for token in tokens)

    def starts_word(self, token: int) -> bool:
        return token % 2 == 1


PIECES = Letters()


def joiner() -> WordJoiner:
    return WordJoiner(PIECES, padding=3, end_padding=0, card=100_000)


@given(st.text(alphabet="ab c\n", max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_deltas_may_break_anywhere_and_the_tokens_are_those_of_the_whole_text(
    text: str, cuts: list[int]
) -> None:
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    words = WholeWords(PIECES)
    tokens = [token for start, end in pairwise(edges) for token in words.feed(text[start:end])]
    assert tokens + words.flush() == PIECES.encode(text)


def test_a_word_waits_for_its_space() -> None:
    words = WholeWords(PIECES)
    assert words.feed("he") == []
    assert words.feed("llo wor") == PIECES.encode("hello")
    assert words.flush() == PIECES.encode("wor")


def spoken(tokens: list[int]) -> list[str]:
    words = joiner()
    found = [words.feed(token, None) for token in tokens] + [words.flush()]
    return [word[0] for word in found if word is not None]


def test_pieces_are_joined_to_words_without_spaces_between_them() -> None:
    assert spoken([3, *PIECES.encode("hello there"), 3, 3]) == ["hello", "there"]


def test_one_padding_amid_a_word_does_not_break_it_and_two_do() -> None:
    first, *rest = PIECES.encode("hi")
    assert spoken([first, 3, *rest]) == ["hi"]
    assert spoken([first, 3, 3, *rest]) == ["h", "i"]


def test_end_padding_ends_a_word() -> None:
    words = joiner()
    for token in PIECES.encode("yes"):
        assert words.feed(token, "o1") is None
    assert words.feed(0, "o2") == ("yes", "o1")


def test_a_word_belongs_to_the_oracle_in_force_when_it_began() -> None:
    words = joiner()
    first, second = PIECES.encode("a b")
    words.feed(first, "o1")
    assert words.feed(second, "o2") == ("a", "o1")
    assert words.flush() == ("b", "o2")
