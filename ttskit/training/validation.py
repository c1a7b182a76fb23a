"""Validation: the loss and the output of a model on utterances that it is not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from lightning_fabric import Fabric

from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.networks.facts import Picture
from ttskit.training import processes
from ttskit.training.update import called, refusal


@dataclass(frozen=True)
class Validation:
    """The results of one validation."""

    terms: Mapping[str, float]  # of the validation loss; empty without validation utterances
    numbers: Mapping[str, float]  # statistics that the model gives of its output
    pictures: Mapping[str, Picture]

    @property
    def loss(self) -> float:
        return sum(self.terms.values(), 0.0)

    def row(self) -> dict[str, float]:
        """Return the row of the log."""
        row = {f"held_out/loss/{name}": value for name, value in self.terms.items()}
        if row:
            row["held_out/loss"] = self.loss
        return row | {f"watch/{name}": value for name, value in self.numbers.items()}


@torch.no_grad()
def validate(
    model: Family,
    batches: Sequence[Batch],
    seed: int,
    step: int,
    *,
    held_out: bool,
    among: Fabric | None = None,
) -> Validation:
    """Compute the loss over all batches, and the model's statistics and pictures of the first.

    Random numbers are the same each time, and do not affect those of training.  Without
    `held_out` the batches are training utterances, whose loss is not a validation loss.  Processes
    `among` which the batches are shared get the loss over those of all.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        terms = _measured(model, batches, step, among) if held_out else {}
        return Validation(terms, *model.watch(batches[0]))


def _measured(
    model: Family, batches: Sequence[Batch], step: int, among: Fabric | None
) -> dict[str, float]:
    counts: dict[str, float] = {}
    for batch in batches:
        counts = processes.added(counts, batch.own_counts())
    counts = processes.summed(among, counts) if among else counts
    terms: dict[str, float] = {}
    for batch in batches:
        losses = model.loss(replace(batch, counts=counts), 1.0)
        terms = processes.added(terms, {name: float(value) for name, value in losses.items()})
    terms = processes.summed(among, terms) if among else terms
    if not np.isfinite(sum(terms.values())):
        raise refusal(step, batches, lambda batch: model.loss(batch, 1.0))
    players = model.players()  # `loss` is that of the first
    return {called(players, next(iter(players)), name): value for name, value in terms.items()}
