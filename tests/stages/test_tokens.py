"""`ttskit tokens` through the command line."""

import os
import threading

import numpy as np
import pytest

from tests.factory import PROVENANCE, run, sha
from ttskit.artifacts.kinds import Tokens
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import UsageError
from ttskit.text.symbols import BEGIN, END, symbols


def test_tokens_words_and_spans_belong_together(tmp_path, ttskit):
    lines = "a\tDr. Smith paid $5.\nb\tHello, 😀 world!\n"
    result = ttskit("tokens", "-o", "x.h5", stdin=lines.encode())
    assert result.returncode == 0, result.stderr
    assert "b: not spoken: U+1F600 at 7" in result.stderr.decode()
    reader = Reader(tmp_path / "x.h5", Tokens)
    table = reader.table("symbols")
    assert tuple(table) == symbols("en-us")
    record = reader["a"]
    assert list(record.words) == ["Doctor", "Smith", "paid", "five", "dollars"]
    read = [record.text[start:stop] for start, stop in record.spans]
    assert read == ["Dr.", "Smith", "paid", "$5", "$5"]
    spelt = [table[token] for token in record.tokens]
    assert (spelt[0], spelt[-1]) == (BEGIN, END)
    smith = [s for s, word in zip(spelt, record.token_word, strict=True) if word == 1]
    assert smith == ["s", "m", "ˈɪ", "θ"]
    assert record.token_word.max() == len(record.words) - 1
    assert reader["b"].dropped == "U+1F600 at 7"


def test_a_corpus_keeps_its_ids_speakers_and_what_it_skipped(corpus, tmp_path, ttskit):
    assert ttskit("tokens", corpus, "--limit", 3, "-o", "x.h5").returncode == 0
    reader = Reader(tmp_path / "x.h5", Tokens)
    assert list(reader) == ["u000", "u001", "u002"]
    assert reader["u000"].speaker == "bö"
    assert reader["u001"].text == "text\tof 1"


def test_the_bytes_do_not_depend_on_jobs(tmp_path, ttskit):
    lines = "".join(f"The {number}th of May, {number} times.\n" for number in range(40))
    for jobs in (1, 2):
        words = ["tokens", "--jobs", jobs, "-o", f"{jobs}.h5"]
        assert ttskit(*words, stdin=lines.encode()).returncode == 0
    assert sha(tmp_path / "1.h5") == sha(tmp_path / "2.h5")
    assert list(Reader(tmp_path / "1.h5", Tokens))[-1] == "line000040"


def test_characters_have_a_table_of_their_own(tmp_path, ttskit):
    lines = "Žluťoučký kůň.\nЁлка\n".encode()
    words = ["tokens", "--language", "characters", "--fold", "-o", "x.h5"]
    assert ttskit(*words, stdin=lines).returncode == 0
    reader = Reader(tmp_path / "x.h5", Tokens)
    table = reader.table("symbols")
    spelt = "".join(table[token] for token in reader["line000002"].tokens[1:-1])
    assert spelt == "ёлка"
    np.testing.assert_array_equal(reader["line000002"].spans, [[0, 4]])


def test_a_lexicon_decides(tmp_path, ttskit):
    (tmp_path / "mine.tsv").write_text("smith\tt ˈɛ s t\n", encoding="utf-8")
    words = ["tokens", "--lexicon", "mine.tsv", "-o", "x.h5"]
    assert ttskit(*words, stdin=b"a\tSmith\n").returncode == 0
    reader = Reader(tmp_path / "x.h5", Tokens)
    spelt = [reader.table("symbols")[token] for token in reader["a"].tokens]
    assert spelt[1:-1] == ["t", "ˈɛ", "s", "t"]


