"""The predictor: a stack of convolutions over the states of tokens."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ttskit.networks.layers import LayerNorm
from ttskit.settings import MOST_LAYERS, key


@dataclass(frozen=True)
class PredictorConfig:
    hidden: int = key(256, "channels of the predictor", least=1)
    layers: int = key(2, "number of convolutions", least=1, most=MOST_LAYERS)
    kernel: int = key(3, "width of these convolutions in tokens, odd", least=1, odd=True)
    dropout: float = key(0.1, "dropout after each of these convolutions", least=0, most=1)


class Predictor(nn.Module):
    """A stack of convolution, ReLU, norm and dropout; a style may modulate each norm's output.

    The modulation is FiLM (Perez et al., 2018), (1 + scale) * x + shift.
    """

    def __init__(self, config: PredictorConfig, channels: int, style_channels: int = 0) -> None:
        super().__init__()
        hidden, layers, pad = config.hidden, config.layers, config.kernel // 2
        self.convolutions = nn.ModuleList(
            nn.Conv1d(channels if i == 0 else hidden, hidden, config.kernel, padding=pad)
            for i in range(layers)
        )
        self.norms = nn.ModuleList(LayerNorm(hidden) for _ in range(layers))
        self.dropout = nn.Dropout(config.dropout)
        self.style = nn.Linear(style_channels, 2 * hidden * layers) if style_channels else None
        if self.style is not None:
            nn.init.zeros_(self.style.weight)
            nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, mask: Tensor, style: Tensor | None = None) -> Tensor:
        """x (B, channels, N), mask (B, 1, N), style (B, S) -> (B, H, N)."""
        layers = len(self.convolutions)
        modulations = [(0.0, 0.0)] * layers
        if self.style is not None:
            both = self.style(style)[..., None].unflatten(1, (layers, 2, -1)).unbind(1)
            modulations = [one.unbind(1) for one in both]  # (B, H, 1) twice for each layer
        for convolution, norm, (scale, shift) in zip(
            self.convolutions, self.norms, modulations, strict=True
        ):
            x = (1 + scale) * norm(convolution(x * mask).relu()) + shift
            x = self.dropout(x)
        return x
