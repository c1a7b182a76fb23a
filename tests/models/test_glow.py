"""Glow-TTS: exact inverses and determinants, its own alignment, and that it learns."""

from itertools import combinations

import numpy as np
import pytest
import torch

from tests.models.made import SMALL_ENCODER, batch, configured, idle, make, train
from ttskit.dsp.rounding import rounded
from ttskit.errors import SettingError
from ttskit.models import FAMILIES
from ttskit.models.glow import Glow
from ttskit.networks.invertible import Flow, FlowConfig, squeezed, unsqueezed
from ttskit.settings import changed

SMALL = {
    "encoder": SMALL_ENCODER,
    "flow": {"blocks": 2, "hidden": 12, "layers": 2, "kernel": 3, "dropout": 0.0},
    "speaker_channels": 4,
}


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


def test_is_found_by_name():
    assert FAMILIES["decoder"]["glow"] == Glow.__name__


def test_squeezing_puts_frames_after_one_another():
    x = torch.arange(12.0).reshape(1, 2, 6)
    assert squeezed(x, 2)[0].tolist() == [[0, 2, 4], [6, 8, 10], [1, 3, 5], [7, 9, 11]]
    assert torch.equal(unsqueezed(squeezed(x, 3), 3), x)


@pytest.mark.parametrize(
    "extra", [{}, {"mean_only": False}, {"coarse_layers": 1, "coarse_hidden": 8}, {"pitch": True}]
)
def test_every_weight_learns(two, extra):
    model = make(Glow, {**SMALL, **extra, "speaker_in_encoder": True})
    model.initialise(two)
    train(model, [two], 2)  # what starts at zero holds back the gradient of what is before it
    assert idle(model, two) == []


@pytest.mark.parametrize("extra", [{}, {"coarse_layers": 2, "coarse_hidden": 32}])
def test_overfits_two_utterances(two, extra):
    model = make(Glow, {**SMALL, **extra})
    model.initialise(two)
    before, _ = model.eval().watch(two)
    sums = train(model.train(), [two], 100)
    after, pictures = model.eval().watch(two)
    assert sums[-1] < sums[0] - 1.0
    assert after["mel_error"] < 0.4 * before["mel_error"]
    assert pictures["made"].values.shape == pictures["true"].values.shape == (8, 19)


def test_finds_durations_that_it_is_not_told():
    model = make(Glow, {**SMALL, "durations": "joint"})
    assert "durations" not in model.needs(model.config)
    batches = [batch(*[8] * 12, seed=seed) for seed in range(24)]
    held_out = batches.pop()
    model.initialise(batches[0])
    train(model, batches, 150)
    true = held_out["durations"]
    assert (model.eval().align(held_out) - true).abs().sum() < 0.15 * true.sum()
    assert model.watch(held_out)[1]["alignment"].values.sum() == true[0].sum()


def test_every_norm_gives_mean_0_and_deviation_1():
    flow = Flow(FlowConfig(blocks=3, hidden=8, layers=1), 4)
    x, mask = 5 * noise(3, 4, 20) + 2, torch.ones(3, 20).bool()
    mask[1, 12:] = False
    seen = []
    for block in flow.blocks:
        torch.nn.init.normal_(block.coupling.output.weight, std=0.1)
        block.norm.register_forward_hook(lambda *told: seen.append(told[2][0]))
    flow.initialise(x * mask[:, None], mask, None)
    assert len(seen) == 3
    for out in seen:
        real = out.mT[mask[:, ::2]]  # (steps, channels)
        assert real.mean(0).abs().max() < 1e-5
        assert (real.var(0, unbiased=False) - 1).abs().max() < 1e-4


def test_a_reloaded_model_does_not_start_again(trained):
    other = make(Glow, SMALL)
    other.load_state_dict(trained.state_dict())
    other.initialise(batch(7, 7, seed=3))
    for name, value in trained.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_the_flow_is_undone(trained, two):
    mel, real = trained._whole_steps(two)
    speaker = trained.speakers(two)[..., None]
    there, _ = trained.flow(mel, real, speaker)
    back = trained.flow.inverse(there, real, speaker)
    assert (there - mel).abs().max() > 0.1
    assert (back - mel).abs().max() < 1e-4


@pytest.mark.parametrize("squeeze", [1, 2])
def test_determinants_are_those_of_the_jacobian(squeeze):
    torch.manual_seed(1)
    flow = Flow(FlowConfig(blocks=2, squeeze=squeeze, hidden=6, layers=2, kernel=3), 4, 3).eval()
    flow.initialise(noise(2, 4, 8), torch.ones(2, 8).bool(), noise(2, 3, 1))
    for block in flow.blocks:
        torch.nn.init.normal_(block.coupling.output.weight, std=0.3)
        torch.nn.init.normal_(block.mixing.weight)
    x, mask, told = noise(1, 4, 4, seed=2), torch.ones(1, 4).bool(), noise(1, 3, 1)
    jacobian = torch.autograd.functional.jacobian(lambda x: flow(x, mask, told)[0].flatten(), x)
    _, expected = torch.linalg.slogdet(jacobian.reshape(16, 16))
    assert flow(x, mask, told)[1].item() == pytest.approx(expected.item(), abs=1e-4)


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


