"""What every vocoder must do that learns from recordings: chunks, critics, statistics."""

from dataclasses import replace

import pytest
import torch

from tests.models.synthetic import SPEECH, short_and_long
from tests.models.tiny_models import ROLES, TINY, build, make, needed
from ttskit.models import find
from ttskit.models.vocoder import Convolutional, Learnt

LEARNED = [family for family in ROLES if issubclass(find(family), Learnt)]
CONVOLUTIONAL = [family for family in LEARNED if issubclass(find(family), Convolutional)]
learned = pytest.mark.parametrize("family", LEARNED)
convolutional = pytest.mark.parametrize("family", CONVOLUTIONAL)


@convolutional
def test_audio_has_exactly_the_samples_of_its_frames(family):
    model = build(family)
    for frames in (1, 2, 7):
        assert model(torch.zeros(2, frames, 20)).shape == (2, frames * 64)


@convolutional
@pytest.mark.parametrize("chunk", [7, 64])
def test_chunks_join_without_a_seam(family, chunk, monkeypatch):
    model = build(family)
    for parameter in model.parameters():  # as loud as after training
        parameter.data.mul_(3 if parameter.dim() > 2 else 1)
    mel = torch.randn(100, 20)
    whole = model(mel[None])[0].detach()
    monkeypatch.setattr(type(model), "chunk", chunk)
    chunks = [*model.stream({"mel": mel})]
    assert len(chunks) == -(-100 // chunk)
    assert whole.abs().max() > 0.01
    torch.testing.assert_close(torch.cat(chunks), whole, atol=1e-4, rtol=0)


@convolutional
def test_reach_is_what_a_sample_depends_on(family):
    """With less there would be seams; with much more it would be slow."""
    model = build(family).double()
    mel = torch.randn(1, 101, 20, dtype=torch.double, requires_grad=True)
    model(mel)[0, 50 * 64 : 51 * 64].square().sum().backward()
    assert mel.grad is not None
    frames = mel.grad[0].any(-1).nonzero()
    reach = max(50 - frames.min(), frames.max() - 50)
    assert reach <= model.reach <= reach + 3


@convolutional
def test_mel_is_normalised_by_the_statistics_of_the_data(family):
    plain = make(find(family), TINY[family], replace(SPEECH, statistics={}))
    mel = short_and_long()["mel"]
    torch.testing.assert_close(build(family)(mel), plain((mel + 4) / 2), atol=1e-5, rtol=0)


@learned
def test_critics_play_from_their_part_of_the_training_on(family):
    model = build(family)
    batch, alone = needed(model), set(model.loss(needed(model), 0.49))
    assert list(model.players()) == ["generator"]
    model.prepare()
    assert list(model.players()) == ["generator", "critic"]
    assert model.terms(batch, 0.49, "critic") == {}
    assert set(model.terms(batch, 0.49, "generator")) == alone
    assert set(model.terms(batch, 0.5, "generator")) == alone | {"adversarial", "features"}
    assert set(model.terms(batch, 0.5, "critic")) == {"real", "copy"}
    assert (model.judged(0.49), model.judged(0.5)) == (True, False)


@learned
def test_critics_are_not_kept(family):
    model = build(family)
    before = model.kept().keys()
    model.prepare()
    assert model.kept().keys() == before < model.state_dict().keys()


@learned
def test_without_critics_the_generator_is_the_only_player(family):
    model = make(find(family), {**TINY[family], "adversary": {}}, SPEECH)
    model.prepare()
    assert list(model.players()) == ["generator"]
    assert set(model.terms(needed(model), 1.0, "generator")) == set(model.loss(needed(model), 1.0))
    assert model.judged(1.0)


@learned
def test_the_copy_is_silent_in_the_padding(family):
    model = build(family)
    batch = needed(model)
    copy = model.copy(batch)
    end = int(batch.lengths["sample"][0])
    assert not copy[0, end:].any()
    assert copy[1, end:].any()
