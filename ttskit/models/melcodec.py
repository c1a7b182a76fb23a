"""The base class of codecs of mels: an encoder, a quantiser and a decoder.

The encoder turns every `stride` frames into one vector, the quantiser the vector into a code of
each of its books, the decoder the codes into frames again.  All layers work at the rate of codes,
which makes them fast.

A training begins as a linear codec: vectors are the principal components of the frames, which the
decoder turns back, and the layers of both add nothing yet.  That is close to what is to be learnt.

Shapes: B batch, T frames, M mel bands, C codes of an utterance, K books, D channels of the
quantiser, H hidden channels, S channels of a speaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.adversarial import Adversarial, Pair, windows
from ttskit.models.coding import Codec
from ttskit.networks.batch import Batch
from ttskit.networks.convnext import MaskedConvNeXt
from ttskit.networks.critics import PatchAdversary
from ttskit.networks.facts import Facts, Picture
from ttskit.networks.layers import LayerNorm, Scale, Speakers
from ttskit.networks.quantisers import Quantised, Quantiser, frequencies, perplexity
from ttskit.settings import MOST_LAYERS, key, table

RIDGE, TINIEST = 1e-4, 1e-6  # added to squares that are inverted, the first as a share of them

TRAINING: Mapping[str, Any] = {
    "training.batch": 8,
    "training.segment": 192,
    "training.learning_rate": 1e-3,
    "training.warmup": 100,
    "training.beta1": 0.8,
    "training.beta2": 0.99,
    "training.weight_decay": 0.01,
    "adversary.from_progress": 0.4,
    "adversary.weight": 0.2,
    "adversary.features": 1.0,
    "adversary.channels": 16,
    "adversary.frames": 128,
}


@dataclass(frozen=True)
class MelCodecConfig:
    stride: int = key(4, "frames that a code lasts", least=1, most=64)
    channels: int = key(192, "hidden channels of encoder and decoder", least=1)
    layers: int = key(
        4, "ConvNeXt blocks of the encoder, and as many of the decoder", least=1, most=MOST_LAYERS
    )
    finish: int = key(
        2, "ConvNeXt blocks of the decoder at the rate of frames", least=0, most=MOST_LAYERS
    )
    kernel: int = key(7, "width of a convolution in codes, odd", least=1, odd=True)
    speaker_channels: int = key(
        0, "size of a speaker's vector, which the decoder gets; 0 for none", least=0
    )
    delta: float = key(0.5, "weight of the error of differences between successive frames", least=0)
    loud: float = key(
        0.5,
        "how much more errors count where a band is louder than usual, and less where it is not",
        least=0,
        most=1,
    )
    adversary: PatchAdversary = table(PatchAdversary, "critics (discriminators)")


class MelCodec(Adversarial, Codec):
    """Mel in, codes out by `encode`, and mel again by `generate`."""

    config: MelCodecConfig
    generator: Generator
    beginning: ClassVar[int] = 100_000  # for the principal components and the books

    def __init__(self, config: MelCodecConfig, facts: Facts) -> None:
        super().__init__(config, facts)
        self.generator = Generator(config, facts, self.quantised_by())

    def quantised_by(self) -> Quantiser:
        """Return a new quantiser, as the config has it."""
        raise NotImplementedError

    @classmethod
    def makes(cls, config: MelCodecConfig) -> tuple[str, ...]:  # noqa: ARG003
        return ("mel",)

    @classmethod
    def needs(cls, config: MelCodecConfig) -> tuple[str, ...]:
        return ("mel", *(("speaker",) if config.speaker_channels else ()))

    @property
    def stride(self) -> int:
        return self.config.stride

    @property
    def books(self) -> int:
        return self.generator.quantiser.books

    @property
    def size(self) -> int:
        return self.generator.quantiser.size

    def heard(self, batch: Batch) -> tuple[Tensor, Tensor]:
        copy, _ = self.generator.copy(batch)
        recorded, copy = (self.generator.scale(mel) for mel in (batch["mel"], copy))
        return self._windows(batch, recorded, copy)

    def pair(self, batch: Batch, progress: float) -> Pair:  # noqa: ARG002
        copy, quantised = self.generator.copy(batch)
        recorded, copy = (self.generator.scale(mel) for mel in (batch["mel"], copy))
        frames, error = batch.mask("frame"), copy - recorded
        change = (error[:, 1:] - error[:, :-1]).abs().mean(2) * (frames[:, 1:] & frames[:, :-1])
        terms = {
            "mel": batch.mean(error.abs() * self._weight(recorded), "frame"),
            "delta": self.config.delta * batch.mean(F.pad(change, (1, 0)), "frame"),
            **self._distances(batch, quantised),
        }
        return Pair(*self._windows(batch, recorded, copy), terms)

    def generate(
        self,
        batch: Batch,
        generator: torch.Generator | None = None,  # noqa: ARG002
        **knobs: float,  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """Return the mel (B, C · stride, M) of codes of all books, or of the first ones."""
        vectors = self.generator.quantiser.vectors(batch["codes"])
        return {"mel": self.generator.mel(batch, vectors, batch.mask("code"))}

    def encode(self, batch: Batch, books: int | None = None) -> Tensor:
        """Return the codes (B, C, K) of mels; the last one may stand for less than it lasts."""
        latents, mask = self.generator.latents(batch)
        return self.generator.quantiser.codes(latents, mask, books or self.books)

    @torch.no_grad()
    def initialise(self, batch: Batch) -> None:
        self.generator.start(batch)

    @torch.no_grad()
    def watch(self, batch: Batch) -> tuple[dict[str, float], dict[str, Picture]]:
        quantised, mask = self.generator.quantised(batch)
        counts = frequencies(quantised.codes[mask], self.size)  # (K, size)
        varied = perplexity(counts)
        facts, step = self.facts, self.config.stride * self.facts.hop_length
        numbers = {f"perplexity/{book}": float(value) for book, value in enumerate(varied, 1)}
        numbers["bits_per_second"] = float(varied.log2().sum()) * facts.sample_rate / step
        shares = counts / counts.sum(1, keepdim=True)
        ordered = {f"book {book}": row.sort(descending=True)[0].cpu().numpy()
                   for book, row in enumerate(shares, 1)}  # fmt: skip
        mel = self.sample(batch)["mels"]["mel"][: int(batch.lengths["frame"][0])]
        return numbers, {
            "copy": Picture(mel.T.cpu().numpy(), "frame", "mel band"),
            "codes": Picture(np.zeros((0, self.size)),
                             "codes, the most frequent first", "share", ordered),
        }  # fmt: skip

    def sample(self, batch: Batch) -> Mapping[str, Mapping[str, Tensor]]:
        return {"mels": {"mel": self.generator.copy(batch)[0][0]}}

    def _weight(self, recorded: Tensor) -> Tensor:
        """Return by how much errors of a normalised mel count, 1 on average."""
        return 1 + self.config.loud * torch.tanh(recorded)

    def _distances(self, batch: Batch, quantised: Quantised) -> dict[str, Tensor]:  # noqa: ARG002
        """Return further terms of the loss: what keeps encoder and books together."""
        return {}

    def _per_frame(self, batch: Batch, values: Tensor) -> Tensor:
        """Return the mean over frames of values of codes (B, C)."""
        frames = batch.mask("frame").shape[1]
        return batch.mean(values.repeat_interleave(self.config.stride, 1)[:, :frames], "frame")

    def _windows(self, batch: Batch, recorded: Tensor, copy: Tensor) -> tuple[Tensor, Tensor]:
        """Return what critics see of two mels."""
        if self.critics is None:
            return recorded, copy
        return windows(batch, self.config.adversary.frames, recorded, copy)


class Generator(nn.Module):
    """All that is learned but the critics."""

    def __init__(self, config: MelCodecConfig, facts: Facts, quantiser: Quantiser) -> None:
        super().__init__()
        self.stride, self.n_mels = config.stride, facts.n_mels
        self.quantiser = quantiser
        width, joined = config.channels, config.stride * facts.n_mels
        self.analysis = nn.Linear(joined, quantiser.dimension)
        self.synthesis = nn.Linear(quantiser.dimension, joined)
        self.encoder = Blocks(config, config.layers, joined, quantiser.dimension)
        self.decoder = Blocks(config, config.layers, quantiser.dimension, config.stride * width)
        self.finish = Blocks(config, config.finish, width, facts.n_mels)
        self.scale = Scale(facts.statistics, "mel", facts.n_mels)
        _silence(self.analysis)
        _silence(self.synthesis)
        size = config.speaker_channels
        self.speakers = Speakers(facts, size) if size else None
        self.voice = nn.Linear(size, width) if size else None

    def start(self, batch: Batch) -> None:
        """Begin as a linear codec of the principal components of mels, with books for them.

        What has been trained stays.
        """
        new = not self.analysis.weight.any()
        stacked, mask = self.stacked(batch)
        if new:
            _principal(self.analysis, stacked[mask])
            _silence(self.encoder.leave)
        latents, _ = self.latents(batch)
        self.quantiser.start(latents, mask)
        if new:
            vectors = self.quantiser.vectors(self.quantiser(latents, mask).codes)
            _regress(self.synthesis, vectors[mask], stacked[mask])
            _silence(self.finish.leave)

    def stacked(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return normalised mels, (B, C, stride · M), and the mask of codes (B, C)."""
        frames = batch.mask("frame")
        mel = self.scale(batch["mel"]) * frames[..., None]
        missing = -mel.shape[1] % self.stride
        stacked = F.pad(mel, (0, 0, 0, missing)).view(len(mel), -1, self.stride * self.n_mels)
        return stacked, F.pad(frames, (0, missing)).view(len(mel), -1, self.stride).any(2)

    def latents(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what is to be quantised (B, C, D), and the mask of codes (B, C)."""
        stacked, mask = self.stacked(batch)
        return (self.analysis(stacked) + self.encoder(stacked, mask)).float(), mask

    def quantised(self, batch: Batch) -> tuple[Quantised, Tensor]:
        """Return the quantised vectors, and the mask of codes (B, C)."""
        latents, mask = self.latents(batch)
        return self.quantiser(latents, mask), mask

    def copy(self, batch: Batch) -> tuple[Tensor, Quantised]:
        """Return the decoded mel (B, T, M), and what it was decoded from."""
        quantised, mask = self.quantised(batch)
        return self.mel(batch, quantised.vectors, mask)[:, : batch["mel"].shape[1]], quantised

    def mel(self, batch: Batch, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the mel (B, C · stride, M) of quantised vectors, 0 in the padding."""
        voice = self.voice(self.speakers(batch)) if self.voice and self.speakers else None
        joined = self.decoder(vectors, mask, voice)  # (B, C, stride · H)
        real = mask.repeat_interleave(self.stride, 1)
        change = self.finish(joined.reshape(*real.shape, -1), real)
        frames = (self.synthesis(vectors).view_as(change) + change).float()
        return self.scale.inverse(frames) * real[..., None]


class Blocks(nn.Module):
    """ConvNeXt blocks between two linear layers, (B, C, inner) to (B, C, outer)."""

    def __init__(self, config: MelCodecConfig, layers: int, inner: int, outer: int) -> None:
        super().__init__()
        self.enter = nn.Linear(inner, config.channels)
        self.blocks = nn.ModuleList(
            MaskedConvNeXt(config.channels, config.kernel, 0.0) for _ in range(layers)
        )
        self.norm = LayerNorm(config.channels)
        self.leave = nn.Linear(config.channels, outer)

    def forward(self, x: Tensor, mask: Tensor, voice: Tensor | None = None) -> Tensor:
        """Return (B, C, outer); `voice` (B, H) is added everywhere."""
        hidden = self.enter(x)
        hidden = hidden if voice is None else hidden + voice[:, None]
        real = mask[:, None].to(hidden)
        hidden = hidden.mT * real  # (B, H, C)
        for block in self.blocks:
            hidden = block(hidden, real)
        return self.leave(self.norm(hidden).mT)


def _principal(layer: nn.Linear, x: Tensor) -> None:
    """Set a layer to return the first principal components of vectors like x (N, inner)."""
    _, axes = torch.linalg.eigh(torch.cov(x.T))  # the first ones come last
    components = axes.flip(1)[:, : layer.out_features].T
    layer.weight[: len(components)] = components
    layer.bias[: len(components)] = -components @ x.mean(0)


def _regress(layer: nn.Linear, x: Tensor, y: Tensor) -> None:
    """Set a layer to predict y (N, outer) of x (N, inner) with the least squared error."""
    centre, target = x.mean(0), y.mean(0)
    away = x - centre
    square = away.T @ away
    square.diagonal().add_(RIDGE * square.trace() / len(square) + TINIEST)
    weight = torch.linalg.solve(square, away.T @ (y - target)).T
    layer.weight.copy_(weight)
    layer.bias.copy_(target - weight @ centre)


def _silence(layer: nn.Linear) -> None:
    """Let a layer return 0."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
