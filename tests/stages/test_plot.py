import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.factory import PROVENANCE, SYMBOLS, alignment_record, run, write_alignment
from ttskit.artifacts.kinds import Alignment, Codes, Controls, Features, Mels
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import TtskitError
from ttskit.formats.timeline import Interval
from ttskit.pages import figure as panels
from ttskit.pages import utterance

ATTRIBUTES = {
    "sample_rate": 16000, "hop_length": 256, "n_fft": 1024, "n_mels": 20, "fmin": 0.0, "fmax": 8e3,
}  # fmt: skip


@pytest.fixture
def features(tmp_path):
    """Two utterances: one voiced in its middle, one without any voice."""
    path = tmp_path / "features.h5"
    with Writer(path, Features, provenance=PROVENANCE, attributes=ATTRIBUTES) as writer:
        for id, voiced in (("a", np.arange(60) // 20 == 1), ("b", np.zeros(60, bool))):
            writer.append(
                Features(
                    id=id,
                    speaker="",
                    text="costs $5 or $6",
                    mel=np.random.default_rng(0).normal(size=(60, 20)),
                    f0=np.where(voiced, 150.0, 0),
                    voiced=voiced,
                    periodicity=voiced.astype(float),
                    loudness=np.linspace(-60, 0, 60),
                    energy=np.ones(60),
                )
            )
        writer.seal(["a", "b"])
    return path


@pytest.mark.parametrize(("name", "magic"), [("x.png", b"\x89PNG"), ("x.pdf", b"%PDF")])
@pytest.mark.parametrize("id", ["a", "b"])
def test_a_picture_is_written(features, tmp_path, ttskit, name, magic, id):
    found = ttskit("plot", features, "--id", id, "-o", name)
    assert (found.returncode, found.stderr) == (0, b"")
    assert (tmp_path / name).read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["features.h5", "--id", "z"], "features.h5: has no utterance z"),
        (["features.h5", "-o", "x.doc"], "x.doc: cannot be drawn: its name needs one of .png"),
        (["features.h5", "-o", "x"], "x: cannot be drawn"),
        (["features.h5", "-o", "-"], "-: cannot be drawn"),
        (
            ["corpus.h5"],
            "no features, alignment, mels, codes or controls artifact among the inputs",
        ),
        (["features.h5", "corpus.h5"], "corpus.h5: has no utterance a"),
    ],
)
@pytest.mark.usefixtures("features", "corpus")
def test_errors_of_the_user_take_one_line(ttskit, words, says):
    found = ttskit("plot", *words)
    errors = found.stderr.decode()
    assert (found.returncode, errors.count("\n")) == (2 if "-o" in words else 1, 1), errors
    assert says in errors


@pytest.fixture
def aligned(tmp_path):
    """The alignment of utterance a of the features; its scores are not all known."""
    record = dataclasses.replace(
        alignment_record(),
        durations=np.array([0, 5, 3, 4, 12, 0, 10, 15, 0, 6, 5, 0]),
        token_score=np.where(np.arange(12) == 3, np.nan, -40.0),
        score=np.array(np.nan),
    )
    return write_alignment(tmp_path / "alignment.h5", record)


@pytest.mark.parametrize("inputs", [["alignment.h5"], ["alignment.h5", "features.h5"]])
@pytest.mark.usefixtures("features", "aligned")
def test_an_alignment_is_drawn_with_or_without_its_features(tmp_path, monkeypatch, inputs):
    monkeypatch.chdir(tmp_path)
    run("plot", *inputs, "-o", "x.svg")
    assert (tmp_path / "x.svg").read_bytes().startswith(b"<?xml")


def labels(figure):
    return [[text.get_text() for text in axes.texts] for axes in figure.axes if axes.texts]


def test_every_word_and_phoneme_has_its_label(aligned):
    shown = utterance.from_artifacts(None, Reader(aligned, Alignment), None, None)
    words, phones = labels(panels.draw(shown))
    assert words == ["hello", "oh", "lo"]
    assert phones == [*"həl", "ˈoʊ", "ˈoʊ", "l", "ˈoʊ", "#"]


@pytest.mark.parametrize("known", [True, False], ids=["known", "mel alone"])
def test_mels_are_drawn_with_their_optional_columns(tmp_path, known):
    record, mel = alignment_record(), np.zeros((100, 20))
    names = ("language", "tokens", "token_word", "words", "spans", "durations")
    spoken = {name: getattr(record, name) for name in names} if known else {}
    header: dict[str, Any] = {
        "attributes": ATTRIBUTES,
        "tables": {"symbols": SYMBOLS},
        "provenance": PROVENANCE,
    }
    with Writer(tmp_path / "mels.h5", Mels, **header) as writer:
        writer.append(Mels(id="a", speaker="", text=record.text, mel=mel, **spoken))
        writer.seal(["a"])
    mels = Reader(tmp_path / "mels.h5", Mels)
    figure = panels.draw(utterance.from_artifacts(None, None, None, None, mels))
    assert len(figure.axes) == (3 if known else 1)
    assert labels(figure)[:1] == ([["hello", "oh", "lo"]] if known else [])


