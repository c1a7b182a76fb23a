"""The style of a recording: a vector for how it is spoken.

Shapes: B batch, H hidden channels, M mel bands, S channels of a style, T frames.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ttskit.networks.facts import Facts
from ttskit.networks.layers import Scale

LEFT_OUT = 0.3  # share of the utterances that are trained without their own style
DRAWN = 0.01  # how strongly styles are drawn to their mean, so that it is one of them


class Style(nn.Module):
    """Extracts a style from a mel; the mean of the styles in training stands for none."""

    def __init__(self, facts: Facts, channels: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.scale = Scale(facts.statistics, "mel", facts.n_mels)
        widths = [facts.n_mels, *[hidden] * layers]
        self.blocks = nn.ModuleList(Separable(a, hidden) for a in widths[:-1])
        self.leave = nn.Linear(2 * widths[-1], channels)
        self.mean = nn.Parameter(torch.zeros(channels))

    def forward(self, mel: Tensor, mask: Tensor) -> Tensor:
        """Return the style (B, S) of mels (B, T, M), with their mask (B, T) bool."""
        real = mask[..., None].float()
        x = self.scale(mel) * real
        for block in self.blocks:
            x = block(x, mask)
        frames = real.sum(1)
        mean = x.sum(1) / frames
        variance = ((x - mean[:, None]).square() * real).sum(1) / frames
        style: Tensor = self.leave(torch.cat([mean, (variance + 1e-5).sqrt()], 1))
        return style

    def usual(self, count: int) -> Tensor:
        """Return the mean style for each of `count` utterances, (B, S)."""
        return self.mean.expand(count, -1)

    def trained(self, mel: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return styles to train on (B, S), and how far each is from the mean, (B,).

        Some utterances are given the mean style instead of their own.
        """
        own = self(mel, mask)
        away = (own.detach() - self.mean).square() + DRAWN * (own - self.mean.detach()).square()
        if self.training:
            left_out = torch.rand(len(own), 1, device=own.device) < LEFT_OUT
            own = torch.where(left_out, self.usual(len(own)).to(own), own)
        return own, away.float().mean(1)


class Separable(nn.Module):
    """A depthwise convolution over frames, a pointwise one, a batch norm and ReLU."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(channels, channels, 5, padding=2, groups=channels)
        self.across = nn.Linear(channels, hidden)
        self.norm = nn.BatchNorm1d(hidden)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, C) and mask (B, T) bool -> (B, T, H), zero in the padding, which is ignored."""
        x = self.across(self.along(x.mT).mT)
        out = torch.zeros_like(x, dtype=torch.float32)
        out[mask] = self.norm(x[mask].float()).relu()
        return out
