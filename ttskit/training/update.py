"""An update of the weights: every player of a model in turn, on the batches of all processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ttskit.errors import TrainingError
from ttskit.models.family import Family
from ttskit.networks.batch import Batch
from ttskit.training import exchange, processes
from ttskit.training.configuration import Training

DECAYING = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.ConvTranspose1d,
    nn.Embedding,
    nn.GRU,
)  # layers whose matrices decay
GAIN = "parametrizations.weight.original0"  # of a weight-normalised layer


class Players:
    """The parts of a model that are trained in turn, each with its own optimizer."""

    def __init__(self, fabric: Fabric, model: Family, training: Training) -> None:
        self._fabric, self._model, self._training = fabric, model, training
        self._modules = model.players()
        self.optimizers = {
            player: optimizer(module, training) for player, module in self._modules.items()
        }

    def update(self, batches: Sequence[Batch], step: int, progress: float) -> dict[str, float]:
        """Take one optimizer step for every player, and return the row of the log."""
        counts = processes.total_counts(self._fabric, batches)
        shared = [replace(batch, counts=counts) for batch in batches]
        rate = self._training.rate(step, progress)
        row = {"progress": progress, "learning_rate": rate}
        row |= dict.fromkeys(("loss", "gradient", "backward_seconds"), 0.0)
        for player, optimizer in self.optimizers.items():
            terms, seconds = self.gradients(player, shared, progress)
            row["backward_seconds"] += seconds
            if not terms:
                continue
            norm = self._clip(self._modules[player])
            label = partial(called, self._modules, player)
            row |= {f"loss/{label(name)}": value for name, value in terms.items()}
            row["loss"] += sum(terms.values())
            row[label("gradient")] = norm
            row["gradient"] = max(row["gradient"], norm)
            if not np.isfinite(row["loss"]) or not np.isfinite(norm):
                raise refusal(step, batches, self._terms(player, progress))
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        return row

    def gradients(
        self, player: str, batches: Sequence[Batch], progress: float
    ) -> tuple[dict[str, float], float]:
        """Compute the gradients of a player's loss with respect to its own weights.

        Returns the terms of the loss, and the seconds of the backward pass and of the exchange.
        """
        own, loss = self._modules[player], self._terms(player, progress)
        self.optimizers[player].zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        seconds = 0.0
        several = self._fabric.world_size > 1
        with _frozen(one for one in self._modules.values() if one is not own):
            for number, batch in enumerate(batches, 1):
                with self._fabric.autocast():
                    terms = loss(batch)
                if terms:
                    began = time.perf_counter()
                    last = several and number == len(batches)
                    with exchange.summed(own.parameters()) if last else nullcontext():
                        self._fabric.backward(torch.stack(list(terms.values())).sum())
                    seconds += time.perf_counter() - began
                for name, value in terms.items():
                    sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach()
        totals = {name: float(value) for name, value in sums.items()}
        return processes.summed(self._fabric, totals), seconds

    def _terms(self, player: str, progress: float) -> Callable[[Batch], Mapping[str, Tensor]]:
        return lambda batch: self._model.terms(batch, progress, player)

    def _clip(self, module: nn.Module) -> float:
        """Clip the gradients of a module, and return their norm before that."""
        parameters = [p for p in module.parameters() if p.grad is not None]
        norm = nn.utils.clip_grad_norm_(parameters, self._training.clip_norm or float("inf"))
        if self._training.clip_value:
            nn.utils.clip_grad_value_(parameters, self._training.clip_value)
        return float(norm)


def called(players: Collection[str], player: str, name: str) -> str:
    """Return the name of a column of the log; with several players it begins with the player."""
    return f"{player}/{name}" if len(players) > 1 else name


def optimizer(module: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Return the optimizer of a player."""
    kind = torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam
    names = decaying(module)
    own = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    return kind(
        [
            {
                "params": [p for name, p in own if name in names],
                "weight_decay": training.weight_decay,
            },
            {"params": [p for name, p in own if name not in names], "weight_decay": 0.0},
        ],
        lr=training.learning_rate,
        betas=(training.beta1, training.beta2),
        eps=training.epsilon,
        fused=True,
    )


def decaying(module: nn.Module) -> set[str]:
    """Return the names of the parameters that weight decay applies to.

    They are the matrices of the layers in `DECAYING`; of a weight-normalised one its direction,
    not its gain.  Biases, norms and all parameters of other modules do not decay.
    """
    return {
        f"{path}.{name}" if path else name
        for path, layer in module.named_modules()
        if isinstance(layer, DECAYING)
        for name, parameter in layer.named_parameters()
        if parameter.dim() > 1 and name != GAIN
    }


@torch.no_grad()
def refusal(
    step: int, batches: Sequence[Batch], loss: Callable[[Batch], Mapping[str, Tensor]]
) -> TrainingError:
    """Return the error that names the utterances whose loss is NaN or infinite."""
    bad = [
        batch.ids[row]
        for batch in batches
        for row in range(len(batch))
        if not all(torch.isfinite(value).all() for value in loss(batch.only(row)).values())
    ]
    if bad:
        where = f"{', '.join(bad)} {'has' if len(bad) == 1 else 'have'}"
    else:
        where = f"one of {', '.join(id for batch in batches for id in batch.ids)} has"
    return TrainingError(
        f"update {step + 1}: {where} a loss or a gradient that is NaN or infinite: look at them "
        "with `ttskit verify` and `ttskit plot`, or train with a lower training.learning_rate"
    )


@contextmanager
def _frozen(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Compute no gradients for the weights of some modules inside this context."""
    parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
