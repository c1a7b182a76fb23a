"""A refiner: a small U-Net over frames that goes on from the last choice of a pyramid.

Shapes: B batch, C channels, T frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ttskit.networks.choices import Choose, Grid, Head, Step
from ttskit.networks.convnext import MaskedConvNeXt
from ttskit.networks.scales import averaged, coarser

if TYPE_CHECKING:
    from ttskit.networks.pyramid import PyramidConfig


class Refiner(nn.Module):
    """A U-Net over frames, repeated: each time it is told how often, and ends in a choice."""

    def __init__(self, config: PyramidConfig, outputs: int) -> None:
        super().__init__()
        self.times = config.refine
        self.entry = nn.Conv1d(2 * outputs + 1, config.channels, 1)
        self.down, self.up = (
            nn.ModuleList(
                MaskedConvNeXt(config.channels, config.kernel, config.dropout) for _ in range(3)
            )
            for _ in range(2)
        )
        self.head = Head(config, outputs, config.refine_candidates)

    def forward(
        self, features: Tensor, steps: list[Step], grid: Grid, choose: Choose
    ) -> list[Step]:
        """Return the steps, and those of the refiner after them."""
        for time in torch.linspace(-1, 1, self.times).tolist():
            output = steps[-1].output
            told = torch.full_like(output[:, :1], time)
            entry = self.entry(torch.cat([grid.joined(steps[-1], output), told], 1))
            features = self.network((features + entry) * grid.real, grid.real)
            steps.append(self.head(features, output, grid, choose))
        return steps

    def network(self, x: Tensor, real: Tensor) -> Tensor:
        """x (B, C, T) and mask (B, 1, T) -> (B, C, T), by way of half and quarter of the rate."""
        skips = []
        for number, layer in enumerate(self.down):
            if number:
                x, mask = averaged(x, real[:, 0] > 0, 2), coarser(real[:, 0] > 0, 2)
                real = mask[:, None].float()
            x = layer(x, real)
            skips.append((x, real))
        for number, layer in enumerate(self.up):
            skip, real = skips[-1 - number]
            x = skip if not number else x.repeat_interleave(2, 2)[..., : skip.shape[2]] + skip
            x = layer(x * real, real)
        return x
