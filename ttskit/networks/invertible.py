"""The invertible network of Glow-TTS (Kim et al., 2020): from a mel to Gaussian noise and back.

Every layer returns its output and the logarithm of the determinant of its Jacobian.  Everything
but the networks inside the couplings is computed in float32, whatever the precision of training.
Shapes: B batch, C channels, H hidden channels, K channels of the condition, T frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ttskit.errors import SettingError
from ttskit.settings import MOST_LAYERS, key


@dataclass(frozen=True)
class FlowConfig:
    blocks: int = key(
        12,
        "number of blocks (activation norm, channel mixing, coupling)",
        least=1,
        most=MOST_LAYERS,
    )
    squeeze: int = key(2, "frames joined into one step of the flow", least=1)
    groups: int = key(4, "channels mixed with each other by one matrix, even", least=2)
    hidden: int = key(192, "channels of the network inside a coupling", least=1)
    layers: int = key(4, "gated convolutions inside a coupling", least=1, most=MOST_LAYERS)
    kernel: int = key(5, "width of these convolutions in steps, odd", least=1, odd=True)
    dropout: float = key(0.05, "dropout after each of these convolutions", least=0, most=1)

    def __post_init__(self) -> None:
        if self.groups % 2:
            raise SettingError(f"groups is {self.groups}, needs an even number")


class Flow(nn.Module):
    """A sequence of blocks over steps, each of which joins the channels of several frames."""

    initialised: Tensor

    def __init__(self, config: FlowConfig, channels: int, condition_channels: int = 0) -> None:
        super().__init__()
        self.squeeze = config.squeeze
        wide = channels * config.squeeze
        if wide % config.groups:
            raise SettingError(
                f"groups is {config.groups}, needs a divisor of {channels} mels * squeeze, {wide}"
            )
        self.blocks: Any = nn.ModuleList(
            FlowBlock(config, wide, condition_channels) for _ in range(config.blocks)
        )
        self.register_buffer("initialised", torch.tensor(False))

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, C, T), mask (B, T) -> noise (B, C, T), log-determinant (B,).

        The condition is (B, K, steps), or (B, K, 1) if it is the same for all steps.
        """
        x, steps = squeezed(x, self.squeeze), squeezed(mask[:, None].float(), self.squeeze)[:, :1]
        total = x.new_zeros(len(x))
        for block in self.blocks:
            x, log_determinant = block(x, steps, condition)
            total = total + log_determinant
        return unsqueezed(x, self.squeeze), total

    def inverse(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> Tensor:
        """Noise (B, C, T) -> x (B, C, T): the inverse of `forward`."""
        x, steps = squeezed(x, self.squeeze), squeezed(mask[:, None].float(), self.squeeze)[:, :1]
        for block in reversed(self.blocks):
            x = block.inverse(x, steps, condition)
        return unsqueezed(x, self.squeeze)

    @torch.no_grad()
    def initialise(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> None:
        """Make every norm give mean 0 and deviation 1 for x; further calls do nothing."""
        if self.initialised:
            return
        x, steps = squeezed(x, self.squeeze), squeezed(mask[:, None].float(), self.squeeze)[:, :1]
        for block in self.blocks:
            block.norm.initialise(x, steps)
            x, _ = block(x, steps, condition)
        self.initialised.fill_(True)

    def fold(self) -> None:
        """Make `inverse` faster: invert matrices once instead of at every call."""
        for module in self.modules():
            if isinstance(module, Mixing):
                module.undo = module.weight.detach().inverse()


class FlowBlock(nn.Module):
    """Activation norm, mixing of channels, and affine coupling of one half with the other."""

    def __init__(self, config: FlowConfig, channels: int, condition_channels: int) -> None:
        super().__init__()
        self.norm = ActNorm(channels)
        self.mixing = Mixing(config.groups)
        self.coupling = Coupling(config, channels // 2, condition_channels)

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, C, T), mask (B, 1, T) -> (B, C, T), (B,)."""
        x, first = self.norm(x, mask)
        x, second = self.mixing(x, mask)
        x, third = self.coupling(x, mask, condition)
        return x, first + second + third

    def inverse(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> Tensor:
        x = self.coupling.inverse(x, mask, condition)
        return self.norm.inverse(self.mixing.inverse(x), mask)


class ActNorm(nn.Module):
    """A learned scale and shift of each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(channels, 1))
        self.shift = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        scaled = (self.shift + self.log_scale.exp() * x) * mask
        return scaled, self.log_scale.sum() * mask.sum((1, 2))

    def inverse(self, x: Tensor, mask: Tensor) -> Tensor:
        return (x - self.shift) * (-self.log_scale).exp() * mask

    def initialise(self, x: Tensor, mask: Tensor) -> None:
        mean = (x * mask).sum((0, 2)) / mask.sum()  # (C,)
        variance = ((x - mean[:, None]).square() * mask).sum((0, 2)) / mask.sum()
        self.log_scale.copy_(-variance.clamp_min(1e-6).log()[:, None] / 2)
        self.shift.copy_(-mean[:, None] * self.log_scale.exp())


class Mixing(nn.Module):
    """One matrix that mixes groups of channels, half of each group from either half of a step."""

    undo: Tensor | None

    def __init__(self, groups: int) -> None:
        super().__init__()
        rotation, _ = torch.linalg.qr(torch.randn(groups, groups))
        if rotation.det() < 0:
            rotation[:, 0] *= -1
        self.weight = nn.Parameter(rotation.contiguous())
        self.register_buffer("undo", None, persistent=False)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        groups = x.shape[1] // len(self.weight)
        log_determinant = torch.linalg.slogdet(self.weight).logabsdet
        return self._mixed(x, self.weight), log_determinant * groups * mask.sum((1, 2))

    def inverse(self, x: Tensor) -> Tensor:
        return self._mixed(x, self.weight.inverse() if self.undo is None else self.undo)

    def _mixed(self, x: Tensor, weight: Tensor) -> Tensor:
        batch, channels, steps = x.shape
        groups, half = channels // len(weight), len(weight) // 2
        with torch.autocast(x.device.type, enabled=False):
            parts = x.reshape(batch, 2, groups, half, steps).transpose(2, 3).flatten(1, 2)
            mixed = torch.einsum("ij,bjgt->bigt", weight, parts)
            mixed = mixed.reshape(batch, 2, half, groups, steps).transpose(2, 3)
            return mixed.reshape(x.shape)


class Coupling(nn.Module):
    """Shift and scale one half of the channels by a network's output for the other half."""

    def __init__(self, config: FlowConfig, channels: int, condition_channels: int) -> None:
        super().__init__()
        hidden = config.hidden
        self.entry = weight_norm(nn.Conv1d(channels, hidden, 1))
        self.network = Gated(config, condition_channels)
        self.output = nn.Conv1d(hidden, 2 * channels, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        kept, changed = x.chunk(2, 1)
        shift, log_scale = self._change(kept, mask, condition)
        changed = (shift + log_scale.exp() * changed) * mask
        return torch.cat([kept, changed], 1), log_scale.sum((1, 2))

    def inverse(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> Tensor:
        kept, changed = x.chunk(2, 1)
        shift, log_scale = self._change(kept, mask, condition)
        return torch.cat([kept, (changed - shift) * (-log_scale).exp() * mask], 1)

    def _change(
        self, kept: Tensor, mask: Tensor, condition: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        hidden = self.network(self.entry(kept) * mask, mask, condition)
        shift, log_scale = (self.output(hidden).float() * mask).chunk(2, 1)
        return shift, log_scale


class Gated(nn.Module):
    """Gated convolutions as in WaveNet, whose outputs are summed."""

    def __init__(self, config: FlowConfig, condition_channels: int) -> None:
        super().__init__()
        hidden, layers = config.hidden, config.layers
        self.convolutions = nn.ModuleList(
            weight_norm(nn.Conv1d(hidden, 2 * hidden, config.kernel, padding=config.kernel // 2))
            for _ in range(layers)
        )
        # to the next layer and to the sum; the last layer has no next
        self.outputs = nn.ModuleList(
            weight_norm(nn.Conv1d(hidden, (1 if i == layers - 1 else 2) * hidden, 1))
            for i in range(layers)
        )
        # the name of this layer is part of model files
        self.told = (
            weight_norm(nn.Conv1d(condition_channels, 2 * hidden * layers, 1))
            if condition_channels
            else None
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor | None) -> Tensor:
        """x (B, H, T), mask (B, 1, T), condition (B, K, T or 1) -> (B, H, T)."""
        layers, hidden = len(self.convolutions), x.shape[1]
        each: Any = [None] * layers
        if self.told is not None:
            each = self.told(condition).chunk(layers, 1)  # (B, 2 * H, T or 1)
        total = torch.zeros_like(x)
        for convolution, output, one in zip(self.convolutions, self.outputs, each, strict=True):
            entry = self.dropout(convolution(x))
            value, gate = (entry if one is None else entry + one).chunk(2, 1)
            *to_next, to_sum = output(value.tanh() * gate.sigmoid()).split(hidden, 1)
            total = total + to_sum
            if to_next:
                x = (x + to_next[0]) * mask
        return total * mask


def squeezed(x: Tensor, by: int) -> Tensor:
    """(B, C, T) -> (B, by * C, T / by): consecutive frames become channels of one step."""
    batch, channels, frames = x.shape
    return x.reshape(batch, channels, -1, by).permute(0, 3, 1, 2).reshape(batch, -1, frames // by)


def unsqueezed(x: Tensor, by: int) -> Tensor:
    """Invert `squeezed`: (B, by * C, T / by) -> (B, C, T)."""
    batch, channels, steps = x.shape
    return x.reshape(batch, by, -1, steps).permute(0, 2, 3, 1).reshape(batch, channels // by, -1)
