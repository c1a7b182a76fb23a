"""Regions: the positions of a scale that share one choice.

Shapes: B batch, C channels, L positions of a scale, R regions of an utterance.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

SELECTIONS = ("frame", "patch", "segment", "utterance")


class Regions:
    """Neighbouring positions that choose together.

    Attributes
    ----------
    mask : (B, L) bool
        False in the padding.
    starts : (B, L) bool
        The first position of each region.
    alone : bool
        Whether every position is a region of its own.
    """

    def __init__(self, mask: Tensor, starts: Tensor, *, alone: bool = False) -> None:
        self.mask, self.starts, self.alone = mask, starts & mask, alone

    @cached_property
    def number(self) -> Tensor:
        """The region of each position, from 0, (B, L)."""
        return (self.starts.cumsum(1) - 1).clamp_min(0)

    @cached_property
    def counts(self) -> Tensor:
        """The regions of each utterance, (B,)."""
        return self.starts.sum(1)

    def shared(self, x: Tensor) -> Tensor:
        """Return the mean of x (B, C, L) over its region, at each position."""
        if self.alone:
            return x
        number = self.number[:, None].expand_as(x)
        weights = self.mask[:, None].to(x)
        sums = torch.zeros_like(x).scatter_add(2, number, x * weights)
        sizes = torch.zeros_like(x).scatter_add(2, number, weights.expand_as(x)).clamp_min(1)
        return (sums / sizes).gather(2, number)

    def spread(self, values: Tensor) -> Tensor:
        """Return values of regions (B, ..., R), at each position (B, ..., L)."""
        if self.alone:
            return values
        number = self.number.view(len(values), *[1] * (values.dim() - 2), -1)
        return values.gather(-1, number.expand(*values.shape[:-1], -1))

    def gathered(self, values: Tensor) -> list[Tensor]:
        """Return the values (R,) of the regions of each utterance, of values (B, L)."""
        return [row[starts] for row, starts in zip(values, self.starts, strict=True)]


def regions(selection: str, patch: int, mask: Tensor, token: Tensor) -> Regions:
    """Return the regions of a scale.

    Parameters
    ----------
    selection : str
        `frame`: each position alone; `patch`: every `patch` positions; `segment`: those of a
        token; `utterance`: all.
    patch : int
        Positions of a patch.
    mask : (B, L) bool
    token : (B, L) int
        The token of each position.
    """
    at = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    if selection == "frame" or (selection == "patch" and patch == 1):
        return Regions(mask, mask, alone=True)
    if selection == "segment":
        return Regions(mask, F.pad(token.diff(dim=1) != 0, (1, 0), value=True))
    return Regions(mask, at % patch == 0 if selection == "patch" else at == 0)
