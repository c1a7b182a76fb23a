"""A synthesiser alone: a vocoder that plays given controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ttskit.models.vocoder import Vocoder
from ttskit.networks.synthesiser import Controls, pieces


class Player(Vocoder):
    """A synthesiser alone: it plays controls as they are."""

    @dataclass(frozen=True)
    class Config:
        """Nothing shapes it but the grid."""

    @property
    def wants(self) -> tuple[str, ...]:
        return Controls._fields

    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        told = self.facts
        return pieces(Controls.of(frames), told.sample_rate, told.hop_length, generator)
