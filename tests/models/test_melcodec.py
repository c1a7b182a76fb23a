"""Codecs of mels: what their critics see and when, and that speech is judged as a whole."""

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
