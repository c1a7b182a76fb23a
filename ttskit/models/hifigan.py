"""HiFi-GAN (Kong et al., 2020): upsampling with leaky rectifiers."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from ttskit.models.vocoder import Convolutional
from ttskit.networks.facts import Facts
from ttskit.networks.upsampler import Upsampler, UpsamplerConfig

# As published but for smaller critics.
TRAINING = {
    "adversary.from_progress": 0.0,
    "spectral.stft": 0.0,
    "training.batch": 16,
    "training.segment": 32,
    "training.learning_rate": 2e-4,
    "training.beta1": 0.8,
    "training.beta2": 0.99,
    "training.schedule": "exponential",
    "training.clip_norm": 0.0,
}


# As published.  What differs: the loss measures the mel that the model reads, up to its fmax,
# instead of the full band; no critic has spectral norm, and audio is padded for them with zeros;
# their scores are no part of feature matching.  Weights are those of sums over the eight critics,
# of which the loss is the mean; an epoch of LJSpeech is 809 updates.
PAPER = TRAINING | {
    "spectral.mel": 45.0,
    "adversary.channels": 32,
    "adversary.deep": True,
    "adversary.halvings": [0, 1, 2],
    "adversary.n_fft": [],
    "adversary.weight": 8.0,
    "adversary.features": 16.0,
    "training.weight_decay": 0.01,
    "training.half_life": 560_000.0,  # 0.999 every epoch
    "training.final": 0.0,
    "training.warmup": 0,
}
V2 = {"channels": 128}
V3 = {
    "channels": 256,
    "rates": [8, 8, 4],
    "kernels": [16, 16, 8],
    "block_kernels": [3, 5, 7],
    "dilations": [1, 2, 2, 6, 3, 12],
    "double": False,
}


class Hifigan(Convolutional):
    """A vocoder of upsampling steps with leaky rectifiers."""

    Config = UpsamplerConfig

    presets: ClassVar = {
        "v1": TRAINING,
        "v2": TRAINING | V2,
        "v3": TRAINING | V3,
        "paper": PAPER,
        "paper-v2": PAPER | V2,
        "paper-v3": PAPER | V3,
    }

    def __init__(self, config: UpsamplerConfig, facts: Facts) -> None:
        steep, flat = nn.LeakyReLU(0.1), nn.LeakyReLU(0.01)
        upsampler = Upsampler(config, facts, lambda _: steep, steep, lambda _: flat)
        super().__init__(config, facts, upsampler, config.reach())
