import pickle
import random
import sys
import tracemalloc
from contextlib import nullcontext, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttskit.errors import TextError
from ttskit.text import symbols
from ttskit.text.spelling import Speller, character_symbols

ENGLISH = Speller("en-us")
CHARACTERS = Speller("characters")
TEXTS = st.text(max_size=60) | st.text("aA1.,'’-$€%/:@# \n\t5Dr()[]é½²👍Яʼ\u200d", max_size=60)


def accounted(text, spelling):
    """Return for each character whether it is of a word or a mark, white space, or a drop."""
    drops = {drop.offset for drop in spelling.drops}
    covered = [character.isspace() or at in drops for at, character in enumerate(text)]
    for start, end in {*spelling.spans, *spelling.marks}:
        for at in range(start, end):
            covered[at] = True
    return covered


def check(speller, text):
    spelling = speller.spell(text)
    assert all(accounted(text, spelling))
    assert all(text[drop.offset] == drop.character for drop in spelling.drops)
    assert len(spelling.tokens) == len(spelling.token_word)
    assert len(spelling.words) == len(spelling.spans) == len(spelling.guessed)
    assert sorted({w for w in spelling.token_word if w >= 0}) == list(range(len(spelling.words)))
    assert spelling.tokens.count(symbols.BEGIN) == spelling.tokens.count(symbols.END) == 1
    assert spelling.tokens.count(symbols.BOUNDARY) == max(0, len(spelling.words) - 1)
    words = [set(range(*span)) for span in set(spelling.spans)]
    marks = [set(range(*span)) for span in set(spelling.marks)]
    assert sum(map(len, words + marks)) == len(set().union(*words, *marks))
    if speller.language != "characters":
        assert set(spelling.tokens) <= set(speller.table)


def refusal(text):
    """Allow a text to be refused for its phonemes in [[ ]], and for nothing else."""
    return suppress(TextError) if "[[" in text else nullcontext()


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_every_character_belongs_to_a_word_a_mark_or_a_drop(text):
    with refusal(text):
        check(ENGLISH, text)


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_every_character_is_accounted_for_in_characters_too(text):
    with refusal(text):
        check(CHARACTERS, text)


@pytest.mark.parametrize("language", ["de", "nl"])
def test_every_character_is_accounted_for_in_other_languages(language):
    pytest.importorskip(f"gruut_lang_{language}", reason=f"pip install 'ttskit[{language}]'")
    speller, rng = Speller(language), random.Random(0)
    for _ in range(300):
        check(speller, "".join(rng.choices("aäßÉzjs 1230.,:-€%°'’éЖ👍-(\"", k=20)))


def test_closing_marks_precede_a_boundary_and_opening_ones_follow_it():
    spelling = ENGLISH.spell('He said, "go!"')
    assert " ".join(spelling.tokens) == '<begin> h ˈi # s ˈɛ d , # " ɡ ˈoʊ ! " <end>'
    assert spelling.words == ("He", "said", "go")
    assert spelling.spans == ((0, 2), (3, 7), (10, 12))
    assert spelling.token_word == (-1, 0, 0, -1, 1, 1, 1, -1, -1, -1, 2, 2, -1, -1, -1)
    assert spelling.phonemes(2) == ("ɡ", "ˈoʊ")


def test_the_words_of_one_figure_share_its_span():
    spelling = ENGLISH.spell("It cost $5.")
    assert spelling.words == ("It", "cost", "five", "dollars")
    assert spelling.spans == ((0, 2), (3, 7), (8, 10), (8, 10))


