"""Rows of weights that become copies of other rows, with everything that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ttskit.models.family import Copied


@torch.no_grad()
def copy(
    copies: Iterable[Copied],
    model: nn.Module,
    optimizers: Mapping[str, Optimizer],
    averaged: Mapping[str, Tensor],
) -> dict[str, float]:
    """Copy rows of weights, of their moments and of their averages; return columns of the log."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    row: dict[str, float] = {}
    for name, weight, source, target in copies:
        values = [weight, *(averaged[names[id(weight)]] for _ in range(bool(averaged)))]
        for optimizer in optimizers.values():
            moments = optimizer.state.get(weight, {}).values()
            values += [one for one in moments if one.shape == weight.shape]
        for value in values:
            value[target] = value[source]
        row |= {f"split/{name}/from": float(source), f"split/{name}/to": float(target)}
    return row
