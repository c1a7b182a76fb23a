"""The fields that a family trains on, read from artifacts."""

from typing import Any

import numpy as np
import pytest

import ttskit
from tests.factory import GRID, PROVENANCE, write_alignment_of, write_speech
from ttskit.artifacts.kinds import Corpus, Features, Mels
from ttskit.artifacts.writer import Writer
from ttskit.dsp import loudness
from ttskit.errors import ArtifactError
from ttskit.training.examples import Examples, cut, fitting


@pytest.fixture
def features(tmp_path):
    write_speech(tmp_path, 2)
    write_alignment_of(tmp_path)
    return ttskit.read(tmp_path / "features.h5")


def write_mels(features, frames=None, **attributes):
    """Mels of the first frames of features, lower by 1."""
    path = features.path.with_name("mels.h5")
    options: dict[str, Any] = {"provenance": PROVENANCE, "tables": {"symbols": []}}
    with Writer(path, Mels, attributes={**GRID, **attributes}, **options) as writer:
        for id, record in features.items():
            writer.append(Mels(id=id, speaker="", text="", mel=record.mel[:frames] - 1))
        writer.seal(features.ids)
    return ttskit.read(path)


def test_mels_of_a_decoder_replace_those_of_features(features):
    mels, alignment = write_mels(features), ttskit.read(features.path.with_name("alignment.h5"))
    needs = ("mel", "durations", "pitch")
    examples = Examples([features, mels, alignment], needs)
    fields = examples.item(0, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(fields["mel"], features["u0"].mel - 1)
    without = Examples([features, alignment], needs).item(0, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(without["mel"], features["u0"].mel)
    np.testing.assert_array_equal(fields["pitch"], without["pitch"])
    lower = examples.facts().statistics["mel_mean"] + 1
    usual = Examples([features], ("mel",)).facts().statistics["mel_mean"]
    np.testing.assert_allclose(lower, usual, atol=1e-4)


def test_a_contour_is_f0_beside_the_median_along_a_line_where_unvoiced(features, monkeypatch):
    examples = Examples([features], ("mel", "contour"))
    columns = {
        "f0": np.array([100.0, 100.0, 100.0, 300.0, 200.0, 400.0]),
        "voiced": np.array([False, True, False, False, True, True]),
    }
    monkeypatch.setattr(examples, "value", lambda _kind, _row, name: columns[name])
    octaves = np.array([0, 0, 1 / 3, 2 / 3, 1, 2]) - 1  # from 200 Hz, the median where voiced
    np.testing.assert_allclose(examples.field("contour", 0), octaves, atol=1e-6)


def test_the_contour_of_what_is_never_voiced_is_the_median(features):
    examples = Examples([features], ("mel", "contour"))
    assert not examples.field("contour", 0).any()


def test_a_vocoder_reads_mels_and_the_corpus(features):
    mels, path = write_mels(features), features.path.with_name("corpus.h5")
    with Writer(path, Corpus, provenance=PROVENANCE, attributes={"sample_rate": 22050}) as writer:
        for id, record in features.items():
            audio = np.full(len(record.mel) * 256 + 7, 16384, np.int16)
            writer.append(Corpus(id=id, speaker="", text="", audio=audio))
        writer.seal(features.ids)
    readers, needs = [mels, ttskit.read(path)], ("mel", "audio")
    fitting(readers, needs, "the vocoder hifigan")
    fields = Examples(readers, needs).item(1, 0, np.random.default_rng(0))
    assert len(fields["audio"]) == len(fields["mel"]) * 256
    assert (fields["audio"] == 0.5).all()


def test_a_clip_shorter_than_the_segment_ends_in_silence():
    """The padding of every field is as measured on silence; pitch keeps its last value."""
    audio = np.random.default_rng(0).normal(0, 0.1, 4 * 256).astype(np.float32)
    fields = {
        "mel": np.zeros((4, 80), np.float32),
        "f0": np.array([100, 110, 120, 130], np.float32),
        "voiced": np.ones(4, bool),
        "loudness": np.full(4, -20, np.float32),
        "audio": audio,
    }
    padded = cut(fields, 12, 256, np.random.default_rng(0))
    assert {name: len(value) for name, value in padded.items()} == {
        **dict.fromkeys(("mel", "f0", "voiced", "loudness"), 12),
        "audio": 12 * 256,
    }
    quiet = loudness.loudness(padded["audio"], 22050, 256)
    np.testing.assert_allclose(padded["loudness"][8:], quiet[8:12], atol=0.1)
    np.testing.assert_array_equal(padded["f0"][4:], 130)
    assert not padded["voiced"][4:].any()
    assert padded["mel"][4:].max() < -11
    np.testing.assert_array_equal(padded["audio"][: 4 * 256], audio)


def test_all_fields_are_cut_at_the_same_frames():
    fields = {"f0": np.arange(50), "mel": np.arange(50)[:, None], "audio": np.arange(50 * 4) // 4}
    for seed in range(5):
        segment = cut(fields, 8, 4, np.random.default_rng(seed))
        np.testing.assert_array_equal(segment["f0"], segment["mel"][:, 0])
        np.testing.assert_array_equal(segment["f0"], segment["audio"][::4])
        np.testing.assert_array_equal(np.diff(segment["f0"]), 1)


def test_mels_on_another_grid_than_the_features_are_refused(features):
    count = len(features["u0"].mel)
    with pytest.raises(ArtifactError, match=rf"mels\.h5: u0: has 9 frames, .* has {count}: make"):
        Examples([features, write_mels(features, 9)], ("mel",))
    with pytest.raises(ArtifactError, match=r"mels\.h5: has fmin 50"):
        Examples([features, write_mels(features, fmin=50.0)], ("mel",))


def test_a_missing_input_is_named_with_the_command_that_makes_it(features):
    tokens = ttskit.read(features.path.with_name("tokens.h5"))
    with pytest.raises(ArtifactError) as error:
        fitting([tokens], ("mel", "tokens"), "the aligner attention")
    assert "needs mels or features for its mel" in str(error.value)
    assert "add the output of `ttskit features` or `ttskit decode`" in str(error.value)


@pytest.fixture
def sung(tmp_path):
    """Features whose f0 and loudness change, of two speakers, and an alignment to them."""
    write_speech(tmp_path, 4)
    write_alignment_of(tmp_path)
    flat = ttskit.read(tmp_path / "features.h5")
    rng = np.random.default_rng(0)
    path = tmp_path / "sung.h5"
    with Writer(path, Features, attributes=GRID, provenance=PROVENANCE) as writer:
        for number, record in enumerate(flat.values()):
            count, kept = len(record.mel), {f.name: getattr(record, f.name) for f in flat.columns}
            kept["f0"] = rng.uniform(100, 300, count).astype(np.float32)
            kept["voiced"] = rng.random(count) < 0.7
            kept["loudness"] = rng.uniform(-50, -10, count).astype(np.float32)
            writer.append(Features(**{**kept, "speaker": "ab"[number % 2]}))
        writer.seal(flat.ids)
    return ttskit.read(path), ttskit.read(tmp_path / "alignment.h5")


def test_pitch_and_loudness_of_tokens_are_relative_to_the_speaker(sung):
    """In octaves over voiced frames, and in 10 dB over all, against loops over tokens."""
    features, alignment = sung
    examples = Examples([features, alignment], ("pitch", "loudness_token", "speaker"))
    own = [features[id] for id in examples.ids[1::2]]  # of the second speaker
    octaves = np.median(np.concatenate([np.log2(one.f0[one.voiced]) for one in own]))
    level = np.median(np.concatenate([one.loudness[one.voiced] for one in own]))
    record, at = own[0], 0
    fields = examples.item(1, 0, np.random.default_rng(0))
    for token, frames in enumerate(alignment[examples.ids[1]].durations):
        part = slice(at, at := at + frames)
        voiced = record.f0[part][record.voiced[part]]
        pitch = np.mean(np.log2(voiced) - octaves) if len(voiced) else 0.0
        loud = np.mean(record.loudness[part] - level) / 10 if frames else 0.0
        assert fields["pitch"][token] == pytest.approx(pitch, abs=1e-5)
        assert fields["loudness_token"][token] == pytest.approx(loud, abs=1e-5)


def test_a_segment_may_begin_at_every_frame_that_leaves_room_for_it():
    fields = {"mel": np.arange(6.0)[:, None]}
    starts = {
        int(cut(fields, 4, 4, np.random.default_rng(seed))["mel"][0, 0]) for seed in range(60)
    }
    assert starts == {0, 1, 2}


def test_medians_are_those_of_each_speaker_over_some_utterances_of_a_large_corpus(
    features, monkeypatch
):
    examples = Examples([features], ("mel", "contour"))
    speakers = ["ann", "bob"] * 15
    track = {row: np.full(3, 100.0 + row) for row in range(30)}
    monkeypatch.setattr(examples, "ids", [f"u{row}" for row in range(30)])
    monkeypatch.setattr(examples, "speakers", ("ann", "bob"))
    monkeypatch.setattr(examples, "_speakers", speakers)
    heard: list[int] = []

    def value(_kind, row, name):
        heard.append(row)
        return np.array([False, True, True]) if name == "voiced" else track[row]

    monkeypatch.setattr(examples, "value", value)
    assert examples.middle("bob", "loudness") == np.median(
        [track[row][0] for row in range(1, 30, 2)]
    )
    assert {*heard} == {*range(1, 30, 2)}
    monkeypatch.setattr("ttskit.training.examples.HEARD_OF_ALL", 10)
    monkeypatch.setattr("ttskit.training.examples.HEARD_OF_EACH", 4)
    heard.clear()
    assert examples.middle("ann", "loudness") == np.median(
        [track[row][0] for row in (0, 6, 12, 18, 24)]
    )
    assert {*heard} == {0, 6, 12, 18, 24}
