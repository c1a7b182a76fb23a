"""The variance adaptor: pitch and loudness of tokens, predicted and added to their states.

Shapes: B batch, H hidden channels, N tokens, S channels of a style.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ttskit.networks.predictor import Predictor, PredictorConfig


class Adaptor(nn.Module):
    """Predicts pitch and loudness of tokens, and adds them to their states, normalised."""

    def __init__(self, config: PredictorConfig, channels: int, style: int) -> None:
        super().__init__()
        self.predictor = Predictor(config, channels, style)
        self.values = nn.Conv1d(config.hidden, 2, 1)
        self.entry = nn.Conv1d(2, channels, 3, padding=1)
        self.norm = nn.LayerNorm(channels)

    def forward(
        self, x: Tensor, mask: Tensor, style: Tensor, known: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor]:
        """Return the states (B, N, H), and the squared errors (B, N, 2) of what is known.

        What is known of pitch and loudness (B, N) takes the place of what is predicted.
        """
        real = mask[:, None].to(x)
        values = self.values(self.predictor(x.mT, real, style)).float().mT  # (B, N, 2)
        pairs = zip(values.unbind(-1), known, strict=True)
        used = torch.stack([own if true is None else true for own, true in pairs], -1)
        states = self.norm(x + self.entry((used.mT * real).to(x)).mT)
        return states * mask[..., None], (values - used).square()
