"""The real voice: trimmed, levelled, timed, kept."""

import numpy as np
import pytest

from kame_voice.front_end.spoken.speech import finished_speech, timed_words
from kame_voice.front_end.spoken.voice import Need, Voice, VoiceFailed

pytestmark = pytest.mark.anyio
TIMEOUT_S = 30


def test_speech_starts_with_its_sound(voice: Voice) -> None:
    speech = voice.prepare("We are open on Saturday.", Need.NOW).result(TIMEOUT_S)
    blocks = np.sqrt(np.mean(speech.pcm[: len(speech.pcm) // 240 * 240].reshape(-1, 240) ** 2, axis=1))
    audible = np.flatnonzero(blocks > 10 ** (-50 / 20))
    assert audible[0] * 10 <= 30
    assert (len(blocks) - audible[-1]) * 10 <= 60


def test_speech_is_at_telephone_level_without_clipping(voice: Voice) -> None:
    speech = voice.prepare("Thank you for calling. How can I help?", Need.NOW).result(TIMEOUT_S)
    power = np.mean(speech.pcm[: len(speech.pcm) // 240 * 240].reshape(-1, 240) ** 2, axis=1)
    level = 10 * np.log10(power[power > power.max() * 1e-3].mean())
    assert -22 < level < -18
    assert np.abs(speech.pcm).max() <= 0.9


def test_the_words_are_those_written_and_end_in_order(voice: Voice) -> None:
    speech = voice.prepare("Call +1 555 0100 at 9 a.m.", Need.NOW).result(TIMEOUT_S)
    assert [word for word, _ in speech.words] == ["Call", "+1", "555", "0100", "at", "9", "a.m."]
    ends = [end for _, end in speech.words]
    assert ends == sorted(ends)
    assert ends[-1] == len(speech.pcm)


def test_a_digit_takes_as_long_as_a_word() -> None:
    (_, first), (_, second) = timed_words("so 0100", 1000)
    assert second - first > 3 * first


def test_fixed_phrases_are_kept_and_a_callers_own_are_not(voice: Voice) -> None:
    kept = voice.prepare("One moment, please.", Need.NOW, keep=True).result(TIMEOUT_S)
    assert voice.prepare("One moment, please.", Need.NOW).result(0) is kept
    own = voice.prepare("Your table is booked, Anne.", Need.NOW).result(TIMEOUT_S)
    assert voice.prepare("Your table is booked, Anne.", Need.NOW).result(TIMEOUT_S) is not own


async def test_warmed_phrases_are_at_hand(voice: Voice) -> None:
    await voice.warm(["Goodbye now. Take care."])
    assert voice.prepare("Take care.", Need.NOW).done()


def test_one_who_no_longer_wants_a_kept_phrase_does_not_take_it_from_another(voice: Voice) -> None:
    mine = voice.prepare("We will be with you soon.", Need.MAYBE, keep=True)
    theirs = voice.prepare("We will be with you soon.", Need.MAYBE, keep=True)
    mine.cancel()
    assert len(theirs.result(TIMEOUT_S).pcm)


def test_text_without_sound_is_empty_speech() -> None:
    assert len(finished_speech("…", np.zeros(4800, np.float32)).pcm) == 0
    assert len(finished_speech("", np.zeros(0, np.float32)).pcm) == 0


def test_the_memory_for_phrases_is_bounded_and_a_closed_voice_says_so() -> None:
    small = Voice(cache_bytes=200_000)
    first = small.prepare("This is the first of the phrases.", Need.NOW, keep=True).result(TIMEOUT_S)
    small.prepare("And this is another phrase.", Need.NOW, keep=True).result(TIMEOUT_S)
    assert small.prepare("This is the first of the phrases.", Need.NOW).result(TIMEOUT_S) is not first
    small.close()
    small.close()
    assert isinstance(small.prepare("Hello.", Need.NOW).exception(0), VoiceFailed)


def test_a_pause_in_the_speech_stands_at_the_texts_own_comma() -> None:
    words = timed_words("extraordinarily, yes I do", 24_000, [(6_000, 9_000)])
    assert words[0] == ("extraordinarily,", 6_000)
    assert 9_000 < words[1][1] < words[2][1] < words[3][1] == 24_000
