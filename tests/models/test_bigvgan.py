import math

import pytest
import torch

from ttskit.models.bigvgan import REACH, AntiAliased, Snake, lowpass


def tone(cycles, samples=400):
    """A sine of a frequency in cycles per sample, (1, 1, L)."""
    return torch.sin(2 * torch.pi * cycles * torch.arange(samples))[None, None]


def test_an_identity_keeps_its_input_in_place():
    smooth = AntiAliased(torch.nn.Identity())
    for cycles in (0.01, 0.1):
        x = tone(cycles)
        torch.testing.assert_close(smooth(x)[..., 20:-20], x[..., 20:-20], atol=0.01, rtol=0)


def test_an_activation_depends_on_samples_within_its_reach():
    x = torch.zeros(1, 1, 41, requires_grad=True)
    AntiAliased(torch.nn.Identity())(x)[0, 0, 20].backward()
    assert x.grad is not None
    reached = x.grad[0, 0].nonzero()
    assert (reached.min(), reached.max()) == (20 - REACH, 20 + REACH)


def test_harmonics_above_half_the_rate_do_not_alias():
    """The fourth power of 0.2 cycles per sample has a component at 0.8, which aliases to 0.2."""

    class Fourth(torch.nn.Module):
        def forward(self, x):
            return x**4

    x = tone(0.2) * torch.hann_window(400)
    plain, smooth = (torch.fft.rfft(y)[0, 0, 80].abs() for y in (x**4, AntiAliased(Fourth())(x)))
    assert smooth < 0.02 * plain


def test_a_snake_is_its_formula():
    snake = Snake(1, separate=True)
    torch.nn.init.constant_(snake.log_alpha, 0.7)
    torch.nn.init.constant_(snake.log_beta, 0.3)
    x = torch.linspace(-2, 2, 9)[None, None]
    expected = x + torch.sin(math.exp(0.7) * x) ** 2 / math.exp(0.3)
    torch.testing.assert_close(snake(x), expected)


def test_a_snake_has_one_parameter_a_channel_and_snakebeta_two():
    assert sum(p.numel() for p in Snake(5, separate=False).parameters()) == 5
    assert sum(p.numel() for p in Snake(5, separate=True).parameters()) == 10


def test_the_filter_halves_the_band():
    response = torch.fft.rfft(lowpass(12), 1000).abs()
    assert response[0] == pytest.approx(1)
    assert response[:100].min() > 0.9  # up to 0.1 cycles a sample
    assert response[430:].max() < 0.01  # half of the transition of 0.3 beyond 0.25


def test_a_constant_stays_constant_up_to_the_edges():
    x = torch.full((1, 2, 40), 0.7)
    torch.testing.assert_close(AntiAliased(torch.nn.Identity())(x), x, atol=1e-3, rtol=0)
