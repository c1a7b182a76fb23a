"""A network that predicts noise or velocity from noisy data, a time and a condition.

ConvNeXt blocks, whose normalised inputs are modulated by the time (FiLM, Perez et al., 2018).

Shapes: B batch, C channels of the data, H hidden channels, T frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ttskit.networks.convnext import MaskedConvNeXt
from ttskit.networks.layers import LayerNorm
from ttskit.settings import MOST_LAYERS, key

WAVES, FASTEST = 64, 1000.0  # numbers that tell a time; radians of the fastest from 0 to 1


@dataclass(frozen=True)
class DenoiserConfig:
    hidden: int = key(256, "channels of the denoiser", least=1)
    layers: int = key(6, "ConvNeXt layers of the denoiser", least=1, most=MOST_LAYERS)
    dropout: float = key(0.0, "dropout in these layers", least=0, most=1)


class Denoiser(nn.Module):
    """From x (B, C, T) at a time (B,), with a condition (B, H, T), to (B, outputs, T)."""

    def __init__(self, config: DenoiserConfig, channels: int, outputs: int) -> None:
        super().__init__()
        hidden = config.hidden
        self.entry = nn.Conv1d(channels, hidden, 1)
        self.time = nn.Sequential(nn.Linear(WAVES, WAVES), nn.SiLU())
        self.blocks = nn.ModuleList(
            MaskedConvNeXt(hidden, 7, config.dropout) for _ in range(config.layers)
        )
        self.film = nn.Linear(WAVES, 2 * hidden * config.layers)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        self.last = LayerNorm(hidden)
        self.output = nn.Conv1d(hidden, outputs, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, time: Tensor, condition: Tensor, mask: Tensor) -> Tensor:
        """The mask is (B, 1, T); the result is 0 in the padding."""
        modulations = self.film(self.time(waves(time))).chunk(len(self.blocks), 1)
        hidden = (self.entry(x) + condition) * mask
        for block, modulation in zip(self.blocks, modulations, strict=True):
            hidden = block(hidden, mask, modulation)
        outputs: Tensor = self.output(self.last(hidden)) * mask
        return outputs


def waves(time: Tensor) -> Tensor:
    """Return sines and cosines, slow and fast, of times (B,) from 0 to 1, (B, WAVES)."""
    rates = FASTEST ** torch.linspace(0, 1, WAVES // 2, device=time.device)
    angles = time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)
