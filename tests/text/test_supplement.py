"""The supplementary lexicons, and what is mended in the data of gruut."""

from pathlib import Path

import pytest

import ttskit.text
from ttskit.text.languages import LANGUAGES
from ttskit.text.mends import mended
from ttskit.text.spelling import Speller
from ttskit.text.symbols import symbols

FILES = sorted((Path(ttskit.text.__file__).parent / "lexicons").glob("*.tsv"))
PRONUNCIATIONS = [  # language, text, number of the word, its phonemes
    ("en-us", "Wi-Fi", 0, "w ˈaɪ"),
    ("en-us", "Wi-Fi", 1, "f ˌaɪ"),
    ("en-us", "sci-fi", 1, "f ˌaɪ"),
    ("en-us", "hi-fi", 1, "f ˌaɪ"),
    ("en-us", "polish the shoes", 0, "p ˈɑ l ɪ ʃ"),
    ("en-us", "Polish people", 0, "p ˈoʊ l ɪ ʃ"),
    ("en-us", "Polish the table", 0, "p ˈɑ l ɪ ʃ"),
    ("en-us", "lead the way", 0, "l ˈi d"),
    ("en-us", "a lead pipe", 1, "l ˈɛ d"),
    ("en-us", "take the lead", 2, "l ˈi d"),
    ("en-us", "a tear fell", 1, "t ˈɪ ɹ"),
    ("en-us", "don't tear it up", 1, "t ˈɛ ɹ"),
    ("en-us", "take a bow", 2, "b ˈaʊ"),
    ("en-us", "bass fish", 0, "b ˈæ s"),
    ("en-us", "play the bass", 2, "b ˈeɪ s"),
    ("en-us", "the dove dove", 1, "d ˈʌ v"),
    ("en-us", "the dove dove", 2, "d ˈoʊ v"),
    ("en-us", "a JPEG", 1, "d͡ʒ ˈeɪ p ˌɛ ɡ"),
    ("en-us", "JSON", 0, "d͡ʒ ˈeɪ s ə n"),
    ("en-us", "vitamin A", 1, "ˈeɪ"),
    ("en-us", "a live wire", 1, "l ˈaɪ v"),
    ("nl", "moeilijk", 0, "m ˈu i l ə k"),
    ("nl", "markt", 0, "m ɑ ɹ k t"),
    ("nl", "elf", 0, "ˈɛ l f"),
    ("nl", "supermarkt", 0, "ˈs y p ə ɹ m ɑ ɹ k t"),
    ("nl", "soep", 0, "s u p"),
    ("nl", "auto's", 0, "ɑ ɔ t o s"),
    ("nl", "foto's", 0, "ˈf o t o s"),
    ("nl", "baby's", 0, "ˈb e b i s"),
    ("nl", "opa's", 0, "ˈo p a s"),
    ("nl", "pizza's", 0, "ˈp i t s a s"),
    ("nl", "radio's", 0, "ˈɹ a d i j o s"),
    ("nl", "jan@home.nl", 0, "j ˈɑ n"),
    ("nl", "Jan's fiets", 0, "j ˈɑ n s"),
    ("nl", "de NS", 1, "ˈɛ n"),
    ("nl", "'s avonds", 0, "s"),
    ("de-de", "eins", 0, "ʔ aɪ̯ n s"),
    ("de-de", "heißt", 0, "h aɪ̯ s t"),
    ("de-de", "Zeit", 0, "t͡s aɪ̯ t"),
    ("de-de", "Freund", 0, "f ʁ ɔʏ̯ n t"),
    ("de-de", "Autobahn", 0, "aʊ̯ t oː b aː n"),
    ("de-de", "großer", 0, "g ʁ oː s ɐ"),
    ("de-de", "größte", 0, "g ʁ øː s t ə"),
    ("de-de", "muß", 0, "m ʊ s"),
    ("de-de", "bezahlbaren", 0, "b ə t͡s aː l b a ʁ ə n"),
    ("de-de", "Söhne", 0, "z øː n ə"),
    ("de-de", "Schnee", 0, "ʃ n eː"),
    ("de-de", "elternpaar", 0, "ʔ ɛ l t ɛ ʁ n p aː ʁ"),
    ("de-de", "Sicherheit", 0, "z ɪ ç ɛ ʁ h aɪ̯ t"),
    ("de-de", "Gesellschaft", 0, "g ə z ɛ l ʃ a f t"),
    ("de-de", "Regierung", 0, "ʁ eː g iː ʁ ʊ ŋ"),
    ("de-de", "unsere", 0, "ʔ ʊ n z ə ʁ ə"),
    ("de-de", "Nation", 0, "n aː t͡s ɪ oː n"),
    ("de-de", "mit mir", 1, "m iː ɐ"),
    ("de-de", "Wasser", 0, "v a s ɐ"),
    ("de-de", "die EU", 1, "ʔ eː"),
]


