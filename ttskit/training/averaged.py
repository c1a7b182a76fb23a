"""A moving average of weights, validated and saved instead of the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Averaged:
    """The moving average of the weights of a model; with a decay of 0 there is none."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model, self._decay = model, decay
        own = model.named_parameters() if decay else ()
        self.weights = {name: value.detach().clone() for name, value in own}

    def follow(self, step: int) -> None:
        """Update the average with the current weights; the decay is lower in the first steps."""
        if self.weights:
            share = 1 - min(self._decay, (1 + step) / (10 + step))
            current = [value.detach() for value in self._model.parameters()]
            torch._foreach_lerp_(list(self.weights.values()), current, share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averaged weights into the model, in evaluation mode, inside this context."""
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
