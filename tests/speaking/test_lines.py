"""Texts as lines that are spoken in one go."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttskit.errors import TextError
from ttskit.formats.timeline import Timeline
from ttskit.speaking.lines import MOST, account, spoken_record, to_lines
from ttskit.stages.text import Form, answer
from ttskit.text.lines import InputLine
from ttskit.text.sentences import sentences
from ttskit.text.spelling import Speller, spelt
from ttskit.text.ssml import Passage, read
from ttskit.text.symbols import BOUNDARY, SPECIAL


@pytest.fixture(scope="module")
def speller():
    return Speller("en-us")


def lines_of(speller, *texts, **style):
    return list(to_lines([Passage(text, place="x") for text in texts], speller, **style))


def symbols(speller, line):
    return [speller.table[token] for token in line.tokens[1:]]


def test_a_sentence_is_a_line_with_the_tokens_that_models_are_trained_on(speller):
    lines = lines_of(speller, "Go, now. It cost $5.")
    assert [line.sentence for line in lines] == [1, 2]
    assert symbols(speller, lines[0]) == list(speller.spell("Go, now. ").tokens)
    assert lines[1].words == ("It", "cost", "five", "dollars")


def test_pauses_are_between_sentences_and_longer_between_paragraphs(speller):
    lines = lines_of(speller, "One. Two.", "Three.", "", "Four.", pause=0.2)
    assert [line.pause for line in lines] == pytest.approx([0, 0.2, 0.2, 0.6])


def phonemes(speller, lines):
    """Return the symbols of lines in order, without boundaries, begin and end."""
    silent = {BOUNDARY, *SPECIAL[:3]}
    return [s for line in lines for s in symbols(speller, line) if s not in silent]


@pytest.mark.parametrize(
    "text",
    [
        "well, it goes on and on and on " * 300,
        "word " * 2000,
        "onwards; " * 1000,
        "a" * 3000,
        "3" * 500,
    ],
    ids=lambda text: text[:5],
)
def test_a_long_sentence_is_cut_without_loss(speller, text):
    lines = lines_of(speller, text)
    whole = [s for s in speller.spell(text).tokens if s not in {BOUNDARY, *SPECIAL[:3]}]
    assert phonemes(speller, lines) == whole
    assert max(len(line.tokens) for line in lines) <= MOST + 3
    assert "".join(line.text for line in lines) == text
    for line in lines:
        for word, (start, stop) in zip(line.words, line.spans, strict=True):
            assert line.text[start:stop] in (word, "") or text[0] in "3a"


WORDS = "cat Dogs hello I a don't Mother's re-enter O'Neil Paris queue".split()
GAPS = (
    " ",
    " ",
    ", ",
    "! ",
    "; ",
    ". ",
    ".\n",
    "\n\n",
    " — ",
    " 🙂 ",
    " ... ",
    "\u00a0",
    "\t",
    "? (",
    '" ',
)


def rows_of(lines, speller):
    """Return the words of the manifest, each token lasting one frame, or two."""
    spoken = [(line, 1 + np.arange(len(line.tokens)) % 2) for line in lines]
    rows = account(Timeline(spoken_record(spoken, "en-us"), speller.table, 0.01), spoken)
    edges = [edge for row in rows for edge in (row["start"], row["stop"])]
    assert edges == sorted(edges)
    return [row["word"] for row in rows]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), min_size=1, max_size=120))
def test_no_word_that_was_planted_is_lost(speller, parts):
    text = "".join(word + gap for word, gap in parts)
    planted = [word for words, _ in parts for word in words.split("-")]
    lines = lines_of(speller, *text.split("\n"))
    assert rows_of(lines, speller) == planted
    normalised = [
        answer(InputLine("x", line), speller, Form.NORMALISED) for line in text.split("\n")
    ]
    assert (
        re.findall(r"[\w']+", " ".join(line for one in normalised for line in one.lines)) == planted
    )


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=150) | st.text("aB1.,'-$€%/:@#! \n5Dr()[]é½👍Я", max_size=150))
def test_the_manifest_has_every_word_that_is_spelt(speller, text):
    spelt_words = [
        word
        for line in text.split("\n")
        for sentence in sentences(line, "en-us")
        for word in speller.spell(sentence).words
    ]
    try:
        lines = lines_of(speller, *text.split("\n"))
    except TextError:  # of no word at all, or phonemes that are none
        assert not spelt_words
        return
    assert rows_of(lines, speller) == spelt_words if lines else not spelt_words


def test_a_long_sentence_is_cut_at_punctuation(speller):
    lines = lines_of(speller, "and this is how it went on, " * 40)
    assert all(line.text.rstrip().endswith(",") for line in lines)


def test_phonemes_that_text_writes_are_read_back(speller):
    spelling = speller.spell("Go, now (it is) over: well done.")
    again = spelt(" ".join(spelling.tokens[1:-1]), speller.table)
    assert again.tokens == spelling.tokens
    assert again.token_word == spelling.token_word
    assert spelt("h ə l ˈoʊ | ð ɛ ɹ", speller.table).words == ("həlˈoʊ", "ðɛɹ")


def test_prosody_holds_for_its_words_alone(speller):
    (passage,) = read("<speak>one <prosody rate='2'>two.</prosody></speak>", "x")
    (line,) = to_lines([passage], speller)
    assert set(line.prosody[line.token_word == 0, 0]) == {1}
    assert set(line.prosody[line.token_word == 1, 0]) == {2}
    assert line.prosody[-1, 0] == 2


def test_the_spans_of_a_record_are_its_words(speller):
    lines = lines_of(speller, "One two.  Three!", "", "Four")
    spoken = [(line, np.ones(len(line.tokens), int)) for line in lines]
    record = spoken_record(spoken, "en-us")
    spanned = [record.text[start:stop] for start, stop in record.spans]
    assert spanned == list(record.words) == ["One", "two", "Three", "Four"]


def test_a_passage_without_words_is_noted_where_another_has_some(speller, capsys):
    lines = lines_of(speller, "...", "One.", "!?")
    assert [line.words for line in lines] == [("One",)]
    assert capsys.readouterr().err.splitlines() == [
        "x: has no word to speak: ...",
        "x: has no word to speak: !?",
    ]


def test_passages_without_any_word_are_refused(speller):
    with pytest.raises(TextError, match=r"^x: has no word to speak: \?!$"):
        lines_of(speller, "...", "", "?!")


def test_a_break_without_text_is_a_line_of_silence(speller):
    passages = [Passage("One.", place="x"), Passage("", gap=1.5)]
    one, silence = to_lines(passages, speller)
    assert one.words == ("One",)
    assert (silence.words, silence.pause, silence.tokens.tolist()) == ((), 1.5, [0])


def test_each_line_comes_before_the_next_passage_is_asked_for(speller):
    asked = []

    def passages():
        for text in ("One. Two.", "Three."):
            asked.append(text)
            yield Passage(text, place="x")

    stream = to_lines(passages(), speller)
    assert [next(stream).words, next(stream).words] == [("One",), ("Two",)]
    assert asked == ["One. Two."]
