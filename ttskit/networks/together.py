"""What the processes of a training agree on inside a model; alone, a process agrees with itself."""

from __future__ import annotations

from torch import Tensor, distributed


def summed(values: Tensor) -> Tensor:
    """Sum a tensor over all processes of a training, in place, and return it."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(values)
    return values


def of_first(values: Tensor) -> Tensor:
    """Return the values of the first process of a training, so that all have the same."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.broadcast(values, 0)
    return values
