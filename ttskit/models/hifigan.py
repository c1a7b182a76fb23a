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


class Hifigan(Convolutional):
    """A vocoder of upsampling steps with leaky rectifiers."""

    Config = UpsamplerConfig

    presets: ClassVar = {
        "v1": TRAINING,
        "v2": TRAINING | {"channels": 128},
        "v3": TRAINING
        | {
            "channels": 256,
            "rates": [8, 8, 4],
            "kernels": [16, 16, 8],
            "block_kernels": [3, 5, 7],
            "dilations": [1, 2, 2, 6, 3, 12],
            "double": False,
        },
    }

    def __init__(self, config: UpsamplerConfig, facts: Facts) -> None:
        steep, flat = nn.LeakyReLU(0.1), nn.LeakyReLU(0.01)
        upsampler = Upsampler(config, facts, lambda _: steep, steep, lambda _: flat)
        super().__init__(config, facts, upsampler, config.reach())
