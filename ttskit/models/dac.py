"""The Descript Audio Codec (Kumar et al., 2023), for public checkpoints: audio in, audio out.

Strided convolutions with periodic activations turn audio into vectors, books of few channels
describe these in turn, and transposed convolutions turn them into audio.  It is imported, not
trained; weights have their norm multiplied in.

Shapes: B batch, N samples, L vectors of an utterance, C channels, K books, D channels of a book.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.audiocodec import AudioCodec, Book
from ttskit.networks.facts import Facts
from ttskit.settings import key

DILATIONS = (1, 3, 9)


@dataclass(frozen=True)
class DacConfig:
    channels: int = key(64, "channels of the encoder's first layer; each stride doubles them")
    strides: tuple[int, ...] = key(
        (2, 4, 8, 8), "strides of the encoder, whose product is the hop", least=1, some=True
    )
    decoder_channels: int = key(
        1536, "channels of the decoder's first layer; each stride halves them"
    )
    rates: tuple[int, ...] = key(
        (8, 8, 4, 2), "strides of the decoder, with the same product", least=1, some=True
    )
    books: int = key(9, "books, each for what the last one left over", least=1)
    size: int = key(1024, "vectors of a book", least=2, most=65536)
    dimension: int = key(8, "channels of a book's vectors", least=1)


class Dac(AudioCodec):
    """Activations with a period, and books whose vectors are compared by direction."""

    Config = DacConfig
    config: DacConfig

    def __init__(self, config: DacConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        widths = [config.channels * 2**power for power in range(len(config.strides) + 1)]
        steps = zip(pairwise(widths), config.strides, strict=True)
        self.encoder = nn.Sequential(
            nn.Conv1d(1, widths[0], 7, padding=3),
            *(down(inner, outer, stride) for (inner, outer), stride in steps),
            Snake(widths[-1]),
            nn.Conv1d(widths[-1], widths[-1], 3, padding=1),
        )
        self.quantiser = nn.ModuleList(
            Directions(widths[-1], config.size, config.dimension) for _ in range(config.books)
        )
        narrowing = [config.decoder_channels // 2**power for power in range(len(config.rates) + 1)]
        steps = zip(pairwise(narrowing), config.rates, strict=True)
        self.decoder = nn.Sequential(
            nn.Conv1d(widths[-1], narrowing[0], 7, padding=3),
            *(up(inner, outer, stride) for (inner, outer), stride in steps),
            Snake(narrowing[-1]),
            nn.Conv1d(narrowing[-1], 1, 7, padding=3),
            nn.Tanh(),
        )

    @property
    def size(self) -> int:
        return self.config.size

    def filled(self, audio: Tensor) -> Tensor:
        """Return audio (B, N) whose last frame is filled with silence."""
        return F.pad(audio, (0, -audio.shape[1] % math.prod(self.config.strides)))


class Snake(nn.Module):
    """A periodic activation (Ziyin et al., 2020): x + sin²(a x) / a, with an `a` a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) -> (B, C, N)."""
        return x + (self.alpha * x).sin().square() / (self.alpha + 1e-9)


class Unit(nn.Sequential):
    """A residual unit: a dilated convolution between activations, and one of width 1."""

    def __init__(self, channels: int, dilation: int, groups: int = 1) -> None:
        padding = 3 * dilation
        super().__init__(
            Snake(channels),
            nn.Conv1d(channels, channels, 7, 1, padding, dilation, groups),
            Snake(channels),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) -> (B, C, N)."""
        change = x
        for layer in self:
            change = layer(change)
        return x + change


class Directions(Book):
    """A book of vectors of few channels, compared by direction alone."""

    def __init__(self, channels: int, size: int, dimension: int) -> None:
        super().__init__()
        self.in_proj = nn.Conv1d(channels, dimension, 1)
        self.out_proj = nn.Conv1d(dimension, channels, 1)
        self.codebook = nn.Embedding(size, dimension)

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the code (B, L) of each of the vectors (B, C, L)."""
        likeness = (
            F.normalize(self.in_proj(vectors).mT, dim=2) @ F.normalize(self.codebook.weight).T
        )
        return likeness.argmax(2)

    def vectors(self, codes: Tensor) -> Tensor:
        """Return the vectors (B, C, L) of codes (B, L)."""
        projected: Tensor = self.out_proj(self.codebook(codes).mT)
        return projected


def down(inner: int, outer: int, stride: int, groups: int = 1) -> nn.Sequential:
    """Return a step of the encoder, (B, inner, N) to (B, outer, N / stride)."""
    return nn.Sequential(
        *(Unit(inner, dilation, groups) for dilation in DILATIONS),
        Snake(inner),
        nn.Conv1d(inner, outer, 2 * stride, stride, math.ceil(stride / 2)),
    )


def up(inner: int, outer: int, stride: int, groups: int = 1, *between: nn.Module) -> nn.Sequential:
    """Return a step of the decoder, (B, inner, N) to (B, outer, N · stride).

    The layers `between` follow the transposed convolution.
    """
    padding, more = math.ceil(stride / 2), stride % 2
    return nn.Sequential(
        Snake(inner),
        nn.ConvTranspose1d(inner, outer, 2 * stride, stride, padding, output_padding=more),
        *between,
        *(Unit(outer, dilation, groups) for dilation in DILATIONS),
    )
