import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttskit.text.sentences import sentences

CASES = [
    ["Dr. Smith left. ", "He came back."],
    ["He lives on King Dr. ", "She moved."],
    ["It cost 3.14 dollars. ", "Cheap!"],
    ["J. R. R. Tolkien wrote it. ", "We read it."],
    ['"Stop!" he said. ', '"Go."'],
    ["Wait... what? ", "No."],
    ["And so... ", "The end."],
    ["We met at 5 p.m. ", "They left."],
    ["We met at 5 p.m. sharp."],
    ["He said no. ", "Then he left."],
    ["It is No. 5 of the list."],
    ["It is 5 ft. ", "Then stop."],
    ["They left Ft. Worth in Feb. ", "He grew."],
    ["See e.g. Fig. 3 for this."],
    ["Inc. and Ltd. firms pay. ", "Why?! ", "Because"],
    ["no final punctuation"],
    ["你好。", "再见！", "「好。」", "他说"],
    ["नमस्ते। ", "क्या?"],
    ["مرحبا؟ ", "نعم."],
    ["A title\n\n", "A text."],
    ["1. First point. ", "It goes on."],
]


@pytest.mark.parametrize("parts", CASES)
def test_cuts_where_a_reader_would(parts):
    assert sentences("".join(parts)) == parts


def test_a_german_ordinal_ends_no_sentence():
    text = "Am 3. Oktober war es. Dann kam der 4. Tag."
    assert sentences(text, "de") == ["Am 3. Oktober war es. ", "Dann kam der 4. Tag."]


def test_characters_are_cut_as_english_is():
    for parts in CASES:
        assert sentences("".join(parts), "characters") == parts


@given(st.text() | st.text("aA1.!?…。।؟\"') \n", max_size=80))
def test_sentences_joined_are_the_text(text):
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize("unit", ["a. ", ".", "x", "1. ", '."', "\n ", "A.", "。", "Dr. "])
def test_a_long_line_takes_linear_time(unit):
    begun = time.process_time()
    assert sentences(unit * (60_000 // len(unit)))
    assert time.process_time() - begun < 2  # measured: under 0.1 s; a quadratic one takes minutes


def test_a_line_without_punctuation_is_one_sentence():
    line = "She sells sea shells by the sea shore " * 264
    assert sentences(line) == [line]
