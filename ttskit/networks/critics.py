"""Discriminators between recordings and copies, here called critics: of audio by periods and at
several rates (Kong et al., 2020, HiFi-GAN) and by spectral resolutions (Jang et al., 2021,
UnivNet), of mels by patches (Isola et al., 2017, pix2pix).

Each returns the outputs of all its layers; the last is its score, high for a recording.

B batch, N samples, P a period, T frames, F frequency bins, M mel bands, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from ttskit.networks.batch import Batch
from ttskit.networks.spectral import magnitudes
from ttskit.settings import key


@dataclass(frozen=True)
class Adversary:
    """Settings of the adversarial losses."""

    from_progress: float = key(
        1.0, "share of the training after which critics are used; 1 for never", least=0, most=1
    )
    kind: str = key("squares", "adversarial loss", choices=("squares", "hinge"))
    weight: float = key(1.0, "weight of the adversarial loss of the generator", least=0)
    features: float = key(
        2.0,
        "weight of the distance between layer outputs of the critics (feature matching)",
        least=0,
    )
    channels: int = key(8, "channels of the first layer of each critic; published: 32", least=1)


@dataclass(frozen=True)
class AudioAdversary(Adversary):
    """Settings of critics of audio."""

    periods: tuple[int, ...] = key((2, 3, 5, 7, 11), "periods in samples, one critic each", least=1)
    n_fft: tuple[int, ...] = key(
        (512, 1024, 2048), "FFT sizes in samples, one critic each", least=8
    )

    halvings: tuple[int, ...] = key(
        (), "times that the sample rate is halved, one critic each", least=0, most=16
    )
    deep: bool = key(
        False, "one more layer in the critics of periods and of FFT sizes, as published"
    )

    def critics(self) -> list[nn.Module]:
        """Return new critics."""
        periods = [Period(period, self.channels, self.deep) for period in self.periods]
        sizes = [Resolution(n_fft, self.channels, self.deep) for n_fft in self.n_fft]
        return [*periods, *(Halved(times, self.channels) for times in self.halvings), *sizes]


@dataclass(frozen=True)
class PatchAdversary(Adversary):
    """Settings of critics of mels."""

    frames: int = key(128, "frames of an utterance that critics look at in an update", least=16)

    def critics(self) -> list[nn.Module]:
        """Return new critics."""
        return [Patches(self.channels)]


class Critics(nn.Module):
    """All critics together, and the losses of critics and generator."""

    def __init__(self, settings: Adversary, critics: Iterable[nn.Module]) -> None:
        super().__init__()
        self.settings = settings
        self.critics = nn.ModuleList(critics)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Return the outputs (B, ...) of every layer of every critic for audio or mels (B, ...)."""
        return [critic(x) for critic in self.critics]

    def loss(self, batch: Batch, recorded: Tensor, copy: Tensor) -> dict[str, Tensor]:
        """Return the loss of the critics for recordings and copies (B, ...)."""
        real = [batch.mean(self._error(outputs[-1], 1)) for outputs in self(recorded)]
        fake = [batch.mean(self._error(outputs[-1], -1)) for outputs in self(copy)]
        return {"real": torch.stack(real).mean(), "copy": torch.stack(fake).mean()}

    def verdict(self, batch: Batch, recorded: Tensor, copy: Tensor) -> dict[str, Tensor]:
        """Return the adversarial and the feature matching loss of copies (B, ...)."""
        adversarial, distances = [], []
        with torch.no_grad():
            true = self(recorded)
        for outputs, targets in zip(self(copy), true, strict=True):
            adversarial.append(batch.mean(self._error(outputs[-1], 1)))
            layers = zip(outputs[:-1], targets[:-1], strict=True)
            distances.append(torch.stack([batch.mean((a - b).abs()) for a, b in layers]).sum())
        return {
            "adversarial": self.settings.weight * torch.stack(adversarial).mean(),
            "features": self.settings.features * torch.stack(distances).mean(),
        }

    def _error(self, score: Tensor, target: int) -> Tensor:
        """Return the error of scores, which are 1 for recordings and −1 for copies if perfect."""
        if self.settings.kind == "hinge":
            return (1 - target * score).relu()
        return (score - target).square() / 4  # least squares between 0 and 1


