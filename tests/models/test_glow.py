"""Glow-TTS: exact inverses and determinants, and its own alignment."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from tests.models.synthetic import batch, facts
from tests.models.tiny_models import TINY, make, train
from ttskit.dsp.rounding import rounded
from ttskit.errors import SettingError
from ttskit.models.glow import Glow
from ttskit.networks.invertible import Flow, FlowConfig, squeezed, unsqueezed
from ttskit.networks.layers import places
from ttskit.settings import changed

SMALL = {**TINY["glow"], "speaker_in_encoder": False}


@pytest.fixture
def two():
    return batch(9, 6)


@pytest.fixture
def trained(two):
    model = make(Glow, SMALL)
    model.initialise(two)
    train(model, [two], 5)
    return model.eval()


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_squeezing_moves_consecutive_frames_into_the_channels():
    x = torch.arange(12.0).reshape(1, 2, 6)
    assert squeezed(x, 2)[0].tolist() == [[0, 2, 4], [6, 8, 10], [1, 3, 5], [7, 9, 11]]
    assert torch.equal(unsqueezed(squeezed(x, 3), 3), x)


def test_joint_training_finds_durations():
    model = make(Glow, {**SMALL, "durations": "joint"})
    assert "durations" not in model.needs(model.config)
    batches = [batch(*[8] * 12, seed=seed) for seed in range(24)]
    validation = batches.pop()
    model.initialise(batches[0])
    train(model, batches, 150)
    true = validation["durations"]
    assert (model.eval().align(validation) - true).abs().sum() < 0.15 * true.sum()
    assert model.watch(validation)[1]["alignment"].values.sum() == true[0].sum()


JOINT = {**SMALL, "durations": "joint", "predict_durations": True}


def test_joint_training_learns_to_predict_durations():
    """They are nearer than the mean of all, though an unseen alignment is found, too."""
    model = make(Glow, {**JOINT, "predictor": {"hidden": 16, "dropout": 0.0}})
    batches = [batch(*[8] * 12, seed=seed) for seed in range(24)]
    validation = batches.pop()
    model.initialise(batches[0])
    train(model, batches, 150)
    tokens = replace(validation, fields={n: validation[n] for n in ("tokens", "speaker")})
    predicted = model.eval().generate(tokens)["durations"]
    true = validation["durations"].float()
    assert (predicted - true).abs().sum() < 0.6 * (true.mean() - true).abs().sum()


def test_predicting_durations_teaches_the_encoder_nothing(two):
    model = make(Glow, JOINT)
    model.loss(two, 1.0)["durations"].backward()
    assert all(p.grad is None for p in model.encoder.parameters())
    assert all(p.grad is not None for p in model.durations.parameters())


def test_the_error_of_durations_is_that_of_their_logarithms(two):
    """For a predictor that always says e frames; a silent token without frames counts as half."""
    two, model = two.only(1), make(Glow, JOINT).eval()  # the one with whole steps of the flow
    torch.nn.init.zeros_(model.durations.value.weight)
    torch.nn.init.ones_(model.durations.value.bias)
    error = model.loss(two, 1.0)["durations"].item()
    logs = [np.log(max(frames, 0.5)) for frames in model.align(two)[0].tolist()]
    assert error == pytest.approx(np.mean([(1 - log) ** 2 for log in logs]), rel=1e-4)


def test_initialisation_makes_every_norm_give_mean_0_and_deviation_1():
    flow = Flow(FlowConfig(blocks=3, hidden=8, layers=1), 4)
    x, mask = 5 * noise(3, 4, 20) + 2, torch.ones(3, 20).bool()
    mask[1, 12:] = False
    seen = []
    for block in flow.blocks:
        torch.nn.init.normal_(block.coupling.output.weight, std=0.1)
        block.norm.register_forward_hook(lambda *call: seen.append(call[2][0]))
    flow.initialise(x * mask[:, None], mask, None)
    assert len(seen) == 3
    for out in seen:
        real = out.mT[mask[:, ::2]]  # (steps, channels)
        assert real.mean(0).abs().max() < 1e-5
        assert (real.var(0, unbiased=False) - 1).abs().max() < 1e-4


def test_a_reloaded_model_is_not_initialised_again(trained):
    other = make(Glow, SMALL)
    other.load_state_dict(trained.state_dict())
    other.initialise(batch(7, 7, seed=3))
    for name, value in trained.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_the_flow_is_inverted(trained, two):
    mel, real = trained._whole_steps(two)
    speaker = trained.speakers(two)[..., None]
    there, _ = trained.flow(mel, real, speaker)
    back = trained.flow.inverse(there, real, speaker)
    assert (there - mel).abs().max() > 0.1
    assert (back - mel).abs().max() < 1e-4


@pytest.mark.parametrize("squeeze", [1, 2])
def test_log_determinants_are_those_of_the_jacobian(squeeze):
    torch.manual_seed(1)
    flow = Flow(FlowConfig(blocks=2, squeeze=squeeze, hidden=6, layers=2, kernel=3), 4, 3).eval()
    flow.initialise(noise(2, 4, 8), torch.ones(2, 8).bool(), noise(2, 3, 1))
    for block in flow.blocks:
        torch.nn.init.normal_(block.coupling.output.weight, std=0.3)
        torch.nn.init.normal_(block.mixing.weight)
    x, mask, condition = noise(1, 4, 4, seed=2), torch.ones(1, 4).bool(), noise(1, 3, 1)
    jacobian = torch.autograd.functional.jacobian(
        lambda x: flow(x, mask, condition)[0].flatten(), x
    )
    _, expected = torch.linalg.slogdet(jacobian.reshape(16, 16))
    assert flow(x, mask, condition)[1].item() == pytest.approx(expected.item(), abs=1e-3)


def test_the_loss_is_the_density_of_the_mel(trained, two):
    """Against the change of variables, utterance by utterance with the Jacobian itself."""
    one = two.only(1)
    mel, real = trained._whole_steps(one)
    speaker = trained.speakers(one)[..., None]
    jacobian = torch.autograd.functional.jacobian(
        lambda x: trained.flow(x, real, speaker)[0].flatten(), mel
    )
    _, volume = torch.linalg.slogdet(jacobian.reshape(mel.numel(), -1))
    mean = trained.prior(trained.encoder(one["tokens"], one.mask("token")))[0].T  # (N, C)
    mean = mean.repeat_interleave(one["durations"][0], 0)[: mel.shape[2]].T
    density = torch.distributions.Normal(mean, 1).log_prob(trained.flow(mel, real, speaker)[0][0])
    expected = -(density.sum() + volume) / one["mel"].numel()
    assert trained.loss(one, 0)["likelihood"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_likelihood_has_no_gradient_for_the_coarse_mel(two):
    model = make(Glow, {**SMALL, "coarse_layers": 1, "coarse_hidden": 8})
    model.initialise(two)
    train(model, [two], 3)
    terms = model.loss(two, 0.5)
    learned = {}
    for name, term in terms.items():
        model.zero_grad()
        term.backward(retain_graph=True)
        learned[name] = {
            part
            for part in ("coarse", "flow")
            if any(p.grad is not None and p.grad.any() for p in getattr(model, part).parameters())
        }
    assert learned == {"likelihood": {"flow"}, "coarse": {"coarse"}}


def test_noise_is_as_wide_as_the_gaussians_of_the_tokens(two):
    """Through a flow that does nothing, mels deviate as the prior and the noise scale say."""
    model = make(Glow, {**SMALL, "mean_only": False}).eval()
    with torch.no_grad():
        for block in model.flow.blocks:
            block.mixing.weight.copy_(torch.eye(4))
        model.prior.weight.zero_()
        model.prior.bias.copy_(torch.cat([torch.full((8,), 0.3), torch.full((8,), math.log(2.0))]))
        mels = [
            model.scale(model.generate(two, seeded, noise_scale=0.5)["mel"])[two.mask("frame")]
            for seeded in (torch.Generator().manual_seed(seed) for seed in range(40))
        ]
    values = torch.stack(mels)  # (seeds, frames, C)
    assert values.mean().item() == pytest.approx(0.3, abs=0.05)
    assert values.std(0).mean().item() == pytest.approx(0.5 * 2.0, rel=0.05)


def test_places_go_from_the_start_of_a_token_to_its_end():
    durations = torch.tensor([[2, 0, 4]])
    token = torch.tensor([[0, 0, 2, 2, 2, 2, 2]])  # the last frame is padding
    since, left, lasts = places(durations, token)[0]
    assert since[:6].tolist() == [0.25, 0.75, 0.125, 0.375, 0.625, 0.875]
    assert left[:6].tolist() == [0.75, 0.25, 0.875, 0.625, 0.375, 0.125]
    expected = torch.tensor([2, 2, 4, 4, 4, 4]).log1p() / 3
    torch.testing.assert_close(lasts[:6], expected)


def test_the_seed_matters_unless_the_noise_scale_is_zero(trained, two):
    def generate(seed, **knobs):
        return trained.generate(two, torch.Generator().manual_seed(seed), **knobs)["mel"]

    assert not torch.equal(generate(1), generate(2))
    assert torch.equal(generate(1, noise_scale=0.0), generate(2, noise_scale=0.0))


@pytest.mark.parametrize("odd", [0, 1])
def test_frames_are_the_sum_of_durations(trained, two, odd):
    durations = two["durations"].clone()
    durations[:, 1] += odd
    doubled = torch.from_numpy(np.stack([rounded(2.0 * row) for row in durations.numpy()]))
    for changed_durations in (durations, doubled * (durations > 0)):
        mel = trained.generate(two.with_fields(durations=changed_durations))["mel"]
        assert mel.shape == (2, changed_durations.sum(1).max(), 8)


def test_align_finds_the_likeliest_durations(trained):
    short = batch(4, 3, seed=2)
    scores, durations = trained.scores(short), trained.align(short)
    for row in range(2):
        one = short.only(row)
        frames, tokens = one["mel"].shape[1], one["tokens"].shape[1]
        score = scores[row, :frames, :tokens]
        optional = trained.silent[one["tokens"][0]]
        best = -torch.inf
        for cuts in combinations(range(frames + tokens - 1), tokens - 1):
            counts = np.diff([-1, *cuts, frames + tokens - 1]) - 1
            if (counts[~optional.numpy()] > 0).all():
                at = np.repeat(np.arange(tokens), counts)
                best = max(best, float(score[torch.arange(frames), at].sum()))
        own = durations[row, :tokens]
        assert own.sum() == frames
        path = torch.arange(tokens).repeat_interleave(own)
        assert float(score[torch.arange(frames), path].sum()) == pytest.approx(best, rel=1e-5)


def test_alignment_scores_are_log_densities(trained, two):
    one = two.only(0)
    mel, real = trained._whole_steps(one, up=True)
    place, _ = trained.flow(mel, real, trained.speakers(one)[..., None])
    mean = trained.prior(trained.encoder(one["tokens"], one.mask("token")))
    density = torch.distributions.Normal(mean[:, :, None], 1).log_prob(place[..., None]).sum(1)
    expected = density[:, : one["mel"].shape[1]]
    assert torch.allclose(trained.scores(one), expected, rtol=1e-4, atol=1e-3)


def test_a_mixture_of_one_speaker_is_that_speaker(trained, two):
    pure = torch.eye(2)[two["speaker"]]
    own = trained.generate(two, noise_scale=0.0)["mel"]
    mixed = trained.generate(two.with_fields(speaker_mix=pure), noise_scale=0.0)["mel"]
    halves = trained.generate(two.with_fields(speaker_mix=0 * pure + 0.5), noise_scale=0.0)["mel"]
    assert torch.allclose(own, mixed, atol=1e-5)
    assert not torch.allclose(own, halves, atol=1e-3)


def test_a_single_speaker_has_no_embedding():
    model = make(Glow, SMALL, facts(speakers=1))
    assert not any("speaker" in name for name, _ in model.named_parameters())


def test_half_precision_keeps_the_determinants(trained, two):
    exact = trained.loss(two, 0)["likelihood"]
    with torch.autocast("cpu", torch.bfloat16):
        rough = trained.loss(two, 0)["likelihood"]
        assert trained.scores(two).dtype == torch.float32
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), abs=0.02)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(SettingError, match="coarse_layers is 2, needs 0"):
        changed(Glow.Config(), {"durations": "joint", "coarse_layers": 2}, "test")
    with pytest.raises(SettingError, match="predict_durations needs durations to be joint"):
        changed(Glow.Config(), {"predict_durations": True}, "test")
    with pytest.raises(SettingError, match="groups is 6, needs a divisor of 8 mels"):
        make(Glow, {**SMALL, "flow": {"groups": 6}})
    assert not Glow.aligns(changed(Glow.Config(), {"coarse_layers": 2}, "test"))
    assert Glow.aligns(Glow.Config())
