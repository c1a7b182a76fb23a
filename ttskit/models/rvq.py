"""A codec of mels by residual vector quantisation (Zeghidour et al., 2021, SoundStream).

Each book describes what the books before it have left over.  Books are of few channels, start as
k-means of the first batch, and replace the vectors that are hardly used, so that all are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ttskit.models.melcodec import TRAINING, MelCodec, MelCodecConfig
from ttskit.networks.batch import Batch
from ttskit.networks.quantisers import Codebook, Quantised, Residual
from ttskit.settings import MOST_LAYERS, key


@dataclass(frozen=True)
class VectorConfig(MelCodecConfig):
    size: int = key(2048, "vectors of a book", least=2, most=65536)
    dimension: int = key(64, "channels of a vector", least=1)
    learnt: bool = key(False, "books are learnt by the gradient instead of moving averages")
    decay: float = key(0.995, "decay of the moving averages of a book", least=0, most=0.99999)
    replace: float = key(
        0.1, "replace vectors used less than this share of the average use", least=0, most=1
    )
    commitment: float = key(
        0.01, "weight of the distance of the encoder's vectors from those of the books", least=0
    )


@dataclass(frozen=True)
class RvqConfig(VectorConfig):
    books: int = key(4, "books, each for what the last one left over", least=1, most=MOST_LAYERS)
    beams: int = key(
        4, "best beginnings that the search for the codes of a vector follows", least=1, most=64
    )
    dropout: float = key(
        0.0, "share of utterances trained on the first few books only", least=0, most=1
    )


class VectorCodec(MelCodec):
    """A codec whose books are vectors."""

    config: VectorConfig

    def codebook(self) -> Codebook:
        """Return a new book."""
        config = self.config
        return Codebook(
            config.size,
            config.dimension,
            learnt=config.learnt,
            decay=config.decay,
            replace=config.replace,
        )

    def _distances(self, batch: Batch, quantised: Quantised) -> dict[str, Tensor]:
        committed = self.config.commitment * self._per_frame(batch, quantised.commitment)
        if not self.config.learnt:
            return {"commitment": committed}
        codebook = self._per_frame(batch, quantised.codebook)
        return {"commitment": committed, "codebook": codebook}


class Rvq(VectorCodec):
    """Books in turn."""

    Config = RvqConfig
    config: RvqConfig
    presets: ClassVar = {"base": TRAINING}

    def quantised_by(self) -> Residual:
        config = self.config
        books = [self.codebook() for _ in range(config.books)]
        return Residual(config.dimension, books, config.dropout, config.beams)
