"""Questions that rise by rule: which, from where, and by which voices."""

from dataclasses import replace

import numpy as np
import pytest

from tests.tiny import facts, write_voice
from ttskit.speaking import questions
from ttskit.speaking.chain import Chain
from ttskit.speaking.lines import to_lines
from ttskit.speaking.style import Style
from ttskit.text.ssml import Passage
from ttskit.voices import voice as voices


@pytest.mark.parametrize(
    ("text", "rises"),
    [
        ("Are you coming?", True),
        ("“You're coming?”", True),
        ("So, is it true?", True),
        ("Are you coming.", False),
        ("Where are you going?", False),
        ("What's that?", False),
        ("But in which street is it?", False),
        ("Is it tea or coffee?", False),
        ("“Is it?” he asked.", False),
    ],
)
def test_questions_rise_that_yes_or_no_answers(text, rises):
    words = [word.strip("“”?.,") for word in text.split()]
    assert questions.can_rise(text, words) is rises


def test_the_rise_begins_at_the_last_stressed_vowel_and_ends_with_the_last_word():
    symbols = ["<begin>", "ˈɑ", "ɹ", "#", "k", "ˈʌ", "m", "ɪ", "ŋ", "?", "<end>"]
    owners = np.array([-1, 0, 0, -1, 1, 1, 1, 1, 1, -1, -1])
    expected = [0, 0, 0, 0, 0, 1 / 4, 2 / 4, 3 / 4, 1, 1, 1]
    np.testing.assert_allclose(questions.rise(symbols, owners) / questions.RISE, expected)


def test_without_a_stressed_vowel_nothing_rises():
    assert not questions.rise(["<begin>", "ə", "<end>"], np.array([-1, 0, -1])).any()


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return Chain(voices.read(write_voice(tmp_path_factory.mktemp("voice"))))


def pitch(chain, text, heard):
    """Semitones that each token is raised by, where the voice has heard so many questions."""
    known = facts().symbols
    counts = () if heard is None else tuple(heard if one == "?" else 9 for one in known)
    reader = chain.voice.reader
    reader.__dict__["facts"] = replace(reader.facts, heard=counts)
    (line,) = to_lines([Passage(text)], chain.voice.speller())
    return chain._manner(line, Style()).pitch


@pytest.mark.parametrize(("heard", "rises"), [(0, True), (99, True), (100, False), (None, True)])
def test_a_voice_that_has_heard_questions_is_left_to_itself(chain, heard, rises):
    assert pitch(chain, "Is it?", heard).any() == rises


def test_a_statement_stays_as_it_is(chain):
    assert not pitch(chain, "It is.", 0).any()
