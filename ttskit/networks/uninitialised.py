"""Models built without random initialisation, whose weights are then loaded from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

RANDOM = {
    nn.init.kaiming_uniform_,
    nn.init.uniform_,
    nn.init.normal_,
    Tensor.uniform_,
    Tensor.normal_,
}


NEW = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.eye}


class TooLargeError(Exception):
    """A model has more numbers than it may have."""


class Uninitialised(TorchFunctionMode):
    """Skip random initialisation inside this context: weights are 0 instead.

    `most` bounds the tensors that are made and the numbers in all of them.  It is checked before
    each is made: a model whose config comes from a file may ask for any size.
    """

    def __init__(self, most: tuple[int, int] | None = None) -> None:
        super().__init__()
        self._tensors: float
        self._numbers: float
        self._tensors, self._numbers = most or (inf, inf)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in RANDOM:
            with torch.no_grad():
                return (args[0] if args else kwargs["tensor"]).zero_()
        if func in NEW:
            self._tensors -= 1
            self._numbers -= _numbers(func, args, kwargs)
            if min(self._tensors, self._numbers) < 0:
                raise TooLargeError
        return func(*args, **kwargs)


def _numbers(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """Return how many numbers a function of `NEW` makes."""
    first = kwargs.get("size", args[0] if args else ())
    sizes = first if isinstance(first, tuple | list) else args
    counts = [size for size in sizes if isinstance(size, int)]
    return counts[0] ** 2 if func is torch.eye and len(counts) == 1 else prod(counts)