class Period(nn.Module):
    """A critic of every P-th sample, at each of P offsets."""

    def __init__(self, period: int, channels: int, deep: bool) -> None:
        super().__init__()
        self.period = period
        widths = [1, channels, 4 * channels, 16 * channels, (32 if deep else 16) * channels]
        strides = [(3, 1)] * 4
        if deep:
            widths, strides = [*widths, widths[-1]], [*strides, (1, 1)]
        self.layers = nn.ModuleList(
            _layer(a, b, (5, 1), stride)
            for (a, b), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.score = _layer(widths[-1], 1, (3, 1))

    def forward(self, audio: Tensor) -> list[Tensor]:
        audio = F.pad(audio, (0, -audio.shape[1] % self.period))
        return _outputs(audio.view(len(audio), 1, -1, self.period), self.layers, self.score)


class Halved(nn.Module):
    """A critic of audio whose rate is halved a number of times."""

    def __init__(self, times: int, channels: int) -> None:
        super().__init__()
        self.halve = nn.AvgPool1d(4, 2, padding=2)
        self.times = times
        widths = [1, *(times * channels for times in (4, 4, 8, 16, 32, 32, 32))]
        shapes = (
            (15, 1, 1),
            (41, 2, 4),
            (41, 2, 16),
            (41, 4, 16),
            (41, 4, 16),
            (41, 1, 16),
            (5, 1, 1),
        )
        self.layers = nn.ModuleList(
            _along(a, b, *shape) for (a, b), shape in zip(pairwise(widths), shapes, strict=True)
        )
        self.score = _along(widths[-1], 1, 3)

    def forward(self, audio: Tensor) -> list[Tensor]:
        audio = audio[:, None]
        for _ in range(self.times):
            audio = self.halve(audio)
        return _outputs(audio, self.layers, self.score)


class Resolution(nn.Module):
    """A critic of the magnitudes of a spectrogram."""

    def __init__(self, n_fft: int, channels: int, deep: bool) -> None:
        super().__init__()
        self.n_fft = n_fft
        # Without a deep one the first layer halves frequency too: layers of full width cost most.
        strides = [*([(1, 1)] if deep else []), (1, 2), (1, 2), (1, 2)]
        widths = [1, *(channels for _ in strides)]
        self.layers = nn.ModuleList(
            _layer(a, b, (3, 9), stride)
            for (a, b), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.layers.append(_layer(channels, channels, (3, 3)))
        self.score = _layer(channels, 1, (3, 3))

    def forward(self, audio: Tensor) -> list[Tensor]:
        image = magnitudes(audio, self.n_fft).mT[:, None]  # (B, 1, T, F)
        return _outputs(image, self.layers, self.score)


class Patches(nn.Module):
    """A critic of patches of a mel, which knows how high in the spectrum each is."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (2, channels, 2 * channels, 4 * channels, 4 * channels)
        strides = (1, 2), (2, 2), (2, 2), (1, 1)
        self.layers = nn.ModuleList(
            _layer(a, b, (3, 5), stride)
            for (a, b), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.score = _layer(widths[-1], 1, (3, 3))

    def forward(self, mel: Tensor) -> list[Tensor]:
        """(B, T, M), normalised."""
        height = torch.linspace(-1, 1, mel.shape[2], device=mel.device).expand_as(mel)
        return _outputs(torch.stack([mel, height], 1), self.layers, self.score)


def _layer(
    inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> nn.Module:
    padding = kernel[0] // 2, kernel[1] // 2
    return weight_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding))


def _along(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    """Return a convolution over samples, in as many groups as both numbers of channels allow."""
    groups = math.gcd(groups, inputs, outputs)
    return weight_norm(nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, groups=groups))


def _outputs(x: Tensor, layers: nn.ModuleList, score: nn.Module) -> list[Tensor]:
    outputs = []
    for layer in layers:
        x = F.leaky_relu(layer(x), 0.1)
        outputs.append(x)
    return [*outputs, score(x)]
