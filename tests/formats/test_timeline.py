"""An Alignment in seconds: what is left out, and where phrases end."""

import dataclasses

import numpy as np

from tests.factory import SYMBOLS, alignment_record
from ttskit.formats.timeline import Timeline


def test_words_and_tokens_without_frames_are_left_out():
    record = dataclasses.replace(
        alignment_record(), durations=np.array([2, *[1] * 4, *[0] * 5, 1, 1])
    )
    line = Timeline(record, SYMBOLS, 0.5)
    assert line.words == [(1.0, 3.0, "hello", 0), (3.0, 3.5, "lo", 2)]
    assert [phone.number for phone in line.phones] == [0, 1, 2, 3, 4, 10, 11]
    assert line.seconds == 4.0


def test_a_phrase_ends_where_the_line_is_full_and_numbers_stay_whole():
    record = alignment_record()
    text = "It was 1999999999999999999999999999999999999 again"
    spans, words = [[0, 2], [3, 6], [7, 44], [7, 44], [45, 50]], ["it", "was", "one", "nine", "so"]
    token_word = np.array([-1, 0, 0, 0, 0, -1, -1, 1, 2, 3, 4, -1])
    durations = np.full(12, 2)
    record = dataclasses.replace(
        record,
        text=text,
        spans=np.array(spans),
        words=np.array(words, dtype=object),
        token_word=token_word,
        durations=durations,
    )
    phrases = Timeline(record, [*"x" * 20], 0.01).phrases
    assert [phrase.label for phrase in phrases] == ["It was", text.split()[2], "again"]
