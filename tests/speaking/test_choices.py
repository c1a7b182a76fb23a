"""What decides the choices of a decoder: a word that is in-painted."""

import pytest

from ttskit.errors import TtskitError
from ttskit.speaking.choices import numbered


def test_a_word_is_named_by_itself_or_by_its_place():
    words = ["one", "two", "2", "two"]
    assert [numbered(word, words) for word in ("two", "2", "4")] == [1, 2, 3]
    with pytest.raises(TtskitError, match="has no word 'six'; its words are one two 2 two"):
        numbered("six", words)
