"""EnCodec (Défossez et al., 2022), the causal model for 24 kHz: audio in, audio out.

Strided causal convolutions and an LSTM turn audio into vectors, books describe these in turn, and
transposed convolutions turn them into audio.  It is imported, not trained; weights have their
norm multiplied in.

Shapes: B batch, N length, L vectors of an utterance, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.audiocodec import AudioCodec, Book
from ttskit.networks.facts import Facts
from ttskit.settings import key


@dataclass(frozen=True)
class EncodecConfig:
    channels: int = key(32, "channels of the encoder's first layer; each stride doubles them")
    strides: tuple[int, ...] = key(
        (2, 4, 5, 8), "strides of the encoder, whose product is the hop", least=1, some=True
    )
    dimension: int = key(128, "channels of the vectors that are quantised", least=1)
    books: int = key(32, "books, each for what the last one left over", least=1)
    size: int = key(1024, "vectors of a book", least=2, most=65536)


class Encodec(AudioCodec):
    """Causal convolutions, an LSTM, and books whose vectors are compared by distance."""

    Config = EncodecConfig
    config: EncodecConfig

    def __init__(self, config: EncodecConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        widths = [config.channels * 2**power for power in range(len(config.strides) + 1)]
        steps = [*zip(pairwise(widths), config.strides, strict=True)]
        down = ((Unit(a), nn.ELU(), Causal(a, b, 2 * s, s)) for (a, b), s in steps)
        up = ((nn.ELU(), CausalUp(b, a, 2 * s, s), Unit(a)) for (a, b), s in reversed(steps))
        most = widths[-1]
        self.encoder = nn.Sequential(
            Causal(1, widths[0], 7),
            *chain.from_iterable(down),
            Memory(most),
            nn.ELU(),
            Causal(most, config.dimension, 7),
        )
        self.quantiser = nn.ModuleList(
            Vectors(config.size, config.dimension) for _ in range(config.books)
        )
        self.decoder = nn.Sequential(
            Causal(config.dimension, most, 7),
            Memory(most),
            *chain.from_iterable(up),
            nn.ELU(),
            Causal(widths[0], 1, 7),
        )

    @property
    def size(self) -> int:
        return self.config.size


class Causal(nn.Conv1d):
    """A convolution that sees no later sample, (B, C, N) to (B, C', N / stride, rounded up)."""

    def __init__(self, inner: int, outer: int, width: int, stride: int = 1) -> None:
        super().__init__(inner, outer, width, stride)
        self.before = width - stride

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x, reflected before its start and, to a whole stride, beyond its end."""
        after = -x.shape[2] % self.stride[0]
        short = max(0, max(self.before, after) + 1 - x.shape[2])  # too short to be reflected
        reflected = F.pad(F.pad(x, (0, short)), (self.before, after), mode="reflect")
        return super().forward(reflected[..., : reflected.shape[2] - short])


class CausalUp(nn.ConvTranspose1d):
    """The reverse of a strided convolution, (B, C, N) to (B, C', N · stride)."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return the samples that no later input has a part in, with the others cut off."""
        return super().forward(x, output_size)[..., : x.shape[2] * self.stride[0]]


class Unit(nn.Module):
    """A residual unit: two convolutions through half the channels, beside one of width 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        inner, outer = Causal(channels, half, 3), Causal(half, channels, 1)
        self.block = nn.Sequential(nn.ELU(), inner, nn.ELU(), outer)
        self.shortcut = Causal(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) -> (B, C, N)."""
        total: Tensor = self.shortcut(x) + self.block(x)
        return total


class Memory(nn.Module):
    """Two layers of LSTM, whose output is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) -> (B, C, L)."""
        changed: Tensor = self.lstm(x.mT)[0]
        return x + changed.mT


class Vectors(Book):
    """A book of vectors, compared by distance."""

    table: Tensor  # (size, C)

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("table", torch.empty(size, channels).normal_())

    def nearest(self, vectors: Tensor) -> Tensor:
        distances = self.table.square().sum(1) - 2 * vectors.mT @ self.table.T  # (B, L, size)
        return distances.argmin(2)

    def vectors(self, codes: Tensor) -> Tensor:
        return F.embedding(codes, self.table).mT
