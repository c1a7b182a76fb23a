"""Critics that tell recordings from copies: by periods (Kong et al., 2020, HiFi-GAN), and by
resolutions (Jang et al., 2021, UnivNet).

Each returns what all its layers see, the last of them being its score: high for a recording.

B batch, N samples, P a period, T frames, F frequency bins, C channels.
"""

from __future__ import annotations

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
    """Critics: when they play, how much they count, how large they are."""

    from_progress: float = key(
        1.0, "part of the training after which critics play; 1: never", least=0, most=1
    )
    kind: str = key("squares", "what scores are measured by", choices=("squares", "hinge"))
    weight: float = key(1.0, "of what critics say of the copy", least=0)
    features: float = key(2.0, "weight of the distance of what their layers see", least=0)
    periods: tuple[int, ...] = key((2, 3, 5, 7, 11), "samples, one critic each", least=1)
    n_fft: tuple[int, ...] = key((512, 1024, 2048), "samples, one critic each", least=8)
    channels: int = key(8, "of the first layer; 32 as published", least=1)


class Critics(nn.Module):
    """All critics together, and what they and the generator learn from their scores."""

    def __init__(self, settings: Adversary) -> None:
        super().__init__()
        self.settings = settings
        periods = [Period(period, settings.channels) for period in settings.periods]
        resolutions = [Resolution(n_fft, settings.channels) for n_fft in settings.n_fft]
        self.critics = nn.ModuleList([*periods, *resolutions])

    def forward(self, audio: Tensor) -> list[list[Tensor]]:
        """(B, N) to what every layer of every critic sees, (B, ...) each."""
        return [critic(audio) for critic in self.critics]

    def loss(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        """Return how badly the critics tell recordings from copies (B, N)."""
        real = [batch.mean(self._miss(seen[-1], 1)) for seen in self(batch["audio"])]
        copy = [batch.mean(self._miss(seen[-1], -1)) for seen in self(made)]
        return {"real": torch.stack(real).mean(), "copy": torch.stack(copy).mean()}

    def verdict(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        """Return how far copies (B, N) are from passing for recordings."""
        fooled, apart = [], []
        with torch.no_grad():
            truth = self(batch["audio"])
        for seen, true in zip(self(made), truth, strict=True):
            fooled.append(batch.mean(self._miss(seen[-1], 1)))
            layers = zip(seen[:-1], true[:-1], strict=True)
            apart.append(torch.stack([batch.mean((a - b).abs()) for a, b in layers]).sum())
        told = self.settings
        return {
            "adversarial": told.weight * torch.stack(fooled).mean(),
            "features": told.features * torch.stack(apart).mean(),
        }

    def _miss(self, score: Tensor, wanted: int) -> Tensor:
        """How far a score is from 1 for a recording and −1 for a copy."""
        if self.settings.kind == "hinge":
            return (1 - wanted * score).relu()
        return (score - wanted).square() / 4  # least squares between 0 and 1


class Period(nn.Module):
    """Sees every P-th sample, for each of P phases."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, channels, 4 * channels, 16 * channels, 16 * channels)
        self.layers = nn.ModuleList(_layer(a, b, (5, 1), (3, 1)) for a, b in pairwise(widths))
        self.score = _layer(widths[-1], 1, (3, 1))

    def forward(self, audio: Tensor) -> list[Tensor]:
        audio = F.pad(audio, (0, -audio.shape[1] % self.period))
        return _seen(audio.view(len(audio), 1, -1, self.period), self.layers, self.score)


class Resolution(nn.Module):
    """Sees the magnitudes of a spectrogram."""

    def __init__(self, n_fft: int, channels: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        # Halves frequency from the first layer on: what is as wide as the image costs most.
        widths = (1, channels, channels, channels)
        self.layers = nn.ModuleList(_layer(a, b, (3, 9), (1, 2)) for a, b in pairwise(widths))
        self.layers.append(_layer(channels, channels, (3, 3)))
        self.score = _layer(channels, 1, (3, 3))

    def forward(self, audio: Tensor) -> list[Tensor]:
        image = magnitudes(audio, self.n_fft).mT[:, None]  # (B, 1, T, F)
        return _seen(image, self.layers, self.score)


def _layer(
    inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> nn.Module:
    padding = kernel[0] // 2, kernel[1] // 2
    return weight_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding))


def _seen(x: Tensor, layers: nn.ModuleList, score: nn.Module) -> list[Tensor]:
    seen = []
    for layer in layers:
        x = F.leaky_relu(layer(x), 0.1)
        seen.append(x)
    return [*seen, score(x)]