def test_characters_that_are_not_spoken_are_reported():
    assert [str(drop) for drop in ENGLISH.spell("ok 👍 да").drops] == [
        "U+1F44D at 3", "U+0434 at 5", "U+0430 at 6",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "word", "phonemes"),
    [
        ("I will read it.", 2, "ɹ ˈi d"),
        ("I have read it.", 2, "ɹ ˈɛ d"),
        ("the apple", 0, "ð i"),
        ("the pear", 0, "ð ə"),
        ("a record", 1, "ɹ ˈɛ k ɚ d"),
        ("vitamin A", 1, "ˈeɪ"),
        ("a cat", 0, "ə"),
        ("Whittemore's cats", 0, "w ˈɪ t m ɔ ɹ z"),
        ("say [[həˈloʊ]]", 1, "h ə l ˈoʊ"),
        ("café", 0, "k æ f ˈeɪ"),
    ],
)
def test_neighbouring_words_decide_a_pronunciation(text, word, phonemes):
    assert " ".join(ENGLISH.spell(text).phonemes(word)) == phonemes


def test_an_unknown_inline_phoneme_is_named_with_its_place():
    with pytest.raises(TextError, match=r"\[\[h Q\]\] at character 4: symbol 'Q' is not"):
        ENGLISH.spell("so [[h Q]]")


def test_a_copy_for_another_process_spells_alike():
    copy = pickle.loads(pickle.dumps(ENGLISH))
    text = "The quixotic Zzyzx cost $3, Dr. Smith."
    assert copy.spell(text) == ENGLISH.spell(text)


def test_looking_up_one_by_one_and_all_at_once_agree():
    words = ["the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "near", "barns"]
    alone = Speller("en-us")
    singly = [alone.spell(word).phonemes(0) for word in words]
    long = Speller("en-us").spell(". ".join(words * 40))
    assert [long.phonemes(n) for n in range(1, len(words))] == singly[1:]


def calls(function, *arguments):
    """How many functions are called, of Python and of C, during a call."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit", ["word ", "a.", "1", "$1,", "A-", "'", "x", "www.", "1-", "([", "Dr. "]
)
def test_work_grows_linearly_with_the_length_of_a_line(unit):
    short, long = (calls(Speller("en-us").spell, unit * count) for count in (400, 1600))
    assert long < 5 * short


@pytest.mark.parametrize(
    "unit", ["word ", "a.", "1", "$1,", "A-", "'", "x", "www.", "1-", "([", "Dr. "]
)
def test_a_line_of_ten_thousand_characters_is_spelt_to_its_end(unit):
    text = unit * (10_000 // len(unit))
    assert all(accounted(text, ENGLISH.spell(text)))


def test_a_word_without_end_takes_little_memory_at_a_time():
    speller = Speller("en-us")
    speller.spell("Xanthoquirk")  # opens the data
    tracemalloc.start()
    spelling = speller.spell("abcdefghij" * 2000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(spelling.words) == 1
    assert len(spelling.tokens) > 10_000
    assert peak < 5e6


@pytest.mark.parametrize("language", ["en-us", "de"])
@pytest.mark.parametrize(
    "form", ["{}", "${}", "{}€", "${}.50", "{}/{}", "{}th", "{}%", "-{}", "{}."]
)
def test_a_number_of_any_length_is_read(language, form):
    figures = "5" * 5000  # more than Python converts
    spelling = Speller(language).spell(form.format(figures, figures))
    assert len(spelling.words) >= 5000


def test_characters_refuse_a_table_of_phonemes():
    with pytest.raises(TextError, match="trained on phonemes: name the --language"):
        Speller("characters", table=Speller("en-us").table)


def test_characters_spell_the_text_itself():
    spelling = CHARACTERS.spell("Ünder #1, ok")
    assert "".join(spelling.tokens[1:-1]) == "Ünder#＃1,#ok"


def test_characters_fold_case_on_request_and_drop_what_the_table_lacks():
    table = character_symbols(["abc def."])
    assert table == (*symbols.SPECIAL, *"abcdef")
    spelling = Speller("characters", table=table, fold=True).spell("ABx")
    assert spelling.tokens == (symbols.BEGIN, "a", "b", symbols.END)
    assert [str(drop) for drop in spelling.drops] == ["U+0078 at 2"]


def test_a_superscript_in_an_address_is_no_figure():
    assert ENGLISH.spell("write to a²@b.org").words[-3:] == ("B", "dot", "org")
