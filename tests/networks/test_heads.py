"""Heads against their equations, and what each says of harmonics together."""

import math

import pytest
import torch

from ttskit.dsp.harmonic import audible, distribution
from ttskit.networks.heads import HEADS, Head, Levels, exp_sigmoid

F0 = torch.tensor([[900.0, 1500.0, 0.0]])  # at 16 kHz: 8, 5 and no harmonics of 10 are audible


def logits(seed=0):
    g = torch.Generator().manual_seed(seed)
    return Levels(*(torch.randn(*size, generator=g) for size in ((1, 3), (1, 3, 10), (1, 3, 6))))


def levels(mode, given):
    """What each harmonic sounds at, and the noise."""
    made = HEADS[mode](given, audible(F0, 10, 16000))
    return made.amplitude[..., None] * distribution(made.weights, F0, 16000), made.noise


def test_exp_sigmoid_has_the_values_of_its_equation():
    found = exp_sigmoid(torch.tensor([0.0, -5.0, 5.0, -200.0, 200.0], dtype=torch.double))
    s = [1 / (1 + math.exp(-x)) for x in (0, -5, 5)]
    assert found[:3].tolist() == pytest.approx([2 * one ** math.log(10) + 1e-7 for one in s])
    assert found[3:].tolist() == pytest.approx([1e-7, 2 + 1e-7])
    assert found[:3].tolist() == pytest.approx([0.405, 2e-5, 1.969], rel=2e-2)  # as published


def test_legacy_normalises_nothing():
    given = logits()
    found, noise = levels("legacy", given)
    wanted = torch.sigmoid(given.amplitude)[..., None] * torch.sigmoid(given.weights) / 10
    torch.testing.assert_close(found, wanted * audible(F0, 10, 16000))
    torch.testing.assert_close(noise, torch.sigmoid(given.noise - 5))


def test_a_softmax_is_over_what_is_audible():
    given = logits()
    found, noise = levels("softmax-db", given)
    amplitude = 10 ** ((80 * torch.sigmoid(given.amplitude) - 80) / 20)
    torch.testing.assert_close(
        found[0, 0, :8], amplitude[0, 0] * given.weights[0, 0, :8].softmax(0)
    )
    torch.testing.assert_close(
        found[0, 1, :5], amplitude[0, 1] * given.weights[0, 1, :5].softmax(0)
    )
    torch.testing.assert_close(20 * noise.log10(), 80 * torch.sigmoid(given.noise - 5) - 80)


@pytest.mark.parametrize(
    ("mode", "of"), [("normalized", torch.sigmoid), ("exp-sigmoid", exp_sigmoid)]
)
def test_weights_share_the_amplitude_out(mode, of):
    given = logits()
    found, noise = levels(mode, given)
    torch.testing.assert_close(found[0, :2].sum(-1), of(given.amplitude[0, :2]))
    torch.testing.assert_close(
        found[0, 0, 3] / found[0, 0, 5], of(given.weights[0, 0, 3]) / of(given.weights[0, 0, 5])
    )
    torch.testing.assert_close(noise, of(given.noise - 5))


@pytest.mark.parametrize("mode", HEADS)
def test_every_mode_is_finite_silent_beyond_half_the_rate_and_begins_with_little_noise(mode):
    for size in (0.0, 1e3, -1e3):
        given = Levels(*(torch.full_like(one, size).requires_grad_() for one in logits()))
        found, noise = levels(mode, given)
        assert not found[~audible(F0, 10, 16000)].any()
        assert (found >= 0).all()
        assert found.isfinite().all()
        (found.sum() + noise.sum()).backward()
        assert all(one.grad.isfinite().all() for one in given)
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
    assert torch.equal(head.entry.weight.grad.abs().sum(1) > 0, used)
