"""Indices and counts that would lead readers astray: refused when a file is opened."""

import numpy as np
import pytest

from tests.factory import (
    PROVENANCE,
    SYMBOLS,
    Contents,
    alignment_record,
    run,
    write_alignment,
)
from ttskit.artifacts.kinds import Mels, read
from ttskit.artifacts.writer import Writer
from ttskit.errors import ArtifactError

GRID = {
    "sample_rate": 16000, "hop_length": 256, "n_fft": 1024, "n_mels": 2, "fmin": 0, "fmax": 8000
}  # fmt: skip


@pytest.fixture
def alignment(tmp_path):
    """Two utterances of twelve tokens and three words each."""
    path = tmp_path / "alignment.h5"
    return write_alignment(path, alignment_record("a"), alignment_record("b"))


@pytest.fixture
def mels(tmp_path):
    """One utterance of 100 frames, with what was spoken."""
    record, path = alignment_record(), tmp_path / "mels.h5"
    spoken = ("language", "tokens", "token_word", "words", "spans", "durations")
    fields = {name: getattr(record, name) for name in spoken}
    tables = {"symbols": SYMBOLS}
    with Writer(path, Mels, attributes=GRID, provenance=PROVENANCE, tables=tables) as writer:
        mel = np.zeros((record.durations.sum(), 2), np.float32)
        writer.append(Mels(id="a", speaker="", text="x", mel=mel, **fields))
        writer.seal(["a"])
    return path


def changed(path, name, place, value):
    contents = Contents.of(path)
    contents.columns[name][place] = value
    return contents.write(path)


def complaint(path):
    with pytest.raises(ArtifactError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("tokens", 9, "b: tokens holds 9, needs less than 9"),
        ("tokens", -1, "b: tokens holds -1, needs at least 0"),
        ("token_word", 3, "b: token_word holds 3, needs less than 3"),
        ("token_word", -2, "b: token_word holds -2, needs at least -1"),
        ("durations", -5, "b: durations holds -5, needs at least 0"),
        ("durations", 2**31 - 1, "b: durations holds 2147483647, needs at most 100000"),
        ("spans", -1, "b: spans holds -1, needs at least 0"),
    ],
)
def test_an_index_or_a_count_out_of_its_bounds_is_named_with_its_utterance(
    alignment, name, value, says
):
    assert says in complaint(changed(alignment, name, 13 if name != "spans" else 3, value))


def test_an_utterance_without_tokens_is_no_hindrance(tmp_path):
    fields = {name: np.zeros(0, int) for name in ("tokens", "token_word", "durations")}
    fields |= {"token_score": np.zeros(0), "words": np.array([], object)}
    whole = {**vars(alignment_record("a")), **fields, "spans": np.zeros((0, 2), int)}
    record = type(alignment_record())(**whole)
    path = write_alignment(tmp_path / "x.h5", record, alignment_record("b"))
    assert len(read(path)["b"].tokens) == 12


def test_durations_must_add_up_to_the_frames_of_their_utterance(mels):
    assert len(read(mels)) == 1
    says = "a: its durations add up to 101, needs its 100 frames"
    assert says in complaint(changed(mels, "durations", 0, 11))


@pytest.mark.parametrize("name", ["tokens", "spans", "durations"])
def test_columns_that_belong_together_are_there_together(mels, name):
    contents = Contents.of(mels)
    del contents.columns[name]
    assert f"but lacks {name}" in complaint(contents.write(mels))


def test_verify_and_export_refuse_a_token_without_symbol_in_one_line(alignment):
    changed(alignment, "tokens", 3, 1000)
    for words in (["export", alignment, "--format", "ctm"], ["info", alignment], ["ls", alignment]):
        with pytest.raises(ArtifactError, match="tokens holds 1000, needs less than 9"):
            run(*words)
    assert run("verify", alignment).exit_code == 1
