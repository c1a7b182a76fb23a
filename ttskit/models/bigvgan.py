"""BigVGAN (Lee et al., 2023): upsampling with periodic activations without aliasing.

B batch, C channels, L samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.models.hifigan import PAPER as HIFIGAN
from ttskit.models.hifigan import TRAINING
from ttskit.models.vocoder import Convolutional
from ttskit.networks.facts import Facts
from ttskit.networks.upsampler import Upsampler, UpsamplerConfig
from ttskit.settings import key

RECIPE = {"training.learning_rate": 1e-4, "training.clip_norm": 500.0}
# As published, with 24 kHz, 100 mel bands and a hop of 256.  What differs: as in HiFi-GAN, and
# the critics' spectra have a window and hops of a quarter; an epoch of LibriTTS is taken to be
# 11,087 updates; activations are `snakebeta`, as in the published weights.
PAPER = HIFIGAN | {
    "channels": 1536,
    "rates": [4, 4, 2, 2, 2, 2],
    "kernels": [8, 8, 4, 4, 4, 4],
    "adversary.halvings": [],
    "adversary.n_fft": [512, 1024, 2048],
    "training.batch": 32,
    "training.learning_rate": 1e-4,
    "training.clip_norm": 1000.0,
    "training.half_life": 7_680_000.0,  # 0.999 every epoch
}
SMALL = {"channels": 512, "rates": [8, 8, 2, 2], "kernels": [16, 16, 4, 4]}
TAPS = 12  # of the low-pass filter
REACH = 5  # samples on either side that an activation depends on


class Bigvgan(Convolutional):
    """A vocoder of upsampling steps with snake activations."""

    @dataclass(frozen=True)
    class Config(UpsamplerConfig):
        """Sizes of the generator, and its activation."""

        activation: str = key("snakebeta", "periodic activation", choices=("snake", "snakebeta"))

    presets: ClassVar = {
        "base": TRAINING | RECIPE,
        "tiny": TRAINING | RECIPE | {"channels": 128},
        "paper": PAPER,
        "paper-base": PAPER | SMALL,
    }

    def __init__(self, config: Config, facts: Facts) -> None:
        def activation(channels: int) -> nn.Module:
            return AntiAliased(Snake(channels, config.activation == "snakebeta"))

        upsampler = Upsampler(config, facts, activation, nn.Identity(), activation)
        super().__init__(config, facts, upsampler, config.reach(REACH))


class Snake(nn.Module):
    """x + sin²(αx)/β with α and β per channel (Ziyin et al., 2020); β = α unless separate."""

    def __init__(self, channels: int, separate: bool) -> None:
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(channels, 1))
        self.log_beta = nn.Parameter(torch.zeros(channels, 1)) if separate else self.log_alpha

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) -> (B, C, L)."""
        return x + torch.sin(x * self.log_alpha.exp()).square() * (-self.log_beta).exp()


class AntiAliased(nn.Module):
    """An activation at twice the rate, so that the harmonics it adds do not alias."""

    up: Tensor
    down: Tensor

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation
        low = lowpass(TAPS)
        # one filter of samples n − 3 to n + 3 gives sample 2n, its mirror image 2n + 1
        even = F.pad(2 * low[::2], (0, 1))
        self.register_buffer("up", torch.stack([even, even.flip(0)])[:, None], persistent=False)
        self.register_buffer("down", low[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) -> (B, C, L)."""
        flat = x.reshape(-1, 1, x.shape[2])  # (B · C, 1, L)
        half = TAPS // 4
        fine = F.conv1d(F.pad(flat, (half, half), mode="replicate"), self.up)  # (B · C, 2, L)
        fine = self.activation(fine.mT.reshape(*x.shape[:2], -1)).reshape(len(flat), 1, -1)
        fine = F.pad(fine, (TAPS // 2 - 1, TAPS // 2), mode="replicate")
        return F.conv1d(fine, self.down, stride=2).reshape(x.shape)


def lowpass(taps: int) -> Tensor:
    """Return a half-band low-pass filter of unit sum, (taps,): a sinc with a Kaiser window.

    The transition band is 0.3 of the sample rate, as published.
    """
    attenuation = 2.285 * (taps / 2 - 1) * math.pi * 4 * 0.3 + 7.95  # dB, 51
    window = torch.kaiser_window(taps, periodic=False, beta=0.1102 * (attenuation - 8.7))
    low = torch.sinc((torch.arange(taps) - (taps - 1) / 2) / 2) * window
    return low / low.sum()
