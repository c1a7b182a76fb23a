"""The random generators of all processes of a training, which checkpoints keep."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from lightning_fabric import Fabric
from torch import Tensor

from ttskit.training import processes


def states(fabric: Fabric) -> dict[str, Tensor]:
    """Return the states of the generators of all processes, as `PROCESS/DEVICE`."""
    own = {"cpu": torch.get_rng_state()}
    if fabric.device.type == "cuda":
        own["cuda"] = torch.cuda.get_rng_state(fabric.device)
    return {
        f"{rank}/{device}": state
        for device, value in own.items()
        for rank, state in enumerate(processes.gathered(fabric, value))
    }


def restore(fabric: Fabric, states: Mapping[str, Tensor], seed: int, step: int) -> None:
    """Set the generators of this process to their states.

    Without any, as in a new training or with more processes than before, every process but the
    first of a new training gets a seed of its own.
    """
    rank, device = fabric.global_rank, fabric.device
    if f"{rank}/cpu" in states:
        torch.set_rng_state(states[f"{rank}/cpu"])
    elif rank or step:
        torch.manual_seed(hash((seed, step, rank)))
    if device.type == "cuda" and f"{rank}/cuda" in states:
        torch.cuda.set_rng_state(states[f"{rank}/cuda"], device)
