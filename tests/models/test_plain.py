"""The duration predictor of Glow-TTS: tempo, silence and speakers."""

import pytest
import torch

from tests.models.synthetic import batch
from tests.models.tiny_models import TINY, make, train
from ttskit.dsp.rounding import rounded
from ttskit.errors import SettingError
from ttskit.models.plain import Plain
from ttskit.settings import changed

SMALL = {**TINY["plain"], "speaker_channels": 4}


@pytest.fixture
def two():
    return batch(9, 6)


def test_durations_are_learned_to_the_frame(two):
    model = make(Plain, SMALL)
    train(model, [two], 60, 1e-2)
    predicted, true = model.eval().generate(two), two["durations"]
    for row, tokens in enumerate(two.lengths["token"]):
        durations, expected = predicted["durations"][row, :tokens], true[row, :tokens].numpy()
        assert abs(rounded(durations.detach().numpy(), expected == 0) - expected).max() <= 1
    numbers, pictures = model.watch(two)
    assert numbers["frames_error"] == pytest.approx(
        (predicted["durations"] - true)[two.mask("token")].abs().mean().item()
    )
    assert numbers["frames_error"] < 0.3
    assert pictures["durations"].lines["true"].tolist() == true[0].tolist()


def test_the_stretch_alone_corrects_the_tempo(two):
    model = make(Plain, SMALL)
    before = model.eval().watch(two)[0]["tempo"]
    for parameter in model.parameters():
        parameter.requires_grad_(parameter is model.stretch)
    train(model, [two], 150, 0.05)
    assert abs(before - 1) > 0.05
    assert model.watch(two)[0]["tempo"] == pytest.approx(1, abs=0.01)
    assert model.loss(two, 1.0)["tempo"] >= 0  # so a lower validation loss is better


def test_durations_are_never_below_zero(two):
    model = make(Plain, SMALL).eval()
    torch.nn.init.constant_(model.values.bias, -5.0)
    assert not model.generate(two)["durations"].any()


def test_speakers_differ_and_mix(two):
    model = make(Plain, SMALL)
    train(model, [two], 20)
    model.eval()
    own = model.generate(two)["durations"]
    other = model.generate(two.with_fields(speaker=1 - two["speaker"]))["durations"]
    mixed = model.generate(two.with_fields(speaker_mix=torch.eye(2)[two["speaker"]]))["durations"]
    assert not torch.allclose(own, other, atol=1e-4)
    assert torch.allclose(own, mixed, atol=1e-5)


def test_an_unknown_value_to_predict_is_refused():
    with pytest.raises(SettingError, match="predict has 'energy', needs pitch or loudness"):
        changed(Plain.Config(), {"predict": ["energy"]}, "test")
