"""The base class of codecs of audio, which are imported: an encoder, books in turn, a decoder.

Shapes: B batch, N samples, L vectors of an utterance, C channels, K books.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ttskit.errors import TrainingError
from ttskit.models.coding import Codec
from ttskit.models.vocoder import Vocoder
from ttskit.networks.batch import Batch


class Book(nn.Module):
    """The vectors of a book, by number."""

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the code (B, L) of each of the vectors (B, C, L)."""
        raise NotImplementedError

    def vectors(self, codes: Tensor) -> Tensor:
        """Return the vectors (B, C, L) of codes (B, L)."""
        raise NotImplementedError


class AudioCodec(Codec, Vocoder):
    """Audio as codes, and codes as audio; a frame is one code.

    `encoder` leads from audio (B, 1, N) to vectors (B, C, L), `decoder` back; each of the books in
    `quantiser` describes what those before it have left over.
    """

    encoder: nn.Module
    decoder: nn.Module
    quantiser: nn.ModuleList
    reads = "audio"
    presets = {"base": {}}  # noqa: RUF012

    @classmethod
    def needs(cls, config: Any) -> tuple[str, ...]:  # noqa: ARG003
        return ()

    def prepare(self) -> None:
        """Refuse: its critics are not here."""
        name = type(self).__name__.lower()
        raise TrainingError(f"{name} is not trained here: `ttskit import` reads a checkpoint")

    @property
    def stride(self) -> int:
        return 1

    @property
    def books(self) -> int:
        return len(self.quantiser)

    @property
    def wants(self) -> tuple[str, ...]:
        return ("codes",)

    @torch.no_grad()
    def encode(self, batch: Batch, books: int | None = None) -> Tensor:
        """Return the codes (B, L, K) of audio (B, N)."""
        rest: Tensor = self.encoder(self.filled(batch["audio"])[:, None])  # (B, C, L)
        codes = []
        for book in islice(self._books(), books):
            codes.append(book.nearest(rest))
            rest = rest - book.vectors(codes[-1])
        return torch.stack(codes, 2)

    def filled(self, audio: Tensor) -> Tensor:
        """Return audio (B, N) as long as the encoder wants it."""
        return audio

    @torch.no_grad()
    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """Yield the audio (N,) of codes (L, K) of all books, or of the first ones."""
        codes = frames["codes"].long()
        books = zip(codes.T, self._books(), strict=False)
        vectors = torch.stack([book.vectors(column[None]) for column, book in books]).sum(0)
        yield self.decoded(vectors, generator)[0, 0]

    def decoded(self, vectors: Tensor, generator: torch.Generator | None) -> Tensor:  # noqa: ARG002
        """Return the audio (B, 1, N) of vectors (B, C, L); all randomness is the generator's."""
        audio: Tensor = self.decoder(vectors)
        return audio

    @torch.no_grad()
    def generate(
        self, batch: Batch, generator: torch.Generator | None = None, **knobs: float
    ) -> dict[str, Tensor]:
        """Return audio (B, N), zero beyond the end of an utterance."""
        audio = []
        for row in range(len(batch)):
            codes = batch.only(row)["codes"][0]
            audio.append(torch.cat([*self.stream({"codes": codes}, generator, **knobs)]))
        return {"audio": pad_sequence(audio, batch_first=True)}

    def _books(self) -> Iterator[Book]:
        for book in self.quantiser:
            assert isinstance(book, Book)
            yield book
