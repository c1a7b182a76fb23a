import math

import pytest
import torch

from ttskit.models.bigvgan import REACH, Smooth, Snake, lowpass


def tone(cycles, samples=400):
    """(1, 1, L) with so many cycles a sample."""
    return torch.sin(2 * torch.pi * cycles * torch.arange(samples))[None, None]


def test_what_an_activation_leaves_alone_comes_back_unmoved():
    smooth = Smooth(torch.nn.Identity())
    for cycles in (0.01, 0.1):
        x = tone(cycles)
        torch.testing.assert_close(smooth(x)[..., 20:-20], x[..., 20:-20], atol=0.01, rtol=0)


def test_an_activation_sees_no_further_than_it_is_said_to():
    x = torch.zeros(1, 1, 41, requires_grad=True)
    Smooth(torch.nn.Identity())(x)[0, 0, 20].backward()
    seen = x.grad[0, 0].nonzero()
    assert (seen.min(), seen.max()) == (20 - REACH, 20 + REACH)


def test_harmonics_above_half_the_rate_do_not_fold_back():
    """The fourth power of 0.2 cycles a sample reaches 0.8, which else folds to 0.2."""

    class Fourth(torch.nn.Module):
        def forward(self, x):
            return x**4

    x = tone(0.2) * torch.hann_window(400)
    made = x**4, Smooth(Fourth())(x)
    plain, smooth = (torch.fft.rfft(y)[0, 0, 80].abs() for y in made)
    assert smooth < 0.02 * plain


def test_a_snake_rises_and_waves():
    snake = Snake(1, separate=True)
    torch.nn.init.constant_(snake.log_alpha, 0.7)
    torch.nn.init.constant_(snake.log_beta, 0.3)
    x = torch.linspace(-2, 2, 9)[None, None]
    expected = x + torch.sin(math.exp(0.7) * x) ** 2 / math.exp(0.3)
    torch.testing.assert_close(snake(x), expected)


def test_a_plain_snake_has_one_number_a_channel():
    assert sum(p.numel() for p in Snake(5, separate=False).parameters()) == 5
    assert sum(p.numel() for p in Snake(5, separate=True).parameters()) == 10


def test_the_filter_halves_the_band():
    response = torch.fft.rfft(lowpass(12), 1000).abs()
    assert response[0] == pytest.approx(1)
    assert response[:100].min() > 0.9  # up to 0.1 cycles a sample
    assert response[430:].max() < 0.01  # half of the transition of 0.3 beyond 0.25
