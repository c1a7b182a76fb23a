"""The duration model with FiLM: style references and confidence."""

import pytest
import torch

from tests.models.synthetic import batch
from tests.models.tiny_models import TINY, make, train
from ttskit.models.film import Film

SMALL = {**TINY["film"], "predict": [], "speaker_channels": 4}


@pytest.fixture
def two():
    return batch(9, 6)


def without_mel(batch):
    """The batch as it is in synthesis, where nothing is known of the frames."""
    fields = {name: batch[name] for name in ("tokens", "speaker")}
    return type(batch)(batch.ids, fields, {"token": batch.lengths["token"]})


def test_a_mel_is_needed_for_a_reference_only():
    assert Film.needs(Film.Config()) == ("tokens", "durations", "speaker")
    assert "mel" in Film.needs(Film.Config(reference=True))


def test_confidence_is_lower_where_durations_vary():
    """Token 3 always lasts 5 frames; token 4 lasts 1 frame or 12, at random."""
    model = make(Film, SMALL)
    generator = torch.Generator().manual_seed(0)
    batches = []
    for seed in range(20):
        one = batch(*[8] * 16, seed=seed)
        tokens = 3 + torch.randint(2, (16, 8), generator=generator)
        varying = torch.where(torch.rand(16, 8, generator=generator) < 0.5, 1, 12)
        batches.append(
            one.with_fields(tokens=tokens, durations=torch.where(tokens == 3, 5, varying))
        )
    train(model, batches, 150)
    confidence = model.eval().generate(batches[0])["confidence"]
    sure, unsure = (confidence[batches[0]["tokens"] == symbol] for symbol in (3, 4))
    assert sure.mean() > unsure.mean() + 0.2


def test_the_confidence_loss_trains_the_variance_alone(two):
    model = make(Film, SMALL)
    model.loss(two, 0)["confidence"].backward()
    trained = [name for name, p in model.named_parameters() if p.grad is not None]
    assert trained == ["variance.weight", "variance.bias"]


def test_a_reference_changes_durations_and_is_optional(two):
    model = make(Film, {**SMALL, "reference": True})
    train(model, [two], 20)
    model.eval()
    own = model.generate(two)["durations"]
    other = model.generate(two.with_fields(mel=two["mel"] + 3))["durations"]
    none = model.generate(without_mel(two))["durations"]
    assert not torch.allclose(own, other, atol=1e-3)
    assert not torch.allclose(own, none, atol=1e-3)


def test_a_reference_is_left_out_of_half_of_the_training(two):
    torch.manual_seed(0)
    reference = make(Film, {**SMALL, "reference": True}).reference
    styles = torch.cat([reference.train()(two["mel"], two.mask("frame")) for _ in range(200)])
    assert 0.4 < (styles == 0).all(1).float().mean() < 0.6
    assert (reference.eval()(two["mel"], two.mask("frame")) != 0).any(1).all()
