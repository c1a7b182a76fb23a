"""Layers whose weights lie as the processor multiplies them best.

torch multiplies by MKL, which on some processors uses half of their width; oneDNN, which torch
brings along, uses all of it, and lays a matrix out once instead of at every call.  Its operators
are those that `torch.compile` uses.  Where they are missing, all stays as it is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NOTHING, GELU = ("none", ""), ("gelu", "none")  # what comes after, and how it is approximated
MOST = 2**20  # numbers that a convolution is laid out in; larger ones are better left to torch


def pack(module: nn.Module) -> None:
    """Replace the matrices of a module by packed ones; it can then only generate, on a CPU."""
    if works():
        _pack(module)


def _pack(module: nn.Module) -> None:
    for name, child in module.named_children():
        if is_matrix(child):
            setattr(module, name, Packed(child.weight, child.bias))
        elif is_convolution(child):
            setattr(module, name, PackedConvolution(child))
        else:
            _pack(child)
    if isinstance(module, nn.Sequential):
        for place, (layer, then) in enumerate(pairwise(module)):
            if isinstance(layer, Packed) and isinstance(then, nn.GELU):
                layer.then = GELU
                module[place + 1] = nn.Identity()


class Packed(nn.Module):
    """A linear layer, (..., I) to (..., O)."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())
        self.bias = None if bias is None else bias.detach()
        self.then = NOTHING

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = torch.ops.mkldnn._linear_pointwise(
            x.contiguous(), self.weight, self.bias, self.then[0], [], self.then[1]
        )
        return made


class PackedConvolution(nn.Module):
    """A convolution that keeps the length, (B, I, L) to (B, O, L): a matrix times windows of it."""

    def __init__(self, layer: nn.Conv1d) -> None:
        super().__init__()
        self.layer, (self.width,) = layer, layer.kernel_size
        self.packed = Packed(layer.weight.mT.flatten(1), layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.width * x.numel() > MOST:
            made: Tensor = self.layer(x)
            return made
        places = x.mT  # (B, L, I)
        if self.width > 1:
            side = self.width // 2
            windows = F.pad(places, (0, 0, side, side)).unfold(1, self.width, 1)  # (B, L, I, width)
            places = windows.mT.flatten(2)
        return self.packed(places).mT


def is_matrix(layer: nn.Module) -> TypeGuard[nn.Linear]:
    """Tell whether a layer is a plain one that multiplies by a matrix."""
    return type(layer) is nn.Linear and layer.weight.device.type == "cpu"


def is_convolution(layer: nn.Module) -> TypeGuard[nn.Conv1d]:
    """Tell whether a layer is a plain convolution that keeps the length."""
    if type(layer) is not nn.Conv1d or layer.weight.device.type != "cpu":
        return False
    (width,) = layer.kernel_size
    shape = layer.stride, layer.dilation, layer.groups, layer.padding, layer.padding_mode
    return width % 2 == 1 and shape == ((1,), (1,), 1, (width // 2,), "zeros")


def works() -> bool:
    """Try the operators: they are not part of what torch promises."""
    layer, x = nn.Linear(3, 2), torch.ones(1, 3)
    try:
        with torch.no_grad():
            made = Packed(layer.weight, layer.bias)(x)
            return bool(torch.allclose(made, layer(x), atol=1e-5))
    except (AttributeError, RuntimeError, TypeError):
        return False
