"""Durations by style: the style matters, and confidence is lower where durations vary."""

import pytest
import torch

from tests.models.made import SMALL_ENCODER, batch, configured, idle, make, told, train
from ttskit.models import FAMILIES
from ttskit.models.film import Film

SMALL = {
    "encoder": SMALL_ENCODER,
    "predictor": {"hidden": 16, "dropout": 0.0},
    "speaker_channels": 4,
}
ALL = {**SMALL, "predict": ["pitch", "loudness"], "reference": True}


@pytest.fixture
def two():
    return batch(9, 6)


def without_mel(batch):
    """The same as it is when a text is spoken: nothing is known of its frames."""
    fields = {name: batch[name] for name in ("tokens", "speaker")}
    return type(batch)(batch.ids, fields, {"token": batch.lengths["token"]})


def test_is_found_by_name():
    assert FAMILIES["duration"]["film"] == Film.__name__


def test_says_what_it_needs():
    assert Film.needs(Film.Config()) == ("tokens", "durations", "speaker")
    assert "mel" in Film.needs(make(Film, ALL).config)


def test_every_weight_learns(two):
    model = make(Film, ALL)
    train(model, [two], 2)
    torch.manual_seed(1)  # by which a reference is not left out
    assert idle(model, two) == []


def test_overfits_two_utterances(two):
    model = make(Film, SMALL)
    train(model, [two], 150)
    made = model.eval().generate(two)
    real = two.mask("token")
    assert (made["durations"] - two["durations"])[real].abs().mean() < 0.15
    assert made["confidence"][real].mean() > 0.8
    assert not made["confidence"][~real].any()


def test_confidence_is_lower_where_durations_vary():
    """Symbol 3 always lasts as long; symbol 4 lasts now 1 frame and now 12."""
    model = make(Film, SMALL)
    generator = torch.Generator().manual_seed(0)
    batches = []
    for seed in range(20):
        one = batch(*[8] * 16, seed=seed)
        tokens = 3 + torch.randint(2, (16, 8), generator=generator)
        wild = torch.where(torch.rand(16, 8, generator=generator) < 0.5, 1, 12)
        batches.append(one.with_fields(tokens=tokens, durations=torch.where(tokens == 3, 5, wild)))
    train(model, batches, 150)
    confidence = model.eval().generate(batches[0])["confidence"]
    sure, unsure = (confidence[batches[0]["tokens"] == symbol] for symbol in (3, 4))
    assert sure.mean() > unsure.mean() + 0.2


def test_variance_does_not_move_the_states(two):
    model = make(Film, SMALL)
    model.loss(two, 0)["confidence"].backward()
    moved = [name for name, p in model.named_parameters() if p.grad is not None]
    assert moved == ["variance.weight", "variance.bias"]


def test_padding_changes_nothing(two):
    model = make(Film, ALL)
    train(model, [two], 3)
    model.eval()
    together, alone = told(model, [two], two), told(model, [two.only(0), two.only(1)], two)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_a_reference_changes_the_style_and_may_be_missing(two):
    model = make(Film, ALL)
    train(model, [two], 20)
    model.eval()
    given = model.generate(two)["durations"]
    other = model.generate(two.with_fields(mel=two["mel"] + 3))["durations"]
    none = model.generate(without_mel(two))["durations"]
    assert not torch.allclose(given, other, atol=1e-3)
    assert not torch.allclose(given, none, atol=1e-3)


@pytest.mark.parametrize("preset", Film.presets)
def test_presets_fit_the_config(preset):
    assert configured(Film, preset)
