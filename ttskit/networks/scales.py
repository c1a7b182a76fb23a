"""Time scales: means of neighbouring positions, and where in an utterance they are.

Shapes: B batch, C channels, L positions of a scale, T frames.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

PERIODS = 8  # of the sines that say where in an utterance a frame is: 16, 32, 64 ... frames
POSITIONS = 2 * PERIODS + 2  # numbers that say it


def averaged(x: Tensor, mask: Tensor, ratio: int) -> Tensor:
    """Return the means of every `ratio` positions of x (B, C, L), without the padding."""
    if ratio == 1:
        return x * mask[:, None]
    weights = _grouped(mask[:, None].to(x), ratio)
    return (_grouped(x, ratio) * weights).sum(3) / weights.sum(3).clamp_min(1)


def coarser(mask: Tensor, ratio: int) -> Tensor:
    """Return the mask (B, L) of every `ratio` positions of a mask."""
    return _grouped(mask, ratio).any(-1)


def _grouped(x: Tensor, ratio: int) -> Tensor:
    """Return x (..., L) in groups of `ratio`, (..., groups, ratio), the last one padded by 0."""
    padded = F.pad(x, (0, -x.shape[-1] % ratio))
    return padded.reshape(*x.shape[:-1], -1, ratio)


def positions(mask: Tensor) -> Tensor:
    """Return where in its utterance each frame of a mask (B, T) is, (B, POSITIONS, T).

    As sines and cosines of several periods, and as a share from the start and from the end.
    """
    at = torch.arange(mask.shape[1], device=mask.device) + 0.5
    periods = 16 * 2.0 ** torch.arange(PERIODS, device=mask.device)
    angles = (2 * math.pi * at / periods[:, None]).expand(len(mask), -1, -1)
    share = at / mask.sum(1, keepdim=True).clamp_min(1)
    return torch.cat([angles.sin(), angles.cos(), share[:, None], 1 - share[:, None]], 1)
