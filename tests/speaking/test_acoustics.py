"""From tokens to mel, with models that have learnt nothing."""

import numpy as np
import pytest
import torch

from tests.factory import SPOKEN, write_model, write_speakers
from ttskit.errors import ArtifactError, TtskitError
from ttskit.networks.batch import collate
from ttskit.speaking.acoustics import Cascade, Manner
from ttskit.voices.model import read_model

TOKENS = np.array([1, *(SPOKEN.index(letter) for letter in "misters"), 2])
KNOWN = {"tokens": TOKENS}
STILL = {"noise_scale": 0.0}


@pytest.fixture
def models(tmp_path):
    write_speakers(tmp_path, {"pitch": True}, {"predict": ["pitch"]})
    return [read_model(tmp_path / f"{role}.h5") for role in ("duration", "decoder")]


@pytest.fixture
def cascade(models):
    return Cascade(models, "mel")


def test_every_field_has_the_length_of_its_axis(cascade):
    fields = cascade.run("a", KNOWN, Manner(knobs=STILL), 0)
    assert len(fields["durations"]) == len(fields["pitch"]) == len(TOKENS)
    assert len(fields["mel"]) == fields["durations"].sum()


def test_known_fields_are_not_predicted(cascade, models):
    manner = Manner(knobs=STILL)
    fields = cascade.run("a", KNOWN, manner, 0)
    known = {name: fields[name] for name in ("tokens", "durations", "pitch")}
    decoder = Cascade(models[1:], "mel", known)
    np.testing.assert_array_equal(decoder.run("a", known, manner, 0)["mel"], fields["mel"])


def test_the_order_in_which_models_are_named_does_not_matter(cascade, models):
    turned = Cascade(models[::-1], "mel")
    assert [model.role for model in turned.models] == ["duration", "decoder"]
    one, other = (each.run("a", KNOWN, Manner(), 3)["mel"] for each in (cascade, turned))
    np.testing.assert_array_equal(one, other)


def test_it_stops_at_the_field_that_is_wanted(cascade):
    fields = cascade.run("a", KNOWN, Manner(), 0, wanted="durations")
    assert "mel" not in fields
    np.testing.assert_array_equal(
        fields["durations"], cascade.run("a", KNOWN, Manner(), 0)["durations"]
    )


def test_a_model_of_durations_and_mel_makes_the_mel_of_the_rounded_durations(tmp_path):
    joint = {"durations": "joint", "predict_durations": True, "predictor": {"hidden": 8}}
    write_speakers(tmp_path, joint)
    cascade = Cascade([read_model(tmp_path / "decoder.h5")], "mel")
    fields = cascade.run("a", KNOWN, Manner(knobs=STILL, frames=80), 0)
    assert fields["durations"].sum() == len(fields["mel"]) == 80
    with pytest.raises(ArtifactError, match=r"makes durations, which .* makes too"):
        Cascade([read_model(tmp_path / f"{role}.h5") for role in ("decoder", "duration")], "mel")


def test_few_shapes_reach_the_networks_however_many_lengths_lines_have(cascade):
    shapes = set()
    for _, module in cascade.steps:
        for layer in module.modules():
            if not [*layer.children()]:
                layer.register_forward_pre_hook(lambda _, x: shapes.add(x[0].shape[1:]))
    lengths = set()
    for count in range(5, 45):
        tokens = np.resize(TOKENS, count)
        fields = cascade.run("a", {"tokens": tokens}, Manner(knobs=STILL), 0)
        assert len(fields["mel"]) == fields["durations"].sum()
        lengths.add(len(fields["mel"]))
    assert len(lengths) > 35
    assert len({shape[-1] for shape in shapes if len(shape) == 2}) < 30


@pytest.mark.parametrize("role", ["duration", "decoder"])
def test_the_room_beyond_a_line_changes_nothing(cascade, role):
    """Against a batch without padding."""
    model, module = next(step for step in cascade.steps if step[0].role == role)
    fields = cascade.run("a", KNOWN, Manner(knobs=STILL), 0)
    known = {name: fields[name] for name in model.takes} | {"speaker": np.int64(0)}
    with torch.no_grad():
        plain = module.generate(collate(["a"], [known]), torch.Generator(), **knobs_of(module))
    for name, value in plain.items():
        if name in ("mel", "pitch"):
            np.testing.assert_allclose(fields[name], value[0].numpy(), rtol=1e-3, atol=1e-4)


def knobs_of(module):
    return {name: value for name, value in STILL.items() if name in module.knobs}


def test_pitch_can_be_moved_token_by_token(cascade):
    moved = Manner(knobs=STILL, pitch=np.eye(len(TOKENS))[-1] * 12)
    still, higher = (cascade.run("a", KNOWN, m, 0)["mel"] for m in (Manner(knobs=STILL), moved))
    assert still.shape == higher.shape
    assert not np.array_equal(still, higher)


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_a_pitch_range_moves_the_pitch_so_many_times_as_far(cascade, factor):
    pitch = np.linspace(-0.2, 0.3, len(TOKENS), dtype=np.float32)
    still, moved = Manner(knobs=STILL), Manner(knobs=STILL, pitch_range=factor)
    expected = cascade.run("a", KNOWN | {"pitch": factor * pitch}, still, 0)["mel"]
    assert np.array_equal(cascade.run("a", KNOWN | {"pitch": pitch}, moved, 0)["mel"], expected)
    usual = cascade.run("a", KNOWN | {"pitch": pitch}, still, 0)["mel"]
    assert not np.array_equal(usual, expected)


def test_durations_of_no_frame_are_refused(cascade):
    known = KNOWN | {"durations": np.zeros(len(TOKENS), int)}
    with pytest.raises(TtskitError, match="a: lasts no frame"):
        cascade.run("a", known, Manner(), 0)


def test_durations_of_more_frames_than_allowed_are_refused(cascade):
    frames = int(cascade.run("a", KNOWN, Manner(), 0)["durations"].sum())
    cascade.run("a", KNOWN, Manner(most=frames), 0)
    stretched = KNOWN | {"durations": np.full(len(TOKENS), 1000)}
    for known in (KNOWN, stretched):
        with pytest.raises(TtskitError, match=f"a: lasts .* frames, at most {frames - 1} can be"):
            cascade.run("a", known, Manner(most=frames - 1), 0)


@pytest.mark.parametrize("value", [30.0, np.nan])
def test_durations_that_are_nonsense_are_refused(models, tmp_path, value):
    sizes = {"encoder": {"hidden": 16, "filter": 24, "layers": 1}, "predict": ["pitch"]}
    path = tmp_path / "wrong.h5"
    write_model(path, "plain", sizes, lambda m: m.values.bias[0].fill_(value))
    wrong = Cascade([read_model(path), models[1]], "mel")
    with pytest.raises(TtskitError, match=r"a: the duration model predicts .* frames for a token"):
        wrong.run("a", KNOWN, Manner(), 0)
