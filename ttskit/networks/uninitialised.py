"""Models without the random weights that those of a file are about to replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

DRAWS = {
    nn.init.kaiming_uniform_,
    nn.init.uniform_,
    nn.init.normal_,
    Tensor.uniform_,
    Tensor.normal_,
}


class Blank(TorchFunctionMode):
    """Within it weights that would be drawn are 0."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in DRAWS:
            with torch.no_grad():
                return (args[0] if args else kwargs["tensor"]).zero_()
        return func(*args, **kwargs)
