"""From what a trunk says to controls of harmonics and noise: four ways, to compare.

==============  =================================================================================
mode            what it does
==============  =================================================================================
`legacy`        Each harmonic has a gain of its own, a sigmoid, all together at most 1, times an
                overall gain, a sigmoid too.  Nothing is normalised: gains can all shrink at once.
`normalized`    An amplitude, a sigmoid, is shared out by weights that are sigmoids.
`softmax-db`    An amplitude from -80 to 0 dB, along a sigmoid, is shared out by a softmax; noise
                is in decibels too.
`exp-sigmoid`   An amplitude from 0 to 2, small ones finely resolved, is shared out by weights of
                the same kind (Engel et al., 2020, DDSP).
==============  =================================================================================

Noise begins near nothing in all: its logits are lowered by 5.

B batch, T frames, K harmonics, F bands of noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NOISE_BIAS = -5.0
QUIETEST = -80.0  # dB


class Levels(NamedTuple):
    """What is sounded, or the logits of it."""

    amplitude: Tensor  # (B, T), of all harmonics together
    weights: Tensor  # (B, T, K), by which `dsp.harmonic.distribution` shares it out
    noise: Tensor  # (B, T, F), magnitudes


def exp_sigmoid(x: Tensor) -> Tensor:
    """A sigmoid from 0 to 2 that is nearly exponential below 0, and never quite 0."""
    return 2 * (math.log(10) * F.logsigmoid(x)).exp() + 1e-7


def decibels(x: Tensor) -> Tensor:
    """From -80 to 0 dB along a sigmoid, as a factor."""
    return 10 ** (QUIETEST / 20 * torch.sigmoid(-x))


def legacy(logits: Levels, audible: Tensor) -> Levels:
    """Gains of their own; the amplitude is their sum over what is audible."""
    gains = torch.sigmoid(logits.weights) * audible / audible.shape[-1]
    amplitude = torch.sigmoid(logits.amplitude) * gains.sum(-1)
    return Levels(amplitude, gains, torch.sigmoid(logits.noise + NOISE_BIAS))


def normalized(logits: Levels, audible: Tensor) -> Levels:
    """Sigmoids."""
    amplitude, weights, noise = logits
    return Levels(
        torch.sigmoid(amplitude),
        torch.sigmoid(weights) * audible,
        torch.sigmoid(noise + NOISE_BIAS),
    )


def softmax_db(logits: Levels, audible: Tensor) -> Levels:
    """A softmax over what is audible; decibels."""
    amplitude, weights, noise = logits
    shares = weights.masked_fill(~audible, -1e4).softmax(-1) * audible
    return Levels(decibels(amplitude), shares, decibels(noise + NOISE_BIAS))


def exp_sigmoids(logits: Levels, audible: Tensor) -> Levels:
    """`exp_sigmoid` of all."""
    amplitude, weights, noise = logits
    return Levels(
        exp_sigmoid(amplitude), exp_sigmoid(weights) * audible, exp_sigmoid(noise + NOISE_BIAS)
    )


HEADS: Mapping[str, Callable[[Levels, Tensor], Levels]] = {
    "legacy": legacy,
    "normalized": normalized,
    "softmax-db": softmax_db,
    "exp-sigmoid": exp_sigmoids,
}


class Head(nn.Module):
    """States of a trunk in, controls out."""

    def __init__(self, mode: str, channels: int, harmonics: int, bands: int) -> None:
        super().__init__()
        self.sizes = 1, harmonics, bands
        self.entry = nn.Linear(channels, sum(self.sizes))
        self.activate = HEADS[mode]

    def logits(self, states: Tensor) -> Levels:
        """States (B, T, channels) to what `activate` takes, with (B, T, K) of `audible`."""
        amplitude, weights, noise = self.entry(states).float().split(self.sizes, -1)
        return Levels(amplitude[..., 0], weights, noise)

    def forward(self, states: Tensor, audible: Tensor) -> Levels:
        """(B, T, channels), and which harmonics are audible, (B, T, K) bool."""
        return self.activate(self.logits(states), audible)
