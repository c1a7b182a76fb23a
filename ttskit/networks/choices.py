"""Heads of a pyramid: each offers candidates at the positions of a scale, and one is chosen.

Shapes: B batch, C channels, K candidates, L positions of a scale, P outputs (mel bands), T frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from ttskit.networks.candidates import Candidates
from ttskit.networks.convnext import MaskedConvNeXt
from ttskit.networks.layers import LayerNorm
from ttskit.networks.regions import Regions, regions

if TYPE_CHECKING:
    from ttskit.networks.pyramid import PyramidConfig


class Place(NamedTuple):
    """Where a choice is to be made, and what it is made from."""

    scale: int  # frames of a position
    head: Head
    features: Tensor  # (B, C, L)
    previous: Tensor  # (B, P, L), the prediction so far
    regions: Regions

    def logits(self) -> Tensor:
        """Return the logits of the prior, (B, K, L), the same in a region."""
        return self.regions.shared(self.head.logits(self.features, self.regions.mask))

    def expected(self) -> Tensor:
        """Return the mean of the candidates and of their leaks by the prior, (B, 2 P, L)."""
        weights = self.logits().softmax(1)
        return self.head.candidates.expected(self.features, self.previous, weights)


class Choice(NamedTuple):
    """The number of a candidate at each position, and how much of it is taken."""

    chosen: Tensor  # (B, L)
    counted: Tensor  # (B, L) bool, positions that the loss counts
    share: Tensor | None = None  # (B, L), of its difference from what the prior expects; or all


class Step(NamedTuple):
    """A choice, and the prediction after it."""

    place: Place
    chosen: Tensor  # (B, L), the number of a candidate
    counted: Tensor  # (B, L) bool, positions that the loss counts
    output: Tensor  # (B, P, L)
    leak: Tensor  # (B, P, L)


Choose = Callable[[Place], Choice]


class Grid:
    """The positions of one scale."""

    def __init__(self, config: PyramidConfig, scale: int, mask: Tensor, token: Tensor) -> None:
        """Divide frames with a mask (B, T), each of a token (B, T), into positions."""
        lengths = mask.sum(1, keepdim=True)
        at = torch.arange(-(-mask.shape[1] // scale), device=mask.device) * scale
        real = at < lengths
        middle = (at + scale // 2).minimum((lengths - 1).clamp_min(0))
        own = token.gather(1, middle)
        self.scale, self.real = scale, real[:, None].float()
        self.regions = regions(config.select, config.patch, real, own)

    def stretched(self, x: Tensor, ratio: int) -> Tensor:
        """Repeat positions (B, ., L) of a scale that is coarser by a ratio."""
        return x.repeat_interleave(ratio, 2)[..., : self.real.shape[2]] if ratio > 1 else x

    def joined(self, step: Step, output: Tensor) -> Tensor:
        """Return the prediction so far and the leak of the last choice, (B, 2 P, L)."""
        leak = self.stretched(step.leak, step.place.scale // self.scale)
        return torch.cat([output, leak], 1)


class Head(nn.Module):
    """Candidates, and a prior: how likely each is to be chosen, given what is known before."""

    def __init__(
        self, config: PyramidConfig, outputs: int, count: int, *, residual: bool = True
    ) -> None:
        super().__init__()
        self.norm = LayerNorm(config.channels)
        self.candidates = Candidates(config.channels, outputs, count, residual=residual)
        self.prior = Prior(config, count) if count > 1 else None

    def forward(self, features: Tensor, output: Tensor, grid: Grid, choose: Choose) -> Step:
        """Choose, given features (B, C, L) and the prediction so far (B, P, L)."""
        place = Place(grid.scale, self, self.norm(features) * grid.real, output, grid.regions)
        chosen, counted, share = choose(place)
        made = self.candidates(place.features, output, chosen)
        if share is not None:
            expected = place.expected()
            made = expected + share[:, None] * (made - expected)
        mel, leak = (made * grid.real).chunk(2, 1)
        return Step(place, chosen, counted, mel, leak)

    def logits(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return the logits of the candidates, (B, K, L), which teach the features nothing."""
        if self.prior is None:
            return features.new_zeros(len(features), 1, features.shape[2]).float()
        logits: Tensor = self.prior(features.detach(), mask[:, None].float()).float()
        return logits

    def rows(self) -> list[nn.Parameter]:
        """Return the weights that have a row for each candidate."""
        return [self.candidates.weight, *(self.prior.output.parameters() if self.prior else ())]


class Prior(nn.Module):
    """A block and a layer, from features (B, C, L) to logits (B, K, L)."""

    def __init__(self, config: PyramidConfig, count: int) -> None:
        super().__init__()
        self.block = MaskedConvNeXt(config.channels, config.kernel, config.dropout)
        self.norm = LayerNorm(config.channels)
        self.output = nn.Conv1d(config.channels, count, 1)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.output(self.norm(self.block(features, mask)))
        return logits