def test_padding_changes_nothing(trained):
    three = batch(9, 6, 8, seed=1)
    assert three.lengths["frame"].unique().numel() == 3
    ones = [three.only(row) for row in range(3)]
    frames = three.lengths["frame"]
    alone = torch.stack([trained.loss(one, 0)["likelihood"] for one in ones])
    expected = (alone * frames).sum() / frames.sum()
    assert trained.loss(three, 0)["likelihood"].item() == pytest.approx(expected.item(), rel=1e-4)
    together = trained.generate(three, noise_scale=0.0)["mel"]
    scores = trained.scores(three)
    for row, one in enumerate(ones):
        mel = trained.generate(one, noise_scale=0.0)["mel"][0]
        assert (together[row, : len(mel)] - mel).abs().max() < 1e-4
        assert not together[row, len(mel) :].any()
        own = trained.scores(one)[0]
        assert (scores[row, : own.shape[0], : own.shape[1]] - own).abs().max() < 1e-3


def test_chance_comes_from_the_generator(trained, two):
    def generate(seed, **knobs):
        return trained.generate(two, torch.Generator().manual_seed(seed), **knobs)["mel"]

    assert torch.equal(generate(1), generate(1))
    assert not torch.equal(generate(1), generate(2))
    assert torch.equal(generate(1, noise_scale=0.0), generate(2, noise_scale=0.0))


@pytest.mark.parametrize("odd", [0, 1])
def test_frames_are_the_sum_of_durations(trained, two, odd):
    durations = two["durations"].clone()
    durations[:, 1] += odd
    doubled = torch.from_numpy(np.stack([rounded(2.0 * row) for row in durations.numpy()]))
    for told in (durations, doubled * (durations > 0)):
        mel = trained.generate(two.with_fields(durations=told))["mel"]
        assert mel.shape == (2, told.sum(1).max(), 8)


def test_folding_changes_only_the_speed(trained, two):
    before = trained.generate(two, noise_scale=0.0)["mel"]
    trained.fold()
    with torch.inference_mode():
        after = trained.generate(two, noise_scale=0.0)["mel"]
    assert (before - after).abs().max() < 1e-4
    assert not any("parametrizations" in name for name in trained.state_dict())


def test_its_own_durations_are_the_likeliest(trained):
    short = batch(4, 3, seed=2)
    scores, found = trained.scores(short), trained.align(short)
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
        at = found[row, :tokens]
        assert at.sum() == frames
        path = torch.arange(tokens).repeat_interleave(at)
        assert float(score[torch.arange(frames), path].sum()) == pytest.approx(best, rel=1e-5)


def test_scores_are_densities(trained, two):
    one = two.only(0)
    mel, real = trained._whole_steps(one, up=True)
    place, _ = trained.flow(mel, real, trained.speakers(one)[..., None])
    mean = trained.prior(trained.encoder(one["tokens"], one.mask("token")))
    density = torch.distributions.Normal(mean[:, :, None], 1).log_prob(place[..., None]).sum(1)
    expected = density[:, : one["mel"].shape[1]]
    assert torch.allclose(trained.scores(one), expected, rtol=1e-4, atol=1e-3)


def test_a_mixture_of_speakers_lies_between_them(trained, two):
    pure = torch.eye(2)[two["speaker"]]
    given = trained.generate(two, noise_scale=0.0)["mel"]
    mixed = trained.generate(two.with_fields(speaker_mix=pure), noise_scale=0.0)["mel"]
    halves = trained.generate(two.with_fields(speaker_mix=0 * pure + 0.5), noise_scale=0.0)["mel"]
    assert torch.allclose(given, mixed, atol=1e-5)
    assert not torch.allclose(given, halves, atol=1e-3)


def test_one_speaker_needs_no_vector():
    model = make(Glow, SMALL, speakers=1)
    assert not any("speaker" in name for name, _ in model.named_parameters())


def test_half_precision_keeps_the_determinants(trained, two):
    exact = trained.loss(two, 0)["likelihood"]
    with torch.autocast("cpu", torch.bfloat16):
        rough = trained.loss(two, 0)["likelihood"]
        assert trained.scores(two).dtype == torch.float32
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(exact.item(), abs=0.02)


@pytest.mark.parametrize("preset", Glow.presets)
def test_presets_fit_the_config(preset):
    assert configured(Glow, preset)


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(SettingError, match="coarse_layers is 2, needs 0"):
        changed(Glow.Config(), {"durations": "joint", "coarse_layers": 2}, "test")
    with pytest.raises(SettingError, match="groups is 6, needs a divisor of 8 mels"):
        make(Glow, {**SMALL, "flow": {"groups": 6}})
    assert not Glow.aligns(changed(Glow.Config(), {"coarse_layers": 2}, "test"))
    assert Glow.aligns(Glow.Config())


def test_memory_grows_with_the_batch():
    model = make(Glow, SMALL)
    assert model.memory(8, {"frame": 400, "token": 100}) == 8 * model.memory(
        1, {"frame": 400, "token": 100}
    )
