"""What all codecs are, of mels and of audio: what `encode` knows of them."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from ttskit.models.family import Family
from ttskit.networks.batch import Batch


class Codec(Family):
    """A model that turns a field into codes by `encode`, and codes into sound by `generate`."""

    role = "codec"
    reads: ClassVar[str] = "mel"  # the field that `encode` reads: mel or audio

    @classmethod
    def takes(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ("codes",)

    @property
    def stride(self) -> int:
        """The frames of a code."""
        raise NotImplementedError

    @property
    def books(self) -> int:
        """The codes of one place."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """The codes of a book."""
        raise NotImplementedError

    def encode(self, batch: Batch, books: int | None = None) -> Tensor:
        """Return codes (B, C, K) of all books, or the best of the first ones alone."""
        raise NotImplementedError
