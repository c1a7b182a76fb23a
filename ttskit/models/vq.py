"""A VQ-VAE of mels (van den Oord et al., 2017): one book of vectors.

The encoder's vectors are drawn to the nearest ones of the book by a commitment loss; those of the
book follow the encoder's as moving averages (appendix A of the paper), or by another loss; the
decoder's gradient goes straight to the encoder.
"""

from __future__ import annotations

from typing import ClassVar

from ttskit.models.melcodec import TRAINING
from ttskit.models.rvq import VectorCodec, VectorConfig
from ttskit.networks.quantisers import Residual


class Vq(VectorCodec):
    """One book."""

    Config = VectorConfig
    presets: ClassVar = {"base": TRAINING}

    def quantised_by(self) -> Residual:
        return Residual(self.config.dimension, [self.codebook()], 0.0)
