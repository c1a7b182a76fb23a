"""The decoder that refines a coarse mel: what it is trained on, and how it is steered."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.models.synthetic import SPEECH, short_and_long
from tests.models.tiny_models import build, needed, trained, updates
from ttskit.models.diffusion import Diffusion
from ttskit.models.feedforward import Feedforward

CASES = ["diffusion", 'diffusion {"objective": "ddpm"}']


@torch.no_grad()
def mel(model, seed=0, **knobs):
    generator = torch.Generator().manual_seed(seed)
    return model.generate(short_and_long(), generator, **knobs)["mel"]


def changed(model, **settings):
    """Return a new model like another, with some settings changed."""
    return Diffusion(replace(model.config, **settings), SPEECH)


def learnt(case, **settings):
    """Return a model after some updates: long enough that its condition matters."""
    model = changed(build(case), **settings)
    for _ in updates(model, [needed(model)], 60, 1e-2, progress=0.0):
        pass
    return model.eval()


@pytest.mark.parametrize("case", CASES)
def test_guidance_of_0_is_the_conditioned_mel_and_others_are_not(case):
    model = learnt(case)
    assert torch.equal(mel(model), mel(model, guidance=0.0))
    assert not torch.allclose(mel(model), mel(model, guidance=2.0), atol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_as_many_steps_are_taken_as_are_asked_for(case):
    model, calls = trained(case), []
    model.denoiser.register_forward_hook(lambda *call: calls.append(call))
    for steps in (1, 4, 10):
        calls.clear()
        mel(model, steps=float(steps))
        assert len(calls) == steps


def test_one_step_without_noise_adds_what_is_predicted_at_the_start(monkeypatch):
    model = learnt("diffusion", remainder=0.4)

    def predicted(x, time):
        assert not x.any()
        assert not time.any()
        return torch.full_like(x, 0.5)

    monkeypatch.setattr(model, "_network", lambda *_: predicted)
    batch, generator = short_and_long(), model.generator
    with torch.no_grad():
        states = generator.states(batch)
        f0, voiced = generator.predicted(batch, states)
        coarse = generator.mel(states, f0, voiced.float())
        expected = generator.scale.inverse(coarse + 0.4 * 0.5)
    made, real = mel(model, steps=1.0, noise_scale=0.0), batch.mask("frame")
    torch.testing.assert_close(made[real], expected[real])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_the_utterances_is_trained_on_without_its_text(share):
    model = learnt("diffusion", unconditioned=share).train()
    condition = torch.ones(200, 3, 4)
    assert model._dropped(condition).mean() == 1 - share
    assert torch.equal(model.eval()._dropped(condition), condition)


def test_what_is_dropped_is_dropped_of_whole_utterances():
    kept = build("diffusion").train()._dropped(torch.ones(4000, 3, 4))
    assert set(kept.mean((1, 2)).tolist()) == {0.0, 1.0}
    assert kept.mean().item() == pytest.approx(0.9, abs=0.02)


def test_places_between_noise_and_data_are_spread_evenly_over_a_batch():
    ((where, noise),) = build("diffusion")._random(torch.zeros(8, 3, 5))
    assert np.diff(np.sort(where.numpy())) == pytest.approx(1 / 8)
    assert noise.shape == (8, 3, 5)


def test_validation_does_not_depend_on_chance():
    model = trained("diffusion")
    losses = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        losses.append(model.loss(needed(model), 1.0)["denoising"].item())
    assert losses[0] == losses[1]


def test_the_refinement_has_no_gradient_for_the_coarse_mel():
    model = trained("diffusion").train()
    model.loss(needed(model), 0.0)["denoising"].backward()
    assert all(one.grad is None for one in model.generator.parameters())
    assert all(one.grad is not None for one in model.denoiser.parameters())


def test_a_decoder_of_one_pass_gives_all_weights_but_those_of_the_refinement():
    own, given = build("diffusion"), build("feedforward")
    assert isinstance(given, Feedforward)
    new = own.state_dict().keys() - given.state_dict().keys()
    assert {name.split(".")[0] for name in new} == {"condition", "denoiser"}


def test_the_coarse_mel_is_trained_alone_in_the_first_share_of_a_training():
    model = changed(build("diffusion"), refine_from=0.5)
    coarse = {"mel", "contour", "voicing"}
    assert model.loss(needed(model), 0.49).keys() == coarse
    assert model.loss(needed(model), 0.5).keys() == {*coarse, "denoising"}


def test_the_refinement_alone_is_trained_if_asked_for():
    model = changed(build("diffusion"), refine_only=True)
    model.prepare()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for _ in updates(model, [needed(model)], 3, 1e-2):
        pass
    moved = {name for name, value in model.state_dict().items() if not value.equal(before[name])}
    assert {name.split(".")[0] for name in moved} == {"condition", "denoiser"}
    assert model.loss(needed(model), 0.0).keys() == {"denoising"}
