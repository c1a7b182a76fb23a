"""A codec of mels by finite scalar quantisation (Mentzer et al., 2023).

Every channel of a code is rounded to a few levels.  There is no book to be learnt, so none can
collapse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ttskit.models.melcodec import TRAINING, MelCodec, MelCodecConfig
from ttskit.networks.quantisers import FiniteScalar
from ttskit.settings import MOST_LAYERS, key


@dataclass(frozen=True)
class FsqConfig(MelCodecConfig):
    levels: tuple[int, ...] = key(
        (8, 5, 5, 5), "levels of each channel; their product is the size of a book", least=3
    )
    groups: int = key(4, "books that describe different channels", least=1, most=MOST_LAYERS)
    residual: int = key(
        1,
        "stages of books, each of which describes what the last one left over",
        least=1,
        most=MOST_LAYERS,
    )
    dropout: float = key(
        0.0, "share of utterances trained on the first few books only", least=0, most=1
    )


class Fsq(MelCodec):
    """Books of rounded channels."""

    Config = FsqConfig
    config: FsqConfig
    presets: ClassVar = {"base": TRAINING}

    def quantised_by(self) -> FiniteScalar:
        config = self.config
        return FiniteScalar(config.levels, config.groups, config.residual, config.dropout)
