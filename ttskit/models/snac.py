"""SNAC (Siuzdak et al., 2024), for public checkpoints: audio in, audio out, books of several rates.

The layers are those of the Descript Audio Codec, most of them over each channel by itself, with
noise in the decoder.  The first books describe averages over several vectors.  A code of such a
book is repeated for all of these vectors, so that all books have as many codes.

Shapes: B batch, N samples, L vectors of an utterance, C channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.audiocodec import AudioCodec
from ttskit.models.dac import Directions, Snake, down, up
from ttskit.networks.facts import Facts
from ttskit.networks.layers import noise_like
from ttskit.settings import key


@dataclass(frozen=True)
class SnacConfig:
    channels: int = key(48, "channels of the encoder's first layer; each stride doubles them")
    strides: tuple[int, ...] = key(
        (2, 4, 8, 8), "strides of the encoder, whose product is the hop", least=1, some=True
    )
    decoder_channels: int = key(
        1024, "channels of the decoder's first layer; each stride halves them"
    )
    rates: tuple[int, ...] = key(
        (8, 8, 4, 2), "strides of the decoder, with the same product", least=1, some=True
    )
    lasts: tuple[int, ...] = key(
        (4, 2, 1), "vectors that a code of each book stands for", least=1, some=True
    )
    size: int = key(4096, "vectors of a book", least=2, most=65536)
    dimension: int = key(8, "channels of a book's vectors", least=1)
    noise: bool = key(True, "the decoder adds noise")
    depthwise: bool = key(True, "wide convolutions look at each channel by itself")


class Snac(AudioCodec):
    """Books of several rates, and a decoder with noise."""

    Config = SnacConfig
    config: SnacConfig

    def __init__(self, config: SnacConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        widths = [config.channels * 2**power for power in range(len(config.strides) + 1)]
        steps = zip(pairwise(widths), config.strides, strict=True)
        most = widths[-1]
        self.encoder = nn.Sequential(
            nn.Conv1d(1, widths[0], 7, padding=3),
            *(down(a, b, stride, self._groups(a)) for (a, b), stride in steps),
            nn.Conv1d(most, most, 7, padding=3, groups=self._groups(most)),
        )
        self.quantiser = nn.ModuleList(
            Averages(most, config.size, config.dimension, last) for last in config.lasts
        )
        narrowing = [config.decoder_channels // 2**power for power in range(len(config.rates) + 1)]
        steps = zip(pairwise(narrowing), config.rates, strict=True)
        self.decoder = nn.Sequential(
            *self._entry(most, narrowing[0]),
            *(
                up(a, b, stride, self._groups(b), *([Noise(b)] if config.noise else []))
                for (a, b), stride in steps
            ),
            Snake(narrowing[-1]),
            nn.Conv1d(narrowing[-1], 1, 7, padding=3),
            nn.Tanh(),
        )

    @property
    def size(self) -> int:
        return self.config.size

    def filled(self, audio: Tensor) -> Tensor:
        """Return audio (B, N) whose last code of the slowest book is filled with silence."""
        lasts = math.prod(self.config.strides) * max(self.config.lasts)
        return F.pad(audio, (0, -audio.shape[1] % lasts))

    def decoded(self, vectors: Tensor, generator: torch.Generator | None) -> Tensor:
        for layer in self.decoder.modules():
            if isinstance(layer, Noise):
                layer.generator = generator
        return super().decoded(vectors, generator)

    def _entry(self, inner: int, outer: int) -> list[nn.Module]:
        """Return the first layers of the decoder."""
        if not self.config.depthwise:
            return [nn.Conv1d(inner, outer, 7, padding=3)]
        return [nn.Conv1d(inner, inner, 7, padding=3, groups=inner), nn.Conv1d(inner, outer, 1)]

    def _groups(self, channels: int) -> int:
        return channels if self.config.depthwise else 1


class Averages(Directions):
    """A book of averages over `last` vectors in a row."""

    def __init__(self, channels: int, size: int, dimension: int, last: int) -> None:
        super().__init__(channels, size, dimension)
        self.last = last

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the code (B, L) of each of the vectors (B, C, L), of which `last` have one."""
        averages = F.avg_pool1d(vectors, self.last, self.last)
        return super().nearest(averages).repeat_interleave(self.last, 1)


class Noise(nn.Module):
    """Noise as loud as the layer before it says, the same for all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, channels, 1, bias=False)
        self.generator: torch.Generator | None = None  # of the next random numbers

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) -> (B, C, N)."""
        loudness: Tensor = self.linear(x)
        return x + noise_like(x[:, :1], self.generator) * loudness
