"""The synthesiser of DDSP by itself, as a vocoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ttskit.models.vocoder import Vocoder
from ttskit.networks.synthesiser import SynthesiserControls, pieces


class Player(Vocoder):
    """A vocoder that renders given controls."""

    @dataclass(frozen=True)
    class Config:
        """There is nothing to set."""

    @property
    def wants(self) -> tuple[str, ...]:
        return SynthesiserControls._fields

    def stream(
        self,
        frames: Mapping[str, Tensor],
        generator: torch.Generator | None = None,
        **knobs: float,  # noqa: ARG002
    ) -> Iterator[Tensor]:
        controls = SynthesiserControls.of(frames)
        return pieces(controls, self.facts.sample_rate, self.facts.hop_length, generator)
