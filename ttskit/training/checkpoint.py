"""Checkpoints: the full state of a training, from which it resumes bit by bit.

/               attrs  state (JSON: step, seconds, best ...)
/model/NAME  /ema/NAME  /optimizer/PLAYER/NUMBER/NAME  /random/PROCESS/DEVICE
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttskit.artifacts import hdf5, sealing
from ttskit.errors import ArtifactError
from ttskit.voices.model import tensors, tree

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

KIND = "checkpoint"


@dataclass
class State:
    """How far a training has come."""

    step: int = 0  # updates done
    seconds: float = 0.0  # of training so far, over all runs
    best: float = float("inf")  # lowest validation loss so far
    best_step: int = 0
    stale: int = 0  # validations since then
    groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # of the optimizers

    def judge(self, loss: float, least_gain: float | None) -> bool:
        """Record a validation loss, and return whether the current weights are the best so far.

        Without a least gain the loss does not count, and the current weights are the best.
        """
        if least_gain is not None and loss >= self.best - least_gain:
            self.stale += 1
            return False
        self.best, self.best_step, self.stale = loss, self.step, 0
        return True


@dataclass(frozen=True)
class Checkpoint:
    """What a training was after an update: a copy, to be written while updates go on."""

    state: str  # JSON
    columns: Sequence[sealing.Source]
    provenance: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        state: State,
        model: nn.Module,
        averaged: Mapping[str, Tensor],
        optimizers: Mapping[str, Optimizer],
        generators: Mapping[str, Tensor],
        provenance: Mapping[str, Any],
    ) -> Checkpoint:
        kept = {player: optimizer.state_dict() for player, optimizer in optimizers.items()}
        state.groups = {player: one["param_groups"] for player, one in kept.items()}
        moments = {
            f"{player}/{number}/{name}": value
            for player, one in kept.items()
            for number, values in one["state"].items()
            for name, value in values.items()
        }
        groups = {
            "model": model.state_dict(),
            "ema": averaged,
            "optimizer": moments,
            "random": generators,
        }
        columns = [
            column for name, values in groups.items() for column in tree(name, _copies(values))
        ]
        return cls(json.dumps(asdict(state)), columns, provenance)

    def save(self, path: Path) -> None:
        """Write it atomically."""
        sealing.seal(path, KIND, {"state": self.state}, self.provenance, self.columns)


def _copies(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", copy=True) for name, value in values.items()}


def step(path: Path) -> int:
    """Return the number of updates after which a checkpoint was written; 0 without one."""
    if not path.exists():
        return 0
    state = hdf5.open_container(path).attributes.get("state", "{}")
    return int(json.loads(str(state)).get("step", 0))


def load(
    path: Path,
    model: nn.Module,
    averaged: Mapping[str, Tensor],
    optimizers: Mapping[str, Optimizer],
) -> tuple[State, dict[str, Tensor]]:
    """Restore model, averaged weights and optimizers from a checkpoint.

    Returns how far the training has come, and the states of the random generators.
    """
    container = hdf5.open_container(path)
    if container.kind != KIND:
        raise ArtifactError(f"{path}: is {container.kind}, needs {KIND}")
    try:
        state = State(**json.loads(str(container.attributes["state"])))
        model.load_state_dict(tensors(container, "model"))
        moments = tensors(container, "optimizer")
        for player, optimizer in optimizers.items():
            own = {
                name.removeprefix(f"{player}/"): value
                for name, value in moments.items()
                if name.startswith(f"{player}/")
            }
            _restore(optimizer, own, state.groups[player])
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(
            f"{path}: does not fit this training ({reason}); add --restart to start over"
        ) from error
    for name, value in tensors(container, "ema").items():
        averaged[name].copy_(value)  # on the device where they are
    return state, tensors(container, "random")


def _restore(
    optimizer: Optimizer, moments: Mapping[str, Tensor], groups: list[dict[str, Any]]
) -> None:
    """Restore an optimizer from moments by `NUMBER/NAME`.

    Fused optimizers pair moments and parameters by their place in memory, so moments get the
    memory layout of their parameter.
    """
    import torch

    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    values: dict[int, dict[str, Tensor]] = {}
    for name, value in moments.items():
        number, key = name.split("/")
        parameter = parameters[int(number)]
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter, device=value.device).copy_(value)
        values.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": values, "param_groups": groups})
