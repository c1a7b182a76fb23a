"""Blocks of ConvNeXt (Liu et al., 2022) along time: a convolution of each channel over frames, a
norm, and two layers over the channels of each frame.

There are two, because the layers of model files differ in names and shapes: `ConvNeXt` has linear
layers and a learned scale, `MaskedConvNeXt` has convolutions of width 1, dropout and a mask.

Shapes: B batch, C channels, T frames.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.networks.layers import LayerNorm


class ConvNeXt(nn.Module):
    """A block on frames without padding, (B, T, C) -> (B, T, C)."""

    def __init__(self, channels: int, hidden: int, kernel: int, scale: float) -> None:
        super().__init__()
        self.along = depthwise(channels, kernel)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.across = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
        )
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.across(self.norm(self.along(x.mT).mT))
        return x + self.scale * change


class MaskedConvNeXt(nn.Module):
    """A block on padded frames, (B, C, T) -> (B, C, T)."""

    def __init__(self, channels: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.along = depthwise(channels, kernel)
        self.norm = LayerNorm(channels)
        self.up = nn.Conv1d(channels, 2 * channels, 1)
        self.down = nn.Conv1d(2 * channels, channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, modulation: Tensor | None = None) -> Tensor:
        """x (B, C, T) and mask (B, 1, T) -> (B, C, T), zero in the padding.

        The modulation (B, 2C) is what the normalised values are scaled by, beyond 1, and shifted
        by (FiLM).
        """
        normal = self.norm(self.along(x))
        if modulation is not None:
            scale, shift = modulation[..., None].chunk(2, 1)
            normal = (1 + scale) * normal + shift
        change = self.down(F.gelu(self.up(normal)))
        return (x + self.dropout(change)) * mask


class Stack(nn.Module):
    """Masked blocks, from (B, inputs, T) to (B, outputs, T)."""

    def __init__(self, inputs: int, hidden: int, layers: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.entry = nn.Conv1d(inputs, hidden, 1)
        self.layers = nn.ModuleList(MaskedConvNeXt(hidden, 7, dropout) for _ in range(layers))
        self.last = LayerNorm(hidden)
        self.output = nn.Conv1d(hidden, outputs, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, inputs, T) and mask (B, 1, T) -> (B, outputs, T), zero in the padding."""
        outputs: Tensor = self.output(self.states(x, mask)) * mask
        return outputs

    def states(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return what the output is computed from, (B, hidden, T)."""
        x = self.entry(x) * mask
        for layer in self.layers:
            x = layer(x, mask)
        states: Tensor = self.last(x) * mask
        return states


def depthwise(channels: int, kernel: int) -> nn.Conv1d:
    """Return a convolution of each channel by itself that keeps the length."""
    return nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
