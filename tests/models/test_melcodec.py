"""Codecs of mels: what their critics see and when, and that speech is judged as a whole."""

import numpy as np
import pytest
import torch

from tests.models.synthetic import SPEECH, short_and_long
from tests.models.tiny_models import TINY, build, make, needed
from ttskit.models import find

families = pytest.mark.parametrize("family", ["fsq", "rvq", "vq"])


@families
def test_critics_play_from_their_part_of_the_training_on(family):
    model = build(family)
    batch = needed(model)
    alone = set(model.loss(batch, 0.49))
    model.prepare()
    assert list(model.players()) == ["generator", "critic"]
    assert model.terms(batch, 0.49, "critic") == {}
    assert set(model.terms(batch, 0.49, "generator")) == alone
    assert set(model.terms(batch, 0.5, "generator")) == alone | {"adversarial", "features"}
    assert set(model.terms(batch, 0.5, "critic")) == {"real", "copy"}


@families
def test_critics_are_not_kept(family):
    model = build(family)
    before = model.kept().keys()
    model.prepare()
    assert model.kept().keys() == before < model.state_dict().keys()


@families
def test_the_turn_of_the_critics_leaves_the_codec_as_it_is(family):
    model = build(family)
    model.prepare()
    before = {name: value.clone() for name, value in model.kept().items()}
    model.terms(needed(model), 1.0, "critic")
    assert all(torch.equal(value, before[name]) for name, value in model.kept().items())


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_perfect_copy_costs_nothing(stride, monkeypatch):
    model = make(find("fsq"), {**TINY["fsq"], "stride": stride}, SPEECH)
    batch = short_and_long()
    quantised, _ = model.generator.quantised(batch)
    monkeypatch.setattr(model.generator, "copy", lambda batch: (batch["mel"], quantised))
    assert sum(model.loss(batch, 0.0).values()).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_training_begins_as_the_principal_components_of_the_mel(stride):
    settings = {**TINY["rvq"], "stride": stride, "books": 1, "size": 128, "dimension": 5}
    model, batch = make(find("rvq"), settings, SPEECH), short_and_long()
    model.initialise(batch)
    real = batch.mask("frame")
    mel = np.where(real[..., None], (batch["mel"] + 4) / 2, 0)
    assert mel.shape[1] % stride == 0
    vectors = mel.reshape(-1, stride * 20)[real[:, ::stride].flatten()]
    assert len(vectors) < 128  # so every vector has a code of its own
    centre = vectors.mean(0)
    axes = np.linalg.svd(vectors - centre, full_matrices=False)[2][:5]
    expected = (vectors - centre) @ axes.T @ axes + centre
    copy = (model.eval().generator.copy(batch)[0] + 4) / 2
    copy = copy.detach().numpy()[real].reshape(-1, 20)
    expected = expected.reshape(-1, 20)[real[real[:, ::stride].repeat_interleave(stride, 1)]]
    np.testing.assert_allclose(copy, expected, atol=0.02)


@families
def test_a_trained_codec_does_not_begin_anew(family):
    model = build(family)
    model.initialise(needed(model))
    with torch.no_grad():
        model.generator.synthesis.bias.add_(1)
        model.generator.finish.leave.bias.add_(1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.initialise(short_and_long().only(1))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_error_costs_more_where_the_mel_is_louder_than_usual(monkeypatch):
    model = make(find("fsq"), {**TINY["fsq"], "loud": 0.5, "delta": 0.0}, SPEECH)
    batch = short_and_long()
    quantised, _ = model.generator.quantised(batch)

    def cost(wrong):
        copy = batch["mel"] + 0.2 * wrong  # a tenth of a deviation
        monkeypatch.setattr(model.generator, "copy", lambda _: (copy, quantised))
        return model.loss(batch, 0.0)["mel"].item()

    normal, real = (batch["mel"] + 4) / 2, batch.mask("frame")[..., None].expand(batch["mel"].shape)
    for loud in (normal > 0, normal < 0):
        weights = 1 + 0.5 * torch.tanh(normal[loud & real])
        expected = 0.1 * weights.sum() / real.sum()
        assert cost(loud) == pytest.approx(expected.item(), rel=1e-4)
        assert (weights > 1).all() or (weights < 1).all()
