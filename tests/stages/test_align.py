"""`ttskit align` through the command line, on signals whose boundaries are known."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.factory import (
    FLOW,
    GRID,
    PROVENANCE,
    SMALL,
    SPOKEN,
    run,
    sha,
    write_alignment_of,
    write_model,
    write_speech,
)
from ttskit.artifacts.kinds import Alignment, Features, Tokens
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import TtskitError


@pytest.fixture
def _speech(tmp_path, monkeypatch):
    """features.h5 and tokens.h5 of a few utterances, where the command runs."""
    write_speech(tmp_path, 6, table=SPOKEN)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "share"),
    [(["--aligner", "flat"], 0.9), (["--steps", 300], 0.7)],
    ids=["flat", "attention"],
)
def test_token_boundaries_are_where_they_were_planted(tmp_path, ttskit, words, share):
    truth = write_speech(tmp_path)
    result = ttskit("align", "features.h5", "tokens.h5", *words, "-o", "x.h5")
    assert result.returncode == 0, result.stderr
    reader = Reader(tmp_path / "x.h5", Alignment)
    features = Reader(tmp_path / "features.h5", Features)
    errors = []
    for id, starts in truth.items():
        record = reader[id]
        assert record.durations.sum() == len(features[id].mel)
        assert (record.durations[record.token_word >= 0] > 0).all()
        errors += list(np.abs(np.cumsum(record.durations)[:-1] - starts))
    assert np.median(errors) <= 1
    assert np.mean(np.array(errors) <= 2) > share


@pytest.mark.usefixtures("_speech")
def test_the_trained_aligner_is_kept_and_aligns_again(tmp_path):
    run("align", "features.h5", "tokens.h5", "--steps", 4, "-j", 1, "-o", "x.h5")
    run("align", "tokens.h5", "features.h5", "--aligner", "x.aligner.h5", "-j", 1, "-o", "y.h5")
    one, other = (Reader(tmp_path / name, Alignment) for name in ("x.h5", "y.h5"))
    for column in ("durations", "token_score"):
        np.testing.assert_array_equal(one.column(column), other.column(column))
    assert (one.column("token_score") <= 0).all()
    run("plot", "x.h5", "features.h5", "--aligner", "x.aligner.h5", "-o", "attention.png")
    run("plot", "x.aligner.h5.run", "-o", "losses.svg")
    assert (tmp_path / "attention.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "losses.svg").read_bytes()


@pytest.mark.usefixtures("_speech")
def test_an_aligner_is_trained_on_the_threads_that_are_asked_for(tmp_path):
    length = ["--steps", 1, "--threads", 2, "-j", 1]
    run("align", "features.h5", "tokens.h5", *length, "-o", "x.h5")
    meta = json.loads((tmp_path / "x.aligner.h5.run" / "meta.json").read_text())
    assert meta["threads"] == 2


@pytest.mark.usefixtures("_speech")
def test_a_decoder_aligns_unless_it_reads_durations(tmp_path):
    sizes = {"encoder": SMALL, "flow": FLOW}
    write_model(tmp_path / "joint.h5", "glow", {**sizes, "durations": "joint"})
    run("align", "features.h5", "tokens.h5", "--aligner", "joint.h5", "-j", 1, "-o", "x.h5")
    reader = Reader(tmp_path / "x.h5", Alignment)
    features = Reader(tmp_path / "features.h5", Features)
    assert reader.ids == features.ids
    for id in reader:
        assert reader[id].durations.sum() == len(features[id].mel)
    run("plot", "x.h5", "features.h5", "--aligner", "joint.h5", "-o", "attention.png")
    write_model(tmp_path / "coarse.h5", "glow", {**sizes, "coarse_layers": 1})
    with pytest.raises(TtskitError, match="is a decoder that cannot align"):
        run("align", "features.h5", "tokens.h5", "--aligner", "coarse.h5", "-o", "y.h5")


@pytest.mark.usefixtures("_speech")
def test_an_aligner_for_other_features_is_refused(tmp_path):
    write_model(tmp_path / "aligner.h5", "attention", {})
    write_alignment_of(tmp_path)
    features, tokens = Reader(tmp_path / "features.h5", Features), tmp_path / "other.h5"
    attributes = {**features.attributes, "hop_length": 128}
    with Writer(tokens, Features, attributes=attributes, provenance=PROVENANCE) as writer:
        for id in features:
            writer.append(features[id])
        writer.seal(features.ids)
    inputs = ["features.h5", "tokens.h5"]
    for words, message in (
        (["other.h5", "tokens.h5", "--aligner", "aligner.h5"], "other.h5: has hop_length 128"),
        ([*inputs, "--aligner", "alignment.h5"], "alignment.h5: is alignment, needs model"),
        ([*inputs, "--aligner", "none.h5"], "none.h5: no such file"),
    ):
        with pytest.raises(TtskitError, match=message):
            run("align", *words, "-o", "y.h5")


@pytest.mark.usefixtures("_speech")
def test_bytes_do_not_depend_on_jobs_or_on_the_order_of_inputs(tmp_path, ttskit):
    flat = ("--aligner", "flat", "--rounds", 3)
    for words in (
        ("features.h5", "tokens.h5", "-j", 1, "-o", "a.h5"),
        ("tokens.h5", "features.h5", "-j", 2, "-o", "b.h5"),
    ):
        result = ttskit("align", *words, *flat)
        assert result.returncode == 0, result.stderr
    assert sha(tmp_path / "a.h5") == sha(tmp_path / "b.h5")
    assert b"up to date" in ttskit("align", "features.h5", "tokens.h5", *flat, "-o", "a.h5").stderr


@pytest.mark.usefixtures("_speech")
def test_inputs_that_do_not_fit_are_refused_in_one_line(ttskit):
    ttskit("select", "tokens.h5", "--head", 5, "-o", "few.h5")
    for words, message in (
        (["features.h5", "few.h5"], "few.h5: lacks u5, which features.h5 has: make it again with"),
        (["features.h5"], "no tokens artifact among the inputs: features.h5 (features)"),
        (
            ["features.h5", "features.h5", "tokens.h5"],
            "u0 is there twice, in features.h5 and features.h5",
        ),
    ):
        result = ttskit("align", *words, "-o", "x.h5")
        stderr = result.stderr.decode()
        assert (result.returncode, stderr.count("\n")) == (1, 1), stderr
        assert message in stderr


@pytest.mark.usefixtures("_speech")
def test_options_without_effect_are_refused(ttskit):
    both = ("features.h5", "tokens.h5", "-o", "x.h5")
    for words, message in (
        (["--aligner", "flat", "--steps", 7], b"not trained here"),
        (["--aligner", "flat", "--device", "cuda"], b"needs none"),
        (["--rounds", 3], b"only the aligner flat"),
        (["--minutes", 0], b"how long?"),
        (["--device", "nonsense"], b"there is no such device"),
    ):
        result = ttskit("align", *both, *words)
        assert result.returncode, words
        assert message in result.stderr


def cut_features(folder, ids, frames):
    """features.h5 again, of which some utterances have a few frames only."""
    reader = Reader(folder / "features.h5", Features)
    header: dict[str, Any] = {"provenance": PROVENANCE, "attributes": reader.attributes}
    with Writer(folder / "cut.h5", Features, **header) as writer:
        for id, record in reader.items():
            arrays = {name: value for name, value in vars(record).items() if np.ndim(value)}
            kept = {name: value[: frames if id in ids else None] for name, value in arrays.items()}
            writer.append(Features(id=id, speaker=record.speaker, text=record.text, **kept))
        writer.seal(reader.ids)


@pytest.mark.usefixtures("_speech")
@pytest.mark.parametrize(
    "words",
    [
        ["align", "cut.h5", "tokens.h5", "--steps", 4, "-j", 1],
        ["align", "cut.h5", "tokens.h5", "--aligner", "flat", "--rounds", 2, "-j", 1],
        ["train", "aligner", "cut.h5", "tokens.h5", "--steps", 4],
    ],
    ids=["attention", "flat", "train aligner"],
)
def test_utterances_with_too_few_frames_are_listed_before_the_training(tmp_path, ttskit, words):
    cut_features(tmp_path, ["u1", "u4"], 4)
    result = ttskit(*words, "-o", "x.h5")
    lines = result.stderr.decode().splitlines()
    reason = "9 tokens, 7 of which need a frame, for 4 frames"
    assert result.returncode == 1
    assert [line.split(";")[0] for line in lines[:2]] == [
        f"ttskit: cut.h5: {id}: {reason}" for id in ("u1", "u4")
    ]
    assert "2 of 6 utterances are bad" in lines[2]
    assert len(lines) == 3
    assert not [*tmp_path.glob("*.run"), *tmp_path.glob("*.part")]
    result = ttskit(*words, "--skip-bad", "-o", "x.h5")
    assert result.returncode == 0, result.stderr
    assert result.stderr.decode().count(reason) == 2
    if words[0] == "align":
        reader = Reader(tmp_path / "x.h5", Alignment)
        assert list(reader) == ["u0", "u2", "u3", "u5"]
        assert [reader.skipped[id].split(";")[0] for id in ("u1", "u4")] == [reason] * 2


@pytest.mark.usefixtures("_speech")
def test_a_decoder_that_aligns_lists_them_too(tmp_path):
    """Of 7 frames, glow trains on whole steps of two: 6, for 7 tokens."""
    cut_features(tmp_path, ["u2"], 7)
    words = ["train", "decoder", "cut.h5", "tokens.h5", "--family", "glow"]
    with pytest.raises(TtskitError, match="1 of 6 utterances are bad"):
        run(*words, "--set", "durations='joint'", "--steps", 1, "-o", "x.h5")
    assert not [*tmp_path.glob("*.run")]


@pytest.mark.usefixtures("_speech")
def test_features_too_coarse_for_any_text_are_refused_in_one_line(tmp_path, ttskit):
    cut_features(tmp_path, ids=[f"u{number}" for number in range(6)], frames=3)
    result = ttskit("align", "cut.h5", "tokens.h5", "--aligner", "flat", "-o", "x.h5")
    assert (result.returncode, result.stderr.count(b"\n")) == (1, 1), result.stderr
    assert b"take a smaller hop" in result.stderr


@pytest.mark.usefixtures("_speech")
def test_nothing_is_trained_for_an_output_that_cannot_be_written(tmp_path):
    (tmp_path / "folder").mkdir()
    for output, message in (("tokens.h5", "exists and is tokens"), ("folder", "is a folder")):
        with pytest.raises(TtskitError, match=message):
            run("align", "features.h5", "tokens.h5", "--steps", 1, "-o", output)
    assert not [*tmp_path.glob("*.run")]


@pytest.mark.usefixtures("_speech")
def test_tokens_of_another_text_are_noted(tmp_path):
    features = Reader(tmp_path / "features.h5", Features)
    with Writer(tmp_path / "other.h5", Features, provenance=PROVENANCE, attributes=GRID) as writer:
        for id, record in features.items():
            writer.append(replace(record, text="told otherwise") if id == "u1" else record)
        writer.seal(features.ids)
    words = ("tokens.h5", "--aligner", "flat", "-j", 1)
    told = run("align", "other.h5", *words, "-o", "x.h5").stderr
    said = Reader(tmp_path / "tokens.h5", Tokens)["u1"].text
    assert "1 utterance with another text in tokens.h5 than in other.h5, which" in told
    assert f"first u1: {said!r}, not 'told otherwise'" in told
    assert "another text" not in run("align", "features.h5", *words, "-o", "y.h5").stderr
