"""Heads against their equations."""

import math

import pytest
import torch

from ttskit.dsp.harmonic import audible, distribution
from ttskit.networks.heads import HEADS, Head, Levels, exp_sigmoid

F0 = torch.tensor([[900.0, 1500.0, 0.0]])  # at 16 kHz: 8, 5 and no harmonics of 10 are audible


def logits(seed=0):
    g = torch.Generator().manual_seed(seed)
    return Levels(*(torch.randn(*size, generator=g) for size in ((1, 3), (1, 3, 10), (1, 3, 6))))


def levels(mode, raw):
    """The gains of harmonics and noise."""
    activated = HEADS[mode](raw, audible(F0, 10, 16000))
    return activated.amplitude[..., None] * distribution(
        activated.weights, F0, 16000
    ), activated.noise


def test_exp_sigmoid_has_the_values_of_its_equation():
    gains = exp_sigmoid(torch.tensor([0.0, -5.0, 5.0, -200.0, 200.0], dtype=torch.double))
    s = [1 / (1 + math.exp(-x)) for x in (0, -5, 5)]
    assert gains[:3].tolist() == pytest.approx([2 * one ** math.log(10) + 1e-7 for one in s])
    assert gains[3:].tolist() == pytest.approx([1e-7, 2 + 1e-7])
    assert gains[:3].tolist() == pytest.approx([0.405, 2e-5, 1.969], rel=2e-2)  # as published


def test_legacy_gains_are_not_normalised():
    raw = logits()
    gains, noise = levels("legacy", raw)
    wanted = torch.sigmoid(raw.amplitude)[..., None] * torch.sigmoid(raw.weights) / 10
    torch.testing.assert_close(gains, wanted * audible(F0, 10, 16000))
    torch.testing.assert_close(noise, torch.sigmoid(raw.noise - 5))


def test_the_softmax_is_over_audible_harmonics():
    raw = logits()
    gains, noise = levels("softmax-db", raw)
    amplitude = 10 ** ((80 * torch.sigmoid(raw.amplitude) - 80) / 20)
    torch.testing.assert_close(gains[0, 0, :8], amplitude[0, 0] * raw.weights[0, 0, :8].softmax(0))
    torch.testing.assert_close(gains[0, 1, :5], amplitude[0, 1] * raw.weights[0, 1, :5].softmax(0))
    torch.testing.assert_close(20 * noise.log10(), 80 * torch.sigmoid(raw.noise - 5) - 80)


@pytest.mark.parametrize(
    ("mode", "of"), [("normalized", torch.sigmoid), ("exp-sigmoid", exp_sigmoid)]
)
def test_shares_of_the_amplitude_are_normalised_weights(mode, of):
    raw = logits()
    gains, noise = levels(mode, raw)
    torch.testing.assert_close(gains[0, :2].sum(-1), of(raw.amplitude[0, :2]))
    torch.testing.assert_close(
        gains[0, 0, 3] / gains[0, 0, 5], of(raw.weights[0, 0, 3]) / of(raw.weights[0, 0, 5])
    )
    torch.testing.assert_close(noise, of(raw.noise - 5))


@pytest.mark.parametrize("mode", HEADS)
def test_gains_are_finite_and_0_above_half_the_rate_and_noise_starts_low(mode):
    for size in (0.0, 1e3, -1e3):
        raw = Levels(*(torch.full_like(one, size).requires_grad_() for one in logits()))
        gains, noise = levels(mode, raw)
        assert not gains[~audible(F0, 10, 16000)].any()
        assert (gains >= 0).all()
        assert gains.isfinite().all()
        (gains.sum() + noise.sum()).backward()
        assert all(one.grad is not None and one.grad.isfinite().all() for one in raw)
    assert levels(mode, Levels(*map(torch.zeros_like, logits())))[1].max() < 0.01


@pytest.mark.parametrize("mode", HEADS)
def test_every_parameter_of_a_head_gets_a_gradient(mode):
    torch.manual_seed(0)
    head = Head(mode, 7, 10, 6)
    amplitude, weights, noise = head(torch.randn(1, 3, 7), audible(F0, 10, 16000))
    assert [one.shape for one in (amplitude, weights, noise)] == [(1, 3), (1, 3, 10), (1, 3, 6)]
    (amplitude.sum() + weights.square().sum() + noise.sum()).backward()
    used = torch.ones(17, dtype=torch.bool)
    used[9:11] = False  # the ninth and tenth harmonic are never audible
    assert head.entry.weight.grad is not None
    assert torch.equal(head.entry.weight.grad.abs().sum(1) > 0, used)
