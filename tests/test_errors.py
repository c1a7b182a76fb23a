"""Errors say where they are: the file, the utterance, the message."""

import pickle

import pytest

from tests.factory import run, write_corpus
from ttskit.errors import AudioError, LeftOut, TtskitError, at


def test_an_error_names_its_file_and_its_utterance_in_front_of_the_message():
    assert str(TtskitError("is empty", file="x.h5", utterance="a")) == "x.h5: a: is empty"
    assert str(TtskitError("is empty", utterance="a")) == "a: is empty"
    assert str(TtskitError("is empty")) == "is empty"


def test_contexts_add_missing_file_and_utterance():
    with pytest.raises(AudioError) as caught, at("x.h5"), at(utterance="a"):
        raise AudioError("has no samples")
    assert str(caught.value) == "x.h5: a: has no samples"


def test_the_innermost_file_is_named_and_only_once():
    with pytest.raises(TtskitError) as caught, at("corpus.h5", "a"), at("a.wav"), at("a.wav", "b"):
        raise TtskitError("is empty")
    assert str(caught.value) == "a.wav: b: is empty"


def test_contexts_let_other_errors_pass():
    with pytest.raises(ValueError, match=r"^x$"), at("x.h5"):
        raise ValueError("x")


def test_the_recorded_reason_does_not_depend_on_the_location_of_the_source():
    error = AudioError("is empty", file="/data/set/wavs/a.wav", utterance="a")
    assert error.reason("/data/set") == "wavs/a.wav: is empty"
    assert error.reason("/other") == "/data/set/wavs/a.wav: is empty"
    assert AudioError("is empty", file="x.h5", utterance="a").reason("x.h5") == "is empty"


def test_an_error_comes_back_whole_from_another_process():
    error = pickle.loads(pickle.dumps(LeftOut("is short", file="x.h5", utterance="a")))
    assert type(error) is LeftOut
    assert (error.file, error.utterance, error.message) == ("x.h5", "a", "is short")


def test_what_is_lacking_comes_with_the_command_that_makes_it(tmp_path):
    corpus = write_corpus(tmp_path / "corpus.h5")
    (tmp_path / "texts.tsv").write_text("a\thello\n")
    tokens = tmp_path / "tokens.h5"
    run("tokens", tmp_path / "texts.tsv", "-o", tokens, "--language", "characters")
    for words, says in (
        (("align", corpus, tokens), "no features artifact among the inputs"),
        (("features", tokens), "add the output of `ttskit corpus`"),
        (("doctor", tokens), "needs corpus, features, alignment: the output of `ttskit corpus` or"),
        (("evaluate", tokens), "needs corpus, alignment: the output of `ttskit corpus` or"),
        (("vocode", corpus, "--vocoder", corpus, "-o", "x.h5"),
         "is corpus, needs model: the output of `ttskit train`"),
        (("report", tokens), "add the output of `ttskit corpus`"),
    ):  # fmt: skip
        with pytest.raises(TtskitError) as caught:
            run(*words)
        assert says in str(caught.value)
