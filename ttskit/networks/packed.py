"""Linear layers and convolutions for the CPU with weights packed by oneDNN.

torch multiplies matrices by MKL, which on some processors uses half of their vector width;
oneDNN, which is part of torch, uses all of it and packs a matrix once instead of at every call.
The operators are those of `torch.compile`.  Where torch lacks them, layers are left alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NO_ACTIVATION, GELU = ("none", ""), ("gelu", "none")  # activation, and its approximation
MOST = 2**20  # values in the windows of a convolution; beyond, torch is faster


def pack(module: nn.Module) -> None:
    """Replace layers of a module by packed ones; it can then only run on the CPU, not train."""
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
        for place, (layer, after) in enumerate(pairwise(module)):
            if isinstance(layer, Packed) and isinstance(after, nn.GELU):
                layer.activation = GELU
                module[place + 1] = nn.Identity()


class Packed(nn.Module):
    """A linear layer with packed weights, (..., I) to (..., O)."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())
        self.bias = None if bias is None else bias.detach()
        self.activation = NO_ACTIVATION

    def forward(self, x: Tensor) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(
            x.contiguous(), self.weight, self.bias, self.activation[0], [], self.activation[1]
        )
        return product


class PackedConvolution(nn.Module):
    """A convolution that keeps the length, (B, I, L) to (B, O, L), as a matrix times windows."""

    def __init__(self, layer: nn.Conv1d) -> None:
        super().__init__()
        self.layer, (self.width,) = layer, layer.kernel_size
        self.packed = Packed(layer.weight.mT.flatten(1), layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.width * x.numel() > MOST:
            large: Tensor = self.layer(x)
            return large
        places = x.mT  # (B, L, I)
        if self.width > 1:
            side = self.width // 2
            windows = F.pad(places, (0, 0, side, side)).unfold(1, self.width, 1)  # (B, L, I, width)
            places = windows.mT.flatten(2)
        return self.packed(places).mT


def is_matrix(layer: nn.Module) -> TypeGuard[nn.Linear]:
    """Whether a layer is an ordinary linear layer on the CPU."""
    return type(layer) is nn.Linear and layer.weight.device.type == "cpu"


def is_convolution(layer: nn.Module) -> TypeGuard[nn.Conv1d]:
    """Whether a layer is an ordinary convolution on the CPU that keeps the length."""
    if type(layer) is not nn.Conv1d or layer.weight.device.type != "cpu":
        return False
    (width,) = layer.kernel_size
    shape = layer.stride, layer.dilation, layer.groups, layer.padding, layer.padding_mode
    return width % 2 == 1 and shape == ((1,), (1,), 1, (width // 2,), "zeros")


def works() -> bool:
    """Whether the operators work: they are not part of torch's public interface."""
    layer, x = nn.Linear(3, 2), torch.ones(1, 3)
    try:
        with torch.no_grad():
            product = Packed(layer.weight, layer.bias)(x)
            return bool(torch.allclose(product, layer(x), atol=1e-5))
    except (AttributeError, RuntimeError, TypeError):
        return False
