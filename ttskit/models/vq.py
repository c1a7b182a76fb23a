"""A VQ-VAE of mels (van den Oord et al., 2017): one book of vectors, learnt by the gradient.

The encoder's vectors are drawn to the nearest ones of the book by a commitment loss, and those of
the book to the encoder's by another; the decoder's gradient goes straight to the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ttskit.models.melcodec import TRAINING
from ttskit.models.rvq import VectorCodec, VectorConfig
from ttskit.networks.quantisers import Residual
from ttskit.settings import key


@dataclass(frozen=True)
class VqConfig(VectorConfig):
    learnt: bool = key(True, "the book is learnt by the gradient instead of moving averages")


class Vq(VectorCodec):
    """One book."""

    Config = VqConfig
    config: VqConfig
    presets: ClassVar = {"base": TRAINING}

    def quantised_by(self) -> Residual:
        return Residual(self.config.dimension, [self.codebook()], 0.0)
