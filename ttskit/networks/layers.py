"""Layers used by several families.

Shapes: B batch, C channels, L length (of frames or tokens), N tokens, S channels of a speaker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.networks.batch import Batch
from ttskit.networks.facts import Facts

PLACES = 3  # numbers that `places` returns for a frame


class LayerNorm(nn.LayerNorm):
    """Layer norm over the channels of (B, C, L)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-4)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mT).mT


class Convolutions(nn.Module):
    """A stack of convolution, norm, ReLU and dropout that masks the padding."""

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
    """Unit vectors of speakers, or of mixtures of them."""

    def __init__(self, facts: Facts, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(facts.speakers), channels)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)

    def forward(self, batch: Batch) -> Tensor:
        """Return vectors (B, S) for `speaker` (B,) or, if given, `speaker_mix` (B, speakers)."""
        vectors = F.normalize(self.embedding.weight, dim=1)
        if "speaker_mix" in batch:
            return F.normalize(batch["speaker_mix"] @ vectors, dim=1)
        return F.embedding(batch["speaker"], vectors)


def mean_and_deviation(
    statistics: Mapping[str, np.ndarray], name: str, size: int
) -> Iterator[Tensor]:
    """Yield the mean and the deviation (size,) of a field: 0 and 1 where they are unknown."""
    for part, default in (("mean", 0.0), ("deviation", 1.0)):
        value = np.asarray(statistics.get(f"{name}_{part}", default), np.float32)
        yield torch.from_numpy(np.broadcast_to(value, size).copy())


class Scale(nn.Module):
    """Normalisation by the mean and deviation of a field, which are stored with the weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, statistics: Mapping[str, np.ndarray], name: str, size: int) -> None:
        super().__init__()
        mean, deviation = mean_and_deviation(statistics, name, size)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (..., size)."""
        return (x - self.mean) / self.deviation

    def inverse(self, x: Tensor) -> Tensor:
        """Denormalise (..., size)."""
        return x * self.deviation + self.mean


def token_of_frame(durations: Tensor, tokens: Tensor, frames: int) -> Tensor:
    """Return the index of the token of each frame, (B, frames), by durations (B, N).

    Frames after the last of `tokens` (B,) belong to it.
    """
    ends = durations.cumsum(1).contiguous()
    at = torch.arange(frames, device=ends.device, dtype=ends.dtype).expand(len(ends), -1)
    return torch.searchsorted(ends, at.contiguous(), right=True).minimum(tokens[:, None] - 1)


def expand(x: Tensor, index: Tensor) -> Tensor:
    """Return x (B, C, N) at the token of each frame (B, L), (B, C, L)."""
    return x.gather(2, index[:, None].expand(-1, x.shape[1], -1))


def likeliest(scores: Tensor, batch: Batch, frames: Tensor, silent: Tensor) -> Tensor:
    """Return durations (B, N) that sum to `frames` (B,) and have the highest sum of scores.

    `scores` (B, T, N) are log-likelihoods; `silent` marks the symbols that may have 0 frames.
    """
    from ttskit.dsp import mas  # numba takes 0.5 s to import, and synthesis does without

    durations = mas.search(
        scores.cpu().numpy(),
        batch.lengths["token"].cpu().numpy(),
        frames.cpu().numpy(),
        silent[batch["tokens"]].cpu().numpy(),
        batch.ids,
    )
    return torch.from_numpy(durations).to(frames)


def noise_like(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return Gaussian noise in the shape of x, drawn on the generator's device."""
    device = generator.device if generator else x.device
    return torch.randn(x.shape, generator=generator, device=device).to(x)


def places(durations: Tensor, token: Tensor) -> Tensor:
    """Return the place of each frame in its token and the duration of the token, (B, PLACES, T).

    Places are relative, from the start and to the end, 0 to 1; durations are log(1 + frames) / 3.
    `durations` are (B, N), `token` (B, T) is the token of each frame.
    """
    frames = durations.gather(1, token).clamp_min(1).float()
    starts = (durations.cumsum(1) - durations).gather(1, token)
    at = torch.arange(token.shape[1], device=token.device) - starts + 0.5
    return torch.stack([at / frames, 1 - at / frames, frames.log1p() / 3], 1).clamp(-1, 2)


def until(lengths: Tensor, longest: int) -> Tensor:
    """Return the mask (B, longest) of sequences with these lengths (B,)."""
    return torch.arange(longest, device=lengths.device) < lengths[:, None]
