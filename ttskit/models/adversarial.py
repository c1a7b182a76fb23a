"""Families that may be trained with critics: generator and critics take turns.

Shapes: B batch, M mel bands.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.critics import Critics
from ttskit.networks.facts import Facts


class Pair(NamedTuple):
    """What critics compare, (B, ...) each, and the other terms of the generator's loss."""

    recorded: Tensor
    copy: Tensor
    terms: dict[str, Tensor]


class Adversarial(Family):
    """A family whose config has a table `adversary`, and whose weights are in `generator`.

    Critics play from a part of the training on; the finished model is without them.
    """

    generator: nn.Module

    def __init__(self, config: Any, facts: Facts) -> None:
        super().__init__(config, facts)
        self.critics: Critics | None = None

    def heard(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return recordings and the generator's copies of them, (B, ...) each."""
        raise NotImplementedError

    def pair(self, batch: Batch, progress: float) -> Pair:
        """Return the same with the other terms of the generator's loss."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Add the critics, if they are ever used."""
        adversary = self.config.adversary
        if adversary.from_progress < 1:
            self.critics = Critics(adversary, adversary.critics())

    def judged(self, progress: float) -> bool:
        """Whether validation loss selects the checkpoint: not once critics play, who raise it."""
        return self.critics is None or progress < self.config.adversary.from_progress

    def players(self) -> dict[str, nn.Module]:
        generator: dict[str, nn.Module] = {"generator": self.generator}
        return generator | ({"critic": self.critics} if self.critics else {})

    def loss(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        return self.pair(batch, progress).terms

    def terms(self, batch: Batch, progress: float, player: str) -> dict[str, Tensor]:
        """Return the loss of one player; that of the critics is empty until they play."""
        critics = self.critics if progress >= self.config.adversary.from_progress else None
        if player == "critic":
            if critics is None:
                return {}
            with torch.no_grad():
                recorded, copy = self.heard(batch)
            return critics.loss(batch, recorded, copy)
        pair = self.pair(batch, progress)
        verdict = critics.verdict(batch, pair.recorded, pair.copy) if critics else {}
        return pair.terms | verdict

    def kept(self) -> dict[str, Tensor]:
        """Return all weights but those of the critics."""
        weights = self.state_dict()
        return {name: value for name, value in weights.items() if not name.startswith("critics.")}


def windows(batch: Batch, frames: int, recorded: Tensor, copy: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same random `frames` of every utterance of two mels, (B, frames, M) each.

    What is longer than the utterance is 0.
    """
    lengths = batch.lengths["frame"]
    spare = (lengths - frames).clamp_min(0)
    start = (torch.rand(len(batch), device=copy.device) * (spare + 1)).long()
    at = start[:, None] + torch.arange(frames, device=copy.device)
    real = (at < lengths[:, None])[..., None]
    index = at.clamp_max(copy.shape[1] - 1)[..., None].expand(-1, -1, copy.shape[2])
    recorded, copy = (mel.gather(1, index) * real for mel in (recorded, copy))
    return recorded, copy
