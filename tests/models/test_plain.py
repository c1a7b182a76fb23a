"""The duration predictor of Glow-TTS: it learns, ignores padding, and knows silence."""

import pytest
import torch

from tests.models.made import SMALL_ENCODER, batch, configured, idle, make, told, train
from ttskit.dsp.rounding import rounded
from ttskit.errors import SettingError
from ttskit.models import FAMILIES
from ttskit.models.plain import Plain
from ttskit.settings import changed

SMALL = {
    "encoder": SMALL_ENCODER,
    "predictor": {"hidden": 16, "dropout": 0.0},
    "speaker_channels": 4,
}
ALL = {**SMALL, "predict": ["pitch", "loudness"]}


@pytest.fixture
def two():
    return batch(9, 6)


def test_is_found_by_name():
    assert FAMILIES["duration"]["plain"] == Plain.__name__


def test_says_what_it_needs():
    assert Plain.needs(Plain.Config()) == ("tokens", "durations", "speaker")
    assert Plain.needs(make(Plain, ALL).config)[3:] == ("pitch", "loudness_token")


def test_every_weight_learns(two):
    model = make(Plain, ALL)
    train(model, [two], 1)
    assert idle(model, two) == []


def test_overfits_two_utterances(two):
    model = make(Plain, ALL)
    train(model, [two], 150)
    made = model.eval().generate(two)
    real = two.mask("token")
    for name in ("durations", "pitch", "loudness_token"):
        assert (made[name] - two[name])[real].abs().mean() < 0.15, name
        assert not made[name][~real].any()
    for row in range(2):
        durations = made["durations"][row][real[row]].detach().numpy()
        true = two["durations"][row][real[row]].numpy()
        assert abs(rounded(durations, true == 0) - true).max() <= 1
    numbers, pictures = model.watch(two)
    assert numbers["frames_error"] < 0.15
    assert numbers["tempo"] == pytest.approx(1, abs=0.05)
    assert pictures["durations"].lines["made"].shape == (9,)


def test_padding_changes_nothing(two):
    model = make(Plain, ALL)
    train(model, [two], 3)
    model.eval()
    together, alone = told(model, [two], two), told(model, [two.only(0), two.only(1)], two)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_one_number_makes_the_tempo_right(two):
    model = make(Plain, SMALL)
    before = model.eval().watch(two)[0]["tempo"]
    for parameter in model.parameters():
        parameter.requires_grad_(parameter is model.stretch)
    train(model, [two], 300, 3e-2)
    assert abs(before - 1) > 0.05
    assert model.watch(two)[0]["tempo"] == pytest.approx(1, abs=0.01)
    assert model.loss(two, 1.0)["tempo"] >= 0  # so a low loss on what is held out is a good one


def test_durations_are_never_below_zero(two):
    model = make(Plain, SMALL).eval()
    torch.nn.init.constant_(model.values.bias, -5.0)
    assert not model.generate(two)["durations"].any()


def test_speakers_differ_and_mix(two):
    model = make(Plain, SMALL)
    train(model, [two], 20)
    model.eval()
    made = model.generate(two)["durations"]
    other = model.generate(two.with_fields(speaker=1 - two["speaker"]))["durations"]
    mixed = model.generate(two.with_fields(speaker_mix=torch.eye(2)[two["speaker"]]))["durations"]
    assert not torch.allclose(made, other, atol=1e-4)
    assert torch.allclose(made, mixed, atol=1e-5)


@pytest.mark.parametrize("preset", Plain.presets)
def test_presets_fit_the_config(preset):
    assert configured(Plain, preset)


def test_an_unknown_value_is_refused():
    with pytest.raises(SettingError, match="predict has 'energy', needs pitch or loudness"):
        changed(Plain.Config(), {"predict": ["energy"]}, "test")
