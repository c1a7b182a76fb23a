"""Averaged weights: they lag behind those that are trained, and are what is kept of a training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Averaged:
    """A moving average of the weights of a model; with a decay of 0 there is none."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model, self._decay = model, decay
        own = model.named_parameters() if decay else ()
        self.weights = {name: value.detach().clone() for name, value in own}

    def follow(self, step: int) -> None:
        """Take in the weights after an update; the first ones are soon forgotten."""
        if self.weights:
            share = 1 - min(self._decay, (1 + step) / (10 + step))
            now = [value.detach() for value in self._model.parameters()]
            torch._foreach_lerp_(list(self.weights.values()), now, share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Make the model for a while what would be kept of it: averaged, and not training."""
        own = dict(self._model.named_parameters())
        before = {name: own[name].detach().clone() for name in self.weights}
        _copy(self.weights, own)
        self._model.eval()
        try:
            yield
        finally:
            _copy(before, own)
            self._model.train()


@torch.no_grad()
def _copy(values: Mapping[str, Tensor], to: Mapping[str, Tensor]) -> None:
    for name, value in values.items():
        to[name].copy_(value)
