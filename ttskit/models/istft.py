"""Audio by one inverse transform (Siuzdak, 2023, Vocos): a net of frames, not of samples.

Convolutions at the rate of frames say magnitude and phase of every frequency bin; the inverse
short-time Fourier transform makes audio of them.  Hence the speed.

B batch, M mel bands, T frames, C channels, F frequency bins, N samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ttskit.dsp import stft
from ttskit.models.vocoder import Convolutional
from ttskit.networks.critics import Adversary
from ttskit.networks.facts import Facts
from ttskit.networks.spectral import Spectral
from ttskit.settings import key, table

TRAINING = {
    "training.batch": 16,
    "training.segment": 64,
    "training.learning_rate": 5e-4,
    "training.beta1": 0.8,
    "training.beta2": 0.99,
    "training.schedule": "cosine",
    "training.clip_norm": 10.0,
}


class Istft(Convolutional):
    """Magnitude and phase by ConvNeXt blocks, audio by the inverse transform."""

    @dataclass(frozen=True)
    class Config:
        channels: int = key(256, "of every block", least=1)
        hidden: int = key(768, "channels inside a block", least=1)
        layers: int = key(7, "blocks", least=1)
        kernel: int = key(7, "frames that a block sees, odd", least=1, odd=True)
        spectral: Spectral = table(Spectral, "distances from the recording")
        adversary: Adversary = table(Adversary, "critics")

    chunk = 512
    presets: ClassVar = {
        "tiny": TRAINING,
        "base": TRAINING | {"channels": 512, "hidden": 1536, "layers": 8},
    }

    def __init__(self, config: Config, facts: Facts) -> None:
        windows = math.ceil((facts.n_fft / facts.hop_length - 1) / 2)
        reach = (config.layers + 1) * (config.kernel // 2) + windows
        super().__init__(config, facts, Generator(config, facts), reach)


class Generator(nn.Module):
    """(B, M, T) to (B, T · hop_length)."""

    def __init__(self, config: Istft.Config, facts: Facts) -> None:
        super().__init__()
        self.n_fft, self.hop_length = facts.n_fft, facts.hop_length
        channels, kernel = config.channels, config.kernel
        self.embed = nn.Conv1d(facts.n_mels, channels, kernel, padding=kernel // 2)
        self.first = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.Sequential(*(Block(config) for _ in range(config.layers)))
        self.last = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, facts.n_fft + 2)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.first(self.embed(mel).mT)  # (B, T, C)
        x = self.head(self.last(self.blocks(x))).float()  # (B, T, 2 F)
        log_magnitude, phase = x.chunk(2, -1)
        # No bin of a sound within full scale is louder than half of n_fft.
        magnitude = log_magnitude.clamp(max=math.log(self.n_fft / 2)).exp()
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())  # 3x torch.polar
        return stft.audio(spectrum, self.n_fft, self.hop_length)


class Block(nn.Module):
    """ConvNeXt (Liu et al., 2022) along time: each channel over frames, then all over channels."""

    def __init__(self, config: Istft.Config) -> None:
        super().__init__()
        channels, kernel = config.channels, config.kernel
        self.along = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.across = nn.Sequential(
            nn.Linear(channels, config.hidden), nn.GELU(), nn.Linear(config.hidden, channels)
        )
        self.scale = nn.Parameter(torch.full((channels,), 1 / config.layers))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to the same."""
        change: Tensor = self.across(self.norm(self.along(x.mT).mT))
        return x + self.scale * change
