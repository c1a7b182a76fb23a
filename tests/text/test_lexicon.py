import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttskit.errors import TextError
from ttskit.text.normalise import Normaliser
from ttskit.text.spelling import Speller


@pytest.fixture
def write(tmp_path):
    def write(content, name="words.tsv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def pronounced(text, *paths, word=0, language="en-us"):
    return "".join(Speller(language, paths).spell(text).phonemes(word))


def test_a_users_word_wins_in_any_case(write):
    path = write("ttskit\tt i t i ˈɛ s k ɪ t\nNASA\tn ˈɑ z ə\n")
    assert pronounced("TTSkit", path) == "titiˈɛskɪt"
    assert pronounced("NASA", path) == "nˈɑzə"


def test_a_later_file_wins(write):
    first, second = write("gif\tɡ ˈɪ f\n", "a.tsv"), write("GIF\td͡ʒ ˈɪ f\n", "b.tsv")
    assert pronounced("gif", first, second) == "d͡ʒˈɪf"
    assert pronounced("gif", second, first) == "ɡˈɪf"


def test_signs_and_emoji_can_have_a_pronunciation(write):
    path = write("C++\ts ˈi\n👍\tθ ˈʌ m\n")
    assert pronounced("C++", path) == "sˈi"
    assert pronounced("a 👍", path, word=1) == "θˈʌm"


LETTERS = "abAB12'’.+-_ é\u0301👍"
OWN = st.sets(st.text(LETTERS.replace(" ", ""), min_size=1, max_size=4).map(str.casefold))


def longest(own, text, at):
    """Return the longest of these words that begins at a place of a text and ends there too."""
    if text[at - 1 : at].isalnum():
        return ""
    return max(
        (
            word
            for word in own
            if text[at:].casefold().startswith(word)
            and not re.match(r"\w|['’]\w", text[at + len(word) :])
        ),
        key=len,
        default="",
    )


@settings(deadline=None, max_examples=300)
@given(OWN, st.text(LETTERS, max_size=30), st.data())
def test_the_longest_word_of_the_lexicon_wins(own, text, data):
    text += "".join(data.draw(st.lists(st.sampled_from([*sorted(own), " ", "."]), max_size=6)))
    for segment in Normaliser("en-us", lambda _: True, own).segments(text):
        if word := longest(own, text, segment.start):
            assert (segment.kind, segment.end) == ("words", segment.start + len(word))


def test_words_match_in_any_case_that_folds_to_the_same():
    own = Normaliser("de-de", lambda _: False, {"weissenburg-gunzenhausen", "grosses"})
    segments = own.segments("Großes WEISSENBURG-GUNZENHAUSEN, Weißenburg-Gunzenhausen")
    assert [segment.words for segment in segments if segment.kind == "words"] == [
        ("Großes",), ("WEISSENBURG-GUNZENHAUSEN",), ("Weißenburg-Gunzenhausen",),
    ]  # fmt: skip


def test_a_part_of_speech_decides(write):
    path = write("read\tɹ ˈi d\tVB\nread\tɹ ˈɛ d\tVBD\n")
    assert pronounced("I will read it", path, word=2) == "ɹˈid"
    assert pronounced("I have read it", path, word=2) == "ɹˈɛd"


def test_a_line_of_another_language_is_ignored(write):
    assert pronounced("die", write("die\td iː\tde-de\n")) == "dˈaɪ"
    assert pronounced("die", write("die\td ˈi\ten\n")) == "dˈi"


def test_byte_order_mark_carriage_returns_blank_lines_and_comments_are_ignored(write):
    path = write(b"\xef\xbb\xbfgif\t" + "d͡ʒ ˈɪ f".encode() + b"\r\n\r\n# a comment\r\n")
    assert pronounced("gif", path) == "d͡ʒˈɪf"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ok\tˈoʊ\nbad\tb Q d\n", r"words.tsv:2: word 'bad': symbol 'Q' is not in the symbol"),
        ("bad b d\n", r"words.tsv:1: 1 column\(s\).*word TAB phonemes"),
        ("new york\tn\n", r"words.tsv:1: 'new york' is more than one word"),
        (b"a\tb\n\xff\tb\n", r"words.tsv:2: byte 0xff is not UTF-8"),
        ("a\tb ˈ\n", r"words.tsv:1: word 'a': the stress mark 'ˈ' has no vowel"),
        ("a\tb\txx\n", r"words.tsv:1: language 'xx'"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_by_file_and_number(write, content, message):
    with pytest.raises(TextError, match=message):
        Speller("en-us", [write(content)])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TextError, match=r"none\.tsv: No such file"):
        Speller("en-us", [tmp_path / "none.tsv"])
