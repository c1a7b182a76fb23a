"""Words that are lost in speech, and speech that is not of the text."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from ttskit.speaking.realignment import Script, realigned

SPOKEN = 6  # frames of a token
WORDS = ("one", "two", "six")
TOKENS = np.array([0, 1, 2, 0, 3, 4, 0, 5, 6, 0])  # 0 may last no frame
TOKEN_WORD = np.array([-1, 0, 0, -1, 1, 1, -1, 2, 2, -1])


class Planted:
    """An aligner to which each frame of a `mel` says which symbol it is."""

    model: Any = SimpleNamespace(facts=SimpleNamespace(silent=(True, *[False] * 7)))

    def scores(self, mel, utterance):
        symbols = torch.tensor(np.asarray(utterance.tokens))
        return (torch.tensor(mel)[:, None] == symbols).float() * 14


def speech(*tokens):
    return np.repeat(tokens, SPOKEN)


def heard(mel):
    utterance = Script("a", "", "one two six", TOKENS, TOKEN_WORD, WORDS)
    aligner: Any = Planted()
    return realigned(aligner, mel, utterance)


def test_speech_of_the_whole_text_has_no_fault():
    found = heard(speech(1, 2, 3, 4, 5, 6))
    assert found.fault == ""
    assert found.durations.tolist() == [0, 6, 6, 0, 6, 6, 0, 6, 6, 0]
    assert found.score > -0.1


@pytest.mark.parametrize("word", range(3))
def test_a_word_that_is_not_spoken_is_lost(word):
    spoken = [
        token for token, owner in zip(TOKENS, TOKEN_WORD, strict=True) if owner not in (word, -1)
    ]
    assert heard(speech(*spoken)).fault == f"the word {WORDS[word]!r} is lost"


def test_half_a_word_is_not_lost():
    assert heard(speech(1, 2, 3, 5, 6)).fault == ""


def test_a_loop_is_named_by_the_word_before_it():
    looped = heard(speech(1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 5, 6))
    assert looped.fault == "near the word 'two' something else is said"


def test_babble_at_the_end_is_named_by_the_last_word():
    babble = heard(speech(1, 2, 3, 4, 5, 6, 2, 1, 4, 3))
    assert babble.fault == "near the word 'six' something else is said"


def test_speech_that_is_too_short_for_its_tokens_is_a_fault():
    assert "frames" in heard(np.array([1, 2, 3])).fault
