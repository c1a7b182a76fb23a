"""Models built without random initialisation, whose weights are then loaded from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


class Uninitialised(TorchFunctionMode):
    """Skip random initialisation inside this context: weights are 0 instead."""

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
        return func(*args, **kwargs)
