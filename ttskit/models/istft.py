"""A vocoder by the inverse short-time Fourier transform (Siuzdak, 2023, Vocos).

Convolutions over frames predict magnitude and phase of every frequency bin.  No layer runs at the
sample rate, which makes it fast.

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
from ttskit.networks.convnext import ConvNeXt
from ttskit.networks.critics import AudioAdversary
from ttskit.networks.facts import Facts
from ttskit.networks.spectral import Spectral
from ttskit.settings import MOST_LAYERS, key, table

# The optimizer is that of the code of Vocos; the paper has betas of 0.9 and 0.999.
TRAINING = {
    "training.batch": 16,
    "training.segment": 64,
    "training.learning_rate": 5e-4,
    "training.beta1": 0.8,
    "training.beta2": 0.9,
    "training.schedule": "cosine",
    "training.clip_norm": 10.0,
}
BASE = {"channels": 512, "hidden": 1536, "layers": 8}
# As published (Vocos), with 24 kHz, 100 mel bands and a hop of 256.  What differs: critics of FFT
# sizes count as much as those of periods instead of 0.1 times, have the layers of UnivNet, a
# window, and scores that are no part of feature matching; the loss measures the mel that the model
# reads.
PAPER = (
    TRAINING
    | BASE
    | {
        "spectral.mel": 45.0,
        "spectral.stft": 0.0,
        "adversary.from_progress": 0.0,
        "adversary.kind": "hinge",
        "adversary.channels": 32,
        "adversary.deep": True,
        "adversary.weight": 1.0,
        "adversary.features": 1.0,
        "training.weight_decay": 0.01,
        "training.clip_norm": 0.0,
        "training.final": 0.0,
        "training.warmup": 0,
    }
)


class Istft(Convolutional):
    """Magnitude and phase by ConvNeXt blocks, audio by the inverse transform."""

    @dataclass(frozen=True)
    class Config:
        channels: int = key(256, "channels of every block", least=1)
        hidden: int = key(768, "channels inside a block, between its two linear layers", least=1)
        layers: int = key(7, "number of ConvNeXt blocks", least=1, most=MOST_LAYERS)
        kernel: int = key(
            7, "width of the convolution of a block in frames, odd", least=1, odd=True
        )
        spectral: Spectral = table(Spectral, "spectral distances from the recording")
        adversary: AudioAdversary = table(AudioAdversary, "critics (discriminators)")

    chunk = 512
    presets: ClassVar = {
        "tiny": TRAINING,
        "base": TRAINING | BASE,
        "paper": PAPER,
    }

    def __init__(self, config: Config, facts: Facts) -> None:
        windows = math.ceil((facts.n_fft / facts.hop_length - 1) / 2)
        reach = (config.layers + 1) * (config.kernel // 2) + windows
        super().__init__(config, facts, IstftGenerator(config, facts), reach)


class IstftGenerator(nn.Module):
    """A generator, mel (B, M, T) to audio (B, T · hop_length).

    `values` are predicted for each bin of a frame.
    """

    def __init__(self, config: Istft.Config, facts: Facts, values: int = 2) -> None:
        super().__init__()
        self.n_fft, self.hop_length = facts.n_fft, facts.hop_length
        channels, kernel = config.channels, config.kernel
        self.embed = nn.Conv1d(facts.n_mels, channels, kernel, padding=kernel // 2)
        self.first = nn.LayerNorm(channels, eps=1e-6)
        self.blocks = nn.Sequential(
            *(
                ConvNeXt(channels, config.hidden, kernel, 1 / config.layers)
                for _ in range(config.layers)
            )
        )
        self.last = nn.LayerNorm(channels, eps=1e-6)
        self.head = nn.Linear(channels, values * (facts.n_fft // 2 + 1))
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)

    def predicted(self, x: Tensor) -> Tensor:
        """Return the values of all bins from the first states, (B, T, C) to (B, T, values · F)."""
        values: Tensor = self.head(self.last(self.blocks(self.first(x)))).float()
        return values

    def forward(self, mel: Tensor) -> Tensor:
        log_magnitude, phase = self.predicted(self.embed(mel).mT).chunk(2, -1)
        # no bin of audio within full scale exceeds n_fft / 2
        magnitude = log_magnitude.clamp(max=math.log(self.n_fft / 2)).exp()
        spectrum = torch.complex(magnitude * phase.cos(), magnitude * phase.sin())  # 3x torch.polar
        return stft.audio(spectrum, self.n_fft, self.hop_length)