def test_a_lexicon_from_a_pipe_is_part_of_the_digest(tmp_path, ttskit):
    for number, phonemes in enumerate(("t ˈɛ s t", "p ˈɪ p")):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        text = f"smith\t{phonemes}\n".encode()
        feeder = threading.Thread(target=pipe.write_bytes, args=(text,))
        feeder.start()
        result = ttskit("tokens", "--lexicon", "pipe", "-o", "x.h5", stdin=b"a\tSmith\n")
        feeder.join()
        pipe.unlink()
        assert result.returncode == 0, result.stderr
        assert (b"up to date" in result.stderr) is False, number


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"", "standard input: is empty; needs lines of text or an artifact"),
        (b"\n", "line000001: has no word that could be spoken"),
        (b"a\tone\na\ttwo\n", "standard input:2: id a is there twice"),
        (b"a\tone\ntwo\n", "standard input:2: needs id, tab, text like the first"),
        (b"one\na\ttwo\n", "standard input:2: needs a text alone like the first"),
        (b"a\tb\xff\n", "standard input:1: byte 0xff is not UTF-8"),
        (b"a/b\tone\n", "id 'a/b' has a slash"),
    ],
)
def test_lines_that_cannot_be_used_are_named_by_number(ttskit, stdin, message):
    result = ttskit("tokens", "-o", "x.h5", stdin=stdin)
    stderr = result.stderr.decode()
    assert result.returncode == 1
    assert "Traceback" not in stderr
    assert message in stderr


def test_a_missing_lexicon_or_language_is_a_message_of_one_line(ttskit):
    for words, message in (
        (["--lexicon", "nowhere.tsv"], "nowhere.tsv"),
        (["--language", "xx"], "--language characters"),
    ):
        result = ttskit("tokens", *words, "-o", "x.h5", stdin=b"a\tone\n")
        stderr = result.stderr.decode()
        expected = 2 if "--language" in words else 1
        assert (result.returncode, stderr.count("\n")) == (expected, 1), stderr
        assert message in stderr


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "language", "most_guessed"),
    [("kathleen", "en-us", 0.005), ("nathalie", "nl", 0.01), ("kerstin", "de", 0.2)],
)
def test_real_texts_lose_no_character(corpora, tmp_path, ttskit, name, language, most_guessed):
    assert ttskit("corpus", corpora / name, "--limit", 200, "-o", "c.h5").returncode == 0
    result = ttskit("tokens", "c.h5", "--language", language, "-o", "x.h5")
    assert result.returncode == 0, result.stderr
    reader = Reader(tmp_path / "x.h5", Tokens)
    assert len(reader) == 200
    assert set(reader.table("dropped")) == {""}
    assert reader.column("guessed").mean() < most_guessed


def test_verify_names_a_token_that_is_no_symbol(tmp_path, ttskit):
    assert ttskit("tokens", "-o", "x.h5", stdin=b"a\tone\n").returncode == 0
    reader = Reader(tmp_path / "x.h5", Tokens)
    record = reader["a"]
    wrong = Tokens(**{**vars(record), "tokens": record.tokens + 1000})
    tables = {"symbols": reader.table("symbols")}
    with Writer(tmp_path / "y.h5", Tokens, provenance=PROVENANCE, tables=tables) as writer:
        writer.append(wrong)
        writer.seal(["a"])
    result = ttskit("verify", "x.h5", "y.h5")
    assert result.stdout == b"x.h5: whole\n"
    assert b"y.h5: a: tokens holds 10" in result.stderr


DUTCH = "a\tDe man zei dat het niet om hem ging, maar om zijn huis.\nb\tZe waren er ook bij.\n"


def test_texts_of_another_language_than_english_want_it_named(tmp_path):
    (tmp_path / "x.tsv").write_text(DUTCH)
    with pytest.raises(UsageError, match=r"x.tsv: the texts look like Dutch: add --language nl"):
        run("tokens", tmp_path / "x.tsv", "-o", tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()


def test_a_language_that_does_not_fit_is_doubted_where_many_words_are_guessed(tmp_path):
    (tmp_path / "x.tsv").write_text(DUTCH)
    words = ["tokens", tmp_path / "x.tsv", "--language", "en", "-o", tmp_path / "x.h5", "-j", 1]
    assert "look like Dutch: spell them with --language nl" in run(*words).stderr


def test_emoji_are_spelt_by_name_where_that_is_asked_for(tmp_path):
    pytest.importorskip("emoji", reason="pip install 'ttskit[emoji]'")
    (tmp_path / "lines.tsv").write_text("a\tGreat 👍 job\n", "utf-8")
    run("tokens", tmp_path / "lines.tsv", "--emoji", "-o", tmp_path / "named.h5")
    run("tokens", tmp_path / "lines.tsv", "-o", tmp_path / "silent.h5")
    words = [
        list(Reader(tmp_path / f"{name}.h5", Tokens)["a"].words) for name in ("named", "silent")
    ]
    assert words == [["Great", "thumbs", "up", "job"], ["Great", "job"]]
