import sqlite3
from base64 import b64decode
from importlib.util import find_spec

import pytest

from ttskit.errors import TextError
from ttskit.text import symbols
from ttskit.text.languages import LANGUAGES, data_folder


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_a_table_has_no_symbol_twice_and_begins_with_the_special_ones(name):
    table = symbols.symbols(name)
    assert len(set(table)) == len(table) > len(symbols.SPECIAL)
    assert table[: len(symbols.SPECIAL)] == symbols.SPECIAL
    assert table[0] == symbols.PAD


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_a_table_has_every_phoneme_of_the_lexicon_and_of_its_grapheme_to_phoneme_model(name):
    package = f"gruut_lang_{LANGUAGES[name].package}"
    if find_spec(package) is None:
        pytest.skip(f"needs {package}")
    import pycrfsuite

    folder, tagger = data_folder(name), pycrfsuite.Tagger()
    tagger.open(str(folder / "g2p" / "model.crf"))
    labels = {p for label in tagger.labels() for p in b64decode(label).decode().split("|")}
    rows = sqlite3.connect(folder / "lexicon.db").execute("SELECT phonemes FROM word_phonemes")
    listed = {phoneme for (phonemes,) in rows for phoneme in phonemes.split()}
    assert (labels | listed) - {"_", "SIL"} <= set(symbols.symbols(name))


def test_the_table_of_english_does_not_change():
    table = symbols.symbols("en-us")
    assert len(table) == 89
    assert (table.index("b"), table.index("ˈæ"), table.index("ˌʌ")) == (17, 60, 88)


def test_characters_have_no_fixed_table():
    with pytest.raises(TextError, match="from the texts of a corpus"):
        symbols.symbols("characters")


@pytest.mark.parametrize("written", ["h ə l ˈoʊ", "həlˈoʊ", "həˈloʊ"])
def test_phonemes_may_be_written_apart_or_together(written):
    known = symbols.writable(symbols.symbols("en-us"))
    assert symbols.parse(written, known) == ("h", "ə", "l", "ˈoʊ")


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_a_table_tells_its_language(name):
    assert symbols.language_of(symbols.symbols(name)) == name


def test_a_table_of_characters_is_of_no_other_language_and_a_merged_one_of_none():
    assert symbols.language_of((*symbols.SPECIAL, *"abc")) == "characters"
    assert symbols.language_of((*symbols.symbols("nl"), "ʁ")) == ""
    assert symbols.language_of(()) == ""