@pytest.mark.parametrize(("scale", "lines"), [(2.0, {0}), (0.25, {0, 1, 2})])
def test_labels_never_overlap(scale, lines):
    intervals = [Interval(n / 8, (n + 1) / 8, "ˈoʊ", n) for n in range(40)]
    placed = panels.placed(intervals, scale, 3)
    assert set(placed.values()) == lines
    for line in lines:
        middles = sorted(one.start for one, place in placed.items() if place == line)
        assert np.diff(middles).min() * scale > 0.1  # inches: about the width of three letters
    assert (len(placed) == 40) == (scale == 2.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"hop_length": 128}, "x.h5: has hop_length 128, features.h5 has 256: they are not of"),
        ({}, "x.h5: a: has 100 frames, needs 60"),
    ],
)
def test_an_alignment_of_other_features_is_refused(features, tmp_path, monkeypatch, change, says):
    monkeypatch.chdir(tmp_path)
    write_alignment(tmp_path / "x.h5", alignment_record(), **change)
    with pytest.raises(TtskitError) as error:
        run("plot", features.name, "x.h5")
    assert says in str(error.value)


def test_a_font_without_the_characters_takes_one_line(tmp_path, process):
    record = dataclasses.replace(alignment_record(), text="日本")
    write_alignment(tmp_path / "x.h5", record)
    found = process("plot", "x.h5", "-o", "x.png")
    assert found.returncode == 0
    assert found.stderr == b"x.png: the font lacks characters of the text: they are boxes\n"


@pytest.mark.parametrize("known", [True, False], ids=["known", "codes alone"])
def test_codes_are_drawn_over_time(tmp_path, known):
    record = alignment_record()
    names = ("language", "tokens", "token_word", "words", "spans", "durations")
    spoken = {name: getattr(record, name) for name in names} if known else {}
    header: dict[str, Any] = {
        "attributes": {**ATTRIBUTES, "stride": 3, "size": 50},
        "tables": {"symbols": SYMBOLS, "codec": ["x"]},
        "provenance": PROVENANCE,
    }
    codes = np.arange(68).reshape(34, 2).astype(np.uint16) % 50
    with Writer(tmp_path / "codes.h5", Codes, **header) as writer:
        writer.append(
            Codes(id="a", speaker="", text=record.text, codes=codes, frames=np.array(100), **spoken)
        )
        writer.seal(["a"])
    figure = panels.draw(utterance.from_codes(Reader(tmp_path / "codes.h5", Codes), None, None))
    (image,) = (image for axes in figure.axes for image in axes.images)
    np.testing.assert_array_equal(np.asarray(image.get_array()), codes.T)
    assert image.get_extent()[:2] == pytest.approx([0, 34 * 3 * 256 / 16000])
    assert labels(figure)[:1] == ([["hello", "oh", "lo"]] if known else [])
    run("plot", tmp_path / "codes.h5", "-o", tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_controls_are_drawn_over_time(tmp_path):
    """Harmonic 3 alone sounds in the second half, a band of noise in the first."""
    path, late = tmp_path / "controls.h5", np.arange(40) >= 20
    attributes = {"sample_rate": 16000, "hop_length": 256}
    with Writer(path, Controls, provenance=PROVENANCE, attributes=attributes) as writer:
        writer.append(
            Controls(
                id="a",
                speaker="",
                text="la",
                f0=np.full(40, 150.0),
                voiced=late,
                amplitude=np.ones(40),
                distribution=np.tile(np.eye(5)[2], (40, 1)),
                noise=np.outer(~late, np.eye(4)[1]),
            )
        )
        writer.seal(["a"])
    figure = panels.draw(utterance.from_controls(Reader(path, Controls), None, None))
    harmonics, noise = (
        np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images
    )
    assert (harmonics[2, 20:] == 0).all()
    assert (np.delete(harmonics, 2, 0) == -80).all()
    assert (noise[1, :20] == 0).all()
    assert (noise[:, 20:] == -80).all()
    pitch = np.asarray(figure.axes[0].lines[0].get_ydata())
    assert np.isnan(pitch[:20]).all()
    assert (pitch[20:] == 150).all()
    run("plot", path, "-o", tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    write_alignment(tmp_path / "alignment.h5", alignment_record())
    with pytest.raises(TtskitError, match=r"controls\.h5: is controls: draw it alone"):
        run("plot", path, tmp_path / "alignment.h5")
