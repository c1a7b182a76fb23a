"""The Descript Audio Codec (Kumar et al., 2023), for public checkpoints: audio in, audio out.

Strided convolutions with periodic activations turn audio into vectors, books of few channels
describe these in turn, and transposed convolutions turn them into audio.  It is imported, not
trained; weights have their norm multiplied in.

Shapes: B batch, N samples, L vectors of an utterance, C channels, K books, D channels of a book.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from ttskit.errors import TrainingError
from ttskit.models.coding import Codec
from ttskit.models.vocoder import Vocoder
from ttskit.networks.batch import Batch
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


class Dac(Codec, Vocoder):
    """Audio as codes, and codes as audio; a frame is one code."""

    Config = DacConfig
    config: DacConfig
    reads = "audio"
    presets = {"base": {}}  # noqa: RUF012

    def __init__(self, config: DacConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        widths = [config.channels * 2**power for power in range(len(config.strides) + 1)]
        steps = zip(pairwise(widths), config.strides, strict=True)
        self.encoder = nn.Sequential(
            nn.Conv1d(1, widths[0], 7, padding=3),
            *(_down(inner, outer, stride) for (inner, outer), stride in steps),
            Snake(widths[-1]),
            nn.Conv1d(widths[-1], widths[-1], 3, padding=1),
        )
        books = (Book(widths[-1], config) for _ in range(config.books))
        self.quantiser = nn.ModuleList(books)
        narrowing = [config.decoder_channels // 2**power for power in range(len(config.rates) + 1)]
        steps = zip(pairwise(narrowing), config.rates, strict=True)
        self.decoder = nn.Sequential(
            nn.Conv1d(widths[-1], narrowing[0], 7, padding=3),
            *(_up(inner, outer, stride) for (inner, outer), stride in steps),
            Snake(narrowing[-1]),
            nn.Conv1d(narrowing[-1], 1, 7, padding=3),
            nn.Tanh(),
        )

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ()

    def prepare(self) -> None:
        """Refuse: its critics are not here."""
        raise TrainingError("dac is not trained here; `ttskit import` reads a public checkpoint")

    @property
    def stride(self) -> int:
        return 1

    @property
    def books(self) -> int:
        return self.config.books

    @property
    def size(self) -> int:
        return self.config.size

    @property
    def wants(self) -> tuple[str, ...]:
        return ("codes",)

    @torch.no_grad()
    def encode(self, batch: Batch) -> Tensor:
        """Return the codes (B, L, K) of audio (B, N), whose last frame is filled by silence."""
        audio = batch["audio"]
        audio = F.pad(audio, (0, -audio.shape[1] % math.prod(self.config.strides)))
        rest: Tensor = self.encoder(audio[:, None])  # (B, C, L)
        codes = []
        for book in self.quantiser:
            assert isinstance(book, Book)
            codes.append(book.nearest(rest))
            rest = rest - book.vectors(codes[-1])
        return torch.stack(codes, 2)

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield the audio (N,) of codes (L, K) of all books, or of the first ones."""
        codes = frames["codes"].long()
        if not len(codes):
            return
        books = zip(codes.T, self.quantiser, strict=False)
        vectors = [book.vectors(column[None]) for column, book in books if isinstance(book, Book)]
        yield self.decoder(torch.stack(vectors).sum(0))[0, 0]

    @torch.no_grad()
    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return audio (B, N), zero beyond the end of an utterance."""
        audio = []
        for row in range(len(batch)):
            codes = batch.only(row)["codes"][0]
            audio.append(torch.cat([*self.stream({"codes": codes}, generator, **knobs)]))
        return {"audio": pad_sequence(audio, batch_first=True)}


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

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__(
            Snake(channels),
            nn.Conv1d(channels, channels, 7, dilation=dilation, padding=3 * dilation),
            Snake(channels),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) -> (B, C, N)."""
        change = x
        for layer in self:
            change = layer(change)
        return x + change


class Book(nn.Module):
    """A book of vectors of few channels, compared by direction alone."""

    def __init__(self, channels: int, config: DacConfig) -> None:
        super().__init__()
        self.in_proj = nn.Conv1d(channels, config.dimension, 1)
        self.out_proj = nn.Conv1d(config.dimension, channels, 1)
        self.codebook = nn.Embedding(config.size, config.dimension)

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


def _down(inner: int, outer: int, stride: int) -> nn.Sequential:
    """Return a step of the encoder, (B, inner, N) to (B, outer, N / stride)."""
    return nn.Sequential(
        *(Unit(inner, dilation) for dilation in DILATIONS),
        Snake(inner),
        nn.Conv1d(inner, outer, 2 * stride, stride, math.ceil(stride / 2)),
    )


def _up(inner: int, outer: int, stride: int) -> nn.Sequential:
    """Return a step of the decoder, (B, inner, N) to (B, outer, N · stride)."""
    padding, more = math.ceil(stride / 2), stride % 2
    return nn.Sequential(
        Snake(inner),
        nn.ConvTranspose1d(inner, outer, 2 * stride, stride, padding, output_padding=more),
        *(Unit(outer, dilation) for dilation in DILATIONS),
    )
