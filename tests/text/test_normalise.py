"""What a reading keeps of a text beside its words: marks, capitals, spaces, places."""

import pickle

import pytest

from ttskit.errors import TextError
from ttskit.text.spelling import Speller

READINGS = [
    ("I have 21 cats.", "I have twenty one cats."),
    ("July 4, 1776", "July fourth, seventeen seventy six"),
    ("No. I won't.", "No. I won't."),
    ("at 5 p.m.", "at five P M."),
    ("St. Louis, Main St.", "Saint Louis, Main Street."),
    ("e.g. this, i.e. that, etc.", "for example this, that is that, et cetera."),
    ("the U.S. The end.", "the U S. The end."),
    ("it’s John’s", "it's John's"),
    ("555-1234", "five five five, one two three four"),
    ("(555) 123-4567", "five five five, one two three, four five six seven"),
    ("4111 1111 1111 1111.", "four one one one" + ", one one one one" * 3 + "."),
    ("Great 👍 job", "Great job"),
    ("Привет world", "world"),
    ("say [[h ə l ˈoʊ]] now", "say [[h ə l ˈoʊ]] now"),
    ('"Hello," (she) said…', '"Hello," (she) said…'),
    ("<b>Go</b>, <i>now</i>!", "Go, now!"),
    ("Q&amp;A", "Q and A"),
    ("he said &quot;go&quot;", 'he said "go"'),
    ("", ""),
    (" \t ", ""),
]


@pytest.fixture(scope="module")
def english():
    return Speller("en-us")


@pytest.mark.parametrize(("written", "read"), READINGS)
def test_a_reading_keeps_marks_capitals_and_spaces(english, written, read):
    assert english.spell(written).text == read


@pytest.mark.parametrize(
    ("language", "written", "read"),
    [
        ("en-us", "Great 👍 job", "Great thumbs up job"),
        ("en-us", "I ❤️ it!", "I red heart it!"),
        ("en-us", "ok👍🏽.", "ok thumbs up medium skin tone."),
        ("en-us", "5 © 1️⃣", "five copyright one"),
        ("de-de", "Gut 👍", "Gut daumen hoch"),
    ],
)
def test_emoji_are_read_by_name_where_that_is_asked_for(language, written, read):
    speller = Speller(language, emoji=True)
    assert speller.spell(written).text == read
    assert pickle.loads(pickle.dumps(speller)).spell(written).text == read
    assert "thumbs" not in Speller(language).spell(written).text


def test_a_language_without_names_of_emoji_is_told():
    with pytest.raises(TextError, match=r"no names of emoji in nl; .* in en-us, .*de-de"):
        Speller("nl", emoji=True)


def test_groups_of_a_telephone_number_are_apart_as_by_commas(english):
    spelling = english.spell("call 555-1234")
    assert spelling.tokens.count(",") == 1
    assert set(spelling.spans[1:]) == {(5, 13)}
