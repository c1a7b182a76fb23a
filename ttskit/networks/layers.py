"""Layers that several families share.

Shapes: B batch, C channels, L length (of frames or tokens), N tokens, S channels of a speaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts


class LayerNorm(nn.LayerNorm):
    """Normalise the channels of (B, C, L) at each place."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-4)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mT).mT


class Convolutions(nn.Module):
    """A stack of convolution, norm, ReLU and dropout that never sees the padding."""

    def __init__(
        self, channels: int, hidden: int, *, layers: int, kernel: int, dropout: float
    ) -> None:
        super().__init__()
        widths = [channels] + [hidden] * layers
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, kernel, padding=kernel // 2) for a, b in pairwise(widths)
        )
        self.norms = nn.ModuleList(LayerNorm(hidden) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, L), mask (B, 1, L) -> (B, hidden, L)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.dropout(norm(convolution(x * mask)).relu())
        return x * mask


class Speakers(nn.Module):
    """A vector of length one for each speaker, or for a mixture of them."""

    def __init__(self, facts: Facts, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(facts.speakers), channels)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def forward(self, batch: Batch) -> Tensor:
        """Return (B, S) for `speaker` (B,), or for the weights `speaker_mix` (B, speakers)."""
        vectors = F.normalize(self.embedding.weight, dim=1)
        if "speaker_mix" in batch:
            return F.normalize(batch["speaker_mix"] @ vectors, dim=1)
        return F.embedding(batch["speaker"], vectors)


class Scale(nn.Module):
    """The mean and the deviation of what a model reads or makes, kept with its weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, statistics: Mapping[str, np.ndarray], name: str, size: int) -> None:
        super().__init__()
        for part, default in (("mean", 0.0), ("deviation", 1.0)):
            value = np.asarray(statistics.get(f"{name}_{part}", default), np.float32)
            self.register_buffer(part, torch.from_numpy(np.broadcast_to(value, size).copy()))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (..., size)."""
        return (x - self.mean) / self.deviation

    def inverse(self, x: Tensor) -> Tensor:
        """Undo `forward`."""
        return x * self.deviation + self.mean


def token_of_frame(durations: Tensor, tokens: Tensor, frames: int) -> Tensor:
    """Durations (B, N) of `tokens` (B,) -> the token of each frame (B, frames), the last beyond."""
    ends = durations.cumsum(1).contiguous()
    at = torch.arange(frames, device=ends.device, dtype=ends.dtype).expand(len(ends), -1)
    return torch.searchsorted(ends, at.contiguous(), right=True).minimum(tokens[:, None] - 1)


def expand(x: Tensor, index: Tensor) -> Tensor:
    """x (B, C, N) by the token of each frame (B, L) -> (B, C, L)."""
    return x.gather(2, index[:, None].expand(-1, x.shape[1], -1))


def likeliest(scores: Tensor, batch: Batch, frames: Tensor, silent: Tensor) -> Tensor:
    """Return durations (B, N) that sum to `frames` (B,) and have the highest sum of scores.

    `scores` (B, T, N) are log-likelihoods; `silent` says which symbols may last no frame.
    """
    from ttskit.dsp import mas  # numba takes half a second to import, and speaking needs none

    found = mas.search(
        scores.cpu().numpy(),
        batch.lengths["token"].cpu().numpy(),
        frames.cpu().numpy(),
        silent[batch["tokens"]].cpu().numpy(),
        batch.ids,
    )
    return torch.from_numpy(found).to(frames)


def noise_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return Gaussian noise in the shape of x, drawn where the generator is."""
    device = generator.device if generator else x.device
    return torch.randn(x.shape, generator=generator, device=device).to(x)
