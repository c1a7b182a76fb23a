"""Validation: what a model is worth on utterances that it is not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Picture
from ttskit.training import processes
from ttskit.training.update import called, refusal


@dataclass(frozen=True)
class Validation:
    """What was found."""

    terms: Mapping[str, float]  # of the loss; none where nothing is held out
    numbers: Mapping[str, float]  # what the model shows of itself
    pictures: Mapping[str, Picture]

    @property
    def loss(self) -> float:
        return sum(self.terms.values(), 0.0)

    def row(self) -> dict[str, float]:
        """Return what there is to log."""
        row = {f"held_out/loss/{name}": value for name, value in self.terms.items()}
        if row:
            row["held_out/loss"] = self.loss
        return row | {f"watch/{name}": value for name, value in self.numbers.items()}


@torch.no_grad()
def validate(
    model: Family, batches: Sequence[Batch], seed: int, step: int, *, held_out: bool
) -> Validation:
    """Measure the loss on batches together, and let the model show itself on the first of them.

    What is left to chance is the same each time, and training knows nothing of it.  Without
    `held_out` the batches are of what is trained on, whose loss would say nothing.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        terms = _measured(model, batches, step) if held_out else {}
        return Validation(terms, *model.watch(batches[0]))


def _measured(model: Family, batches: Sequence[Batch], step: int) -> dict[str, float]:
    counts: dict[str, float] = {}
    for batch in batches:
        counts = processes.added(counts, batch.own_counts())
    terms: dict[str, float] = {}
    for batch in batches:
        found = model.loss(replace(batch, counts=counts), 1.0)
        terms = processes.added(terms, {name: float(value) for name, value in found.items()})
    if not np.isfinite(sum(terms.values())):
        raise refusal(step, batches, lambda batch: model.loss(batch, 1.0))
    players = model.players()  # `loss` is that of the first
    return {called(players, next(iter(players)), name): value for name, value in terms.items()}
