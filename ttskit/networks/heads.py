"""Heads: from the states of a trunk to levels of harmonics and noise, in one of four modes.

==============  =================================================================================
mode            what it does
==============  =================================================================================
`legacy`        Each harmonic has its own gain, a sigmoid, with a sum of at most 1; an overall gain
                is a sigmoid too.  Nothing is normalised: gains can all shrink at once.
`normalized`    Amplitude and weights of harmonics are sigmoids; shares are normalised weights.
`softmax-db`    The amplitude is a sigmoid from -80 to 0 dB, shares are a softmax; noise is in dB
                as well.
`exp-sigmoid`   Amplitude and weights are exponential sigmoids from 0 to 2, which resolve small
                values finely (Engel et al., 2020, DDSP).
==============  =================================================================================

In all modes noise is nearly silent at the start of training: its logits are lowered by 5.

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
    """Levels of harmonics and noise, or their logits."""

    amplitude: Tensor  # (B, T), of all harmonics together
    weights: Tensor  # (B, T, K), which `dsp.harmonic.distribution` normalises to shares
    noise: Tensor  # (B, T, F), magnitudes


def exp_sigmoid(x: Tensor) -> Tensor:
    """Return a sigmoid from 1e-7 to 2 that is nearly exponential below 0."""
    return 2 * (math.log(10) * F.logsigmoid(x)).exp() + 1e-7


def decibels(x: Tensor) -> Tensor:
    """Return gains from -80 to 0 dB: a sigmoid in decibels."""
    return 10 ** (QUIETEST / 20 * torch.sigmoid(-x))


def legacy(logits: Levels, audible: Tensor) -> Levels:
    """Return independent gains; the amplitude is their sum over audible harmonics."""
    gains = torch.sigmoid(logits.weights) * audible / audible.shape[-1]
    amplitude = torch.sigmoid(logits.amplitude) * gains.sum(-1)
    return Levels(amplitude, gains, torch.sigmoid(logits.noise + NOISE_BIAS))


def normalized(logits: Levels, audible: Tensor) -> Levels:
    """Return sigmoids of all logits."""
    amplitude, weights, noise = logits
    return Levels(
        torch.sigmoid(amplitude),
        torch.sigmoid(weights) * audible,
        torch.sigmoid(noise + NOISE_BIAS),
    )


def softmax_db(logits: Levels, audible: Tensor) -> Levels:
    """Return shares by a softmax over audible harmonics; amplitude and noise from decibels."""
    amplitude, weights, noise = logits
    shares = weights.masked_fill(~audible, -1e4).softmax(-1) * audible
    return Levels(decibels(amplitude), shares, decibels(noise + NOISE_BIAS))


def exp_sigmoids(logits: Levels, audible: Tensor) -> Levels:
    """Return `exp_sigmoid` of all logits."""
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
    """A linear layer from states to logits, and the activation of a mode."""

    def __init__(self, mode: str, channels: int, harmonics: int, bands: int) -> None:
        super().__init__()
        self.sizes = 1, harmonics, bands
        self.entry = nn.Linear(channels, sum(self.sizes))
        self.activate = HEADS[mode]

    def logits(self, states: Tensor) -> Levels:
        """Return the logits of states (B, T, channels)."""
        amplitude, weights, noise = self.entry(states).float().split(self.sizes, -1)
        return Levels(amplitude[..., 0], weights, noise)

    def forward(self, states: Tensor, audible: Tensor) -> Levels:
        """Return the levels of states (B, T, channels), given audible harmonics (B, T, K) bool."""
        return self.activate(self.logits(states), audible)