@pytest.mark.parametrize(("language", "text", "word", "phonemes"), PRONUNCIATIONS)
def test_common_words_are_pronounced_as_speakers_do(language, text, word, phonemes):
    package = LANGUAGES[language].package
    pytest.importorskip(f"gruut_lang_{package}", reason=f"pip install 'ttskit[{package}]'")
    assert " ".join(Speller(language).spell(text).phonemes(word)) == phonemes


def test_a_german_compound_is_pronounced_as_its_parts():
    pytest.importorskip("gruut_lang_de", reason="pip install 'ttskit[de]'")
    speller = Speller("de-de")
    for word, *parts in (
        ("Bauernkrieg", "bauern", "krieg"),
        ("Unterrichtssprache", "unterrichts", "sprache"),
        ("Straßenzug", "straßen", "zug"),
        ("Elefantenhausdach", "elefanten", "haus", "dach"),
    ):
        spelled = speller.spell(word)
        whole = [p for part in parts for p in speller.spell(part).phonemes(0)]
        assert list(spelled.phonemes(0)) == whole, word
        assert not spelled.guessed[0]


def test_names_are_no_compounds_of_scraps():
    pytest.importorskip("gruut_lang_de", reason="pip install 'ttskit[de]'")
    for name in ("Gunzenhausen", "Christopher", "Reinickendorf"):
        assert Speller("de-de").spell(name).guessed[0], name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_supplements_have_phonemes_of_the_table_and_conditions_that_exist(path):
    known = set(symbols(path.stem))
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        word, phonemes, *when = line.split("\t")
        assert set(phonemes.split()) <= known, line
        condition, *cues = (when[0] if when else "").split(" ")
        assert condition in {"", "letter", "VB", "before", "after", "near"}, line
        assert bool(cues) == (condition in {"before", "after", "near"}), line
        assert word == word.strip()


def test_the_last_line_of_a_word_with_conditions_decides_what_is_left():
    spelled = Speller("en-us").spell("a sad tear is here now and there, a tear too")
    assert [" ".join(spelled.phonemes(n)) for n in (2, 9)] == ["t ˈɪ ɹ", "t ˈɛ ɹ"]


def test_a_users_lexicon_goes_before_the_supplement(tmp_path):
    path = tmp_path / "own.tsv"
    path.write_text("json\td͡ʒ ˈeɪ s ˌɑ n\n", "utf-8")
    assert Speller("en-us", [path]).spell("JSON").phonemes(0)[-2:] == ("ˌɑ", "n")


@pytest.mark.parametrize(
    ("language", "word", "phonemes"),
    [("de-de", "vierte", "f iː ɐ t ə"), ("nl", "soepkom", "s u p k ɔ m"), ("en-us", "ei", "a eː")],
)
def test_what_has_no_fault_stays_as_it_is(language, word, phonemes):
    assert mended(language, word, phonemes, list) == phonemes
