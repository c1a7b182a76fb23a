"""Snapshots of a model's output during training."""

from typing import Any

import numpy as np
import pytest

import ttskit
from tests.factory import HOP, PROVENANCE, RATE, write_speech
from ttskit.artifacts.kinds import Controls, Corpus, Features
from ttskit.artifacts.reader import Reader
from ttskit.artifacts.writer import Writer
from ttskit.errors import SettingError
from ttskit.training import curves, monitor
from ttskit.training.goal import Goal
from ttskit.training.run import request_of, train
from ttskit.voices.model import read_model

SMALL = [
    "channels=16", "layers=1", "harmonics=8", "noise_bands=5", "guess.channels=8",
    "spectral.n_fft=[256]", "training.batch=2", "training.segment=8", "training.validation=0.4",
]  # fmt: skip


class Drawn:
    """A figure of which only the title is saved."""

    def __init__(self, _shown, title):
        self.title = title

    def savefig(self, path, **_):
        path.write_text(self.title)


@pytest.fixture
def sounds(tmp_path, monkeypatch):
    """Features and recordings of three utterances."""
    monkeypatch.setattr(curves, "picture", Drawn)
    write_speech(tmp_path, 3)
    features = Reader(tmp_path / "features.h5", Features)
    options: dict[str, Any] = {"provenance": PROVENANCE, "attributes": {"sample_rate": RATE}}
    with Writer(tmp_path / "corpus.h5", Corpus, **options) as writer:
        for id, record in features.items():
            noise = np.random.default_rng(0).normal(0, 1000, len(record.mel) * HOP)
            writer.append(Corpus(id=id, speaker="ann", text="x", audio=noise.astype(np.int16)))
        writer.seal(features.ids)
    return [features, ttskit.read(tmp_path / "corpus.h5")]


def test_snapshots_are_kept_with_step_settings_and_pictures(sounds, tmp_path):
    settings = [*SMALL, "training.snapshot_every=2"]
    train(
        sounds,
        tmp_path / "x.h5",
        request_of("vocoder", "ddsp", None, None, settings),
        Goal(steps=5),
    )
    folder = tmp_path / "x.h5.run"
    assert {path.name for path in folder.glob("*-0*.h5")} == {
        f"{kind}-00000{step}.h5" for kind in ("controls", "corpus") for step in (2, 4)
    }
    assert {path.name: path.read_text() for path in folder.glob("*-0*.png")} == {
        f"{name}-00000{step}.png": f"{name} after {step} updates"
        for name in ("copy", "harmonics", "noise", "gains", "pitch")
        for step in (2, 4)
    }
    controls = Reader(folder / "controls-000004.h5", Controls)
    corpus = Reader(folder / "corpus-000004.h5", Corpus)
    assert controls.provenance["step"] == 4
    assert "snapshot_every = 2" in controls.provenance["options"]["config"]
    (held_out,) = read_model(tmp_path / "x.h5").table("validation")
    assert controls.ids == corpus.ids == [held_out]
    record = controls[held_out]
    assert len(corpus[held_out].audio) == len(record.f0) * HOP
    assert record.text == sounds[0][held_out].text
    early = Reader(folder / "controls-000002.h5", Controls)[held_out]
    assert not np.array_equal(early.noise, record.noise)


def test_snapshots_do_not_change_the_training(sounds, tmp_path):
    weights = []
    for name, settings in (("with.h5", ["training.snapshot_every=1"]), ("without.h5", [])):
        wish = request_of("vocoder", "ddsp", None, None, [*SMALL, *settings])
        train(sounds, tmp_path / name, wish, Goal(steps=3))
        weights.append(read_model(tmp_path / name).weights())
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name])


def test_a_training_without_validation_utterances_is_watched_too(sounds, tmp_path, capfd):
    settings = [*SMALL, "training.validation=0.0", "training.validate_every=2"]
    train(
        sounds,
        tmp_path / "x.h5",
        request_of("vocoder", "ddsp", None, None, settings),
        Goal(steps=4),
    )
    rows = [row for row in monitor.read(tmp_path / "x.h5.run" / "log.jsonl") if "watch/log" in row]
    assert [row["step"] for row in rows] == [2, 4]
    assert read_model(tmp_path / "x.h5").container.attributes["steps"] == 4
    told = " ".join(capfd.readouterr().err.split())
    assert "the last weights: no utterance is held out to tell which are best" in told


def test_validation_losses_have_the_names_of_training_losses(sounds, tmp_path):
    critics = ["adversary.from_progress=0", "adversary.channels=2", "adversary.periods=[2]",
               "adversary.n_fft=[128]", "training.validate_every=2"]  # fmt: skip
    settings = [*SMALL, *critics]
    train(
        sounds,
        tmp_path / "x.h5",
        request_of("vocoder", "ddsp", None, None, settings),
        Goal(steps=2),
    )
    *_, update, held_out = monitor.read(tmp_path / "x.h5.run" / "log.jsonl")
    names = {name.removeprefix("held_out/") for name in held_out if name.startswith("held_out/")}
    assert {"loss", "loss/generator/stft"} < names < update.keys()


def test_a_model_without_snapshots_says_so(tmp_path):
    write_speech(tmp_path, 3)
    readers = [ttskit.read(tmp_path / name) for name in ("features.h5", "tokens.h5")]
    wish = request_of("aligner", "attention", "tiny", None, ["training.snapshot_every=1"])
    with pytest.raises(SettingError, match=r"training\.snapshot_every: aligner makes no snapshots"):
        train(readers, tmp_path / "x.h5", wish, Goal(steps=1))


def test_models_are_kept_on_request(sounds, tmp_path):
    wish = request_of("vocoder", "ddsp", None, None, [*SMALL, "training.keep_every=2"])
    train(sounds, tmp_path / "x.h5", wish, Goal(steps=5))
    kept = sorted((tmp_path / "x.h5.run").glob("model-*.h5"))
    assert [path.name for path in kept] == ["model-000002.h5", "model-000004.h5"]
    early, late = (read_model(path).weights() for path in kept)
    assert any(not np.array_equal(early[name], late[name]) for name in early)
