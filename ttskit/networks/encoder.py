"""The text encoder of Glow-TTS (Kim et al., 2020): a transformer with relative positions.

Self-attention depends on the distance of two tokens (Shaw et al., 2018) up to a window; greater
distances are alike.

Shapes: B batch, H hidden channels, K channels of a head, N tokens, W places in the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.errors import SettingError
from ttskit.networks.layers import Convolutions, LayerNorm
from ttskit.settings import MOST_LAYERS, key

REACHES = 5, 20  # tokens within which an end is near


@dataclass(frozen=True)
class EncoderConfig:
    hidden: int = key(192, "channels of a token's state", least=2)
    filter: int = key(768, "channels within a feed-forward layer", least=1)
    heads: int = key(2, "attention heads; must divide hidden", least=1)
    layers: int = key(6, "transformer layers", least=0, most=MOST_LAYERS)
    kernel: int = key(3, "width of the feed-forward convolutions in tokens, odd", least=1, odd=True)
    window: int = key(4, "tokens on either side whose distance attention distinguishes", least=0)
    dropout: float = key(0.1, "dropout in the transformer layers", least=0, most=1)
    prenet_layers: int = key(3, "convolutions before the transformer", least=0, most=MOST_LAYERS)
    prenet_kernel: int = key(5, "width of these convolutions in tokens, odd", least=1, odd=True)
    prenet_dropout: float = key(0.5, "dropout after each of these convolutions", least=0, most=1)
    ends: bool = key(False, "tell each token how far it is from both ends of the utterance")

    def __post_init__(self) -> None:
        if self.hidden % self.heads:
            raise SettingError(f"hidden is {self.hidden}, needs a multiple of heads, {self.heads}")


class TextEncoder(nn.Module):
    """Encodes tokens; with speaker channels, the states depend on the speaker."""

    def __init__(self, config: EncoderConfig, symbols: int, speaker_channels: int = 0) -> None:
        super().__init__()
        hidden = config.hidden
        self.embedding = nn.Embedding(symbols, hidden)
        nn.init.normal_(self.embedding.weight, 0, hidden**-0.5)
        self.speaker = nn.Linear(speaker_channels, hidden) if speaker_channels else None
        self.ends = nn.Conv1d(2 * len(REACHES) + 1, hidden, 1) if config.ends else None
        self.prenet = Convolutions(
            hidden,
            hidden,
            layers=config.prenet_layers,
            kernel=config.prenet_kernel,
            dropout=config.prenet_dropout,
        )
        self.joined = nn.Conv1d(hidden, hidden, 1)
        nn.init.zeros_(self.joined.weight)
        nn.init.zeros_(self.joined.bias)  # type: ignore[arg-type]
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))

    def forward(self, tokens: Tensor, mask: Tensor, speaker: Tensor | None = None) -> Tensor:
        """tokens (B, N), mask (B, N) bool, speaker (B, S) -> (B, H, N), zero in the padding."""
        mask = mask[:, None].float()  # (B, 1, N)
        x = self.embedding(tokens).mT * self.embedding.embedding_dim**0.5  # (B, H, N)
        if self.speaker is not None:
            x = x + self.speaker(speaker)[..., None]
        if self.ends is not None:
            x = x + self.ends(ends(mask[:, 0]))
        x = x + self.joined(self.prenet(x, mask))
        for layer in self.layers:
            x = layer(x, mask)
        return x * mask


def ends(mask: Tensor) -> Tensor:
    """Return how near each token is to both ends of its utterance, each number from 0 to 1.

    Parameters
    ----------
    mask : (B, N), 1 for tokens, 0 in the padding

    Returns
    -------
    (B, 2 · reaches + 1, N)
        Within each reach of the start, of the end, and the share of the tokens before it.
    """
    before = mask.cumsum(1) - 1
    count = mask.sum(1, keepdim=True)
    near = [(-x / reach).exp() for x in (before, count - 1 - before) for reach in REACHES]
    return torch.stack([*near, before / count], 1) * mask[:, None]


class EncoderLayer(nn.Module):
    """Attention, then two convolutions; each added to its input and normalised after."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden, pad = config.hidden, config.kernel // 2
        self.attention = RelativeAttention(hidden, config.heads, config.window, config.dropout)
        self.widen = nn.Conv1d(hidden, config.filter, config.kernel, padding=pad)
        self.narrow = nn.Conv1d(config.filter, hidden, config.kernel, padding=pad)
        self.norms = nn.ModuleList((LayerNorm(hidden), LayerNorm(hidden)))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, H, N), mask (B, 1, N) -> (B, H, N)."""
        x = self.norms[0](x + self.dropout(self.attention(x, mask)))
        wide = self.dropout(self.widen(x * mask).relu())
        return self.norms[1](x + self.dropout(self.narrow(wide * mask)))


class RelativeAttention(nn.Module):
    """Self-attention whose keys and values also depend on the distance of two tokens."""

    def __init__(self, hidden: int, heads: int, window: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.entry = nn.Conv1d(hidden, 3 * hidden, 1)
        for part in self.entry.weight.data.chunk(3):
            nn.init.xavier_uniform_(part)
        self.output = nn.Conv1d(hidden, hidden, 1)
        size = hidden // heads
        self.keys = nn.Parameter(torch.randn(2 * window + 1, size) * size**-0.5)  # (W, K)
        self.values = nn.Parameter(torch.randn(2 * window + 1, size) * size**-0.5)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, H, N), mask (B, 1, N) -> (B, H, N)."""
        length, pad = x.shape[2], self.window
        query, key, value = self.entry(x).unflatten(1, (3, self.heads, -1)).mT.unbind(1)
        query = query * query.shape[-1] ** -0.5  # (B, heads, N, K)
        # the columns of the window around each row, among N + 2 * window
        near = torch.arange(length, device=x.device)[:, None] + torch.arange(
            2 * pad + 1, device=x.device
        )
        near = near.expand(*query.shape[:2], -1, -1)  # (B, heads, N, W)
        by_distance = query @ self.keys.T  # (B, heads, N, W)
        bias = by_distance.new_zeros(*query.shape[:3], length + 2 * pad)
        bias = bias.scatter(3, near, by_distance)[..., pad : pad + length]
        scores = (query @ key.mT + bias).masked_fill(mask[:, None] == 0, -1e4)
        weights = self.dropout(scores.softmax(-1))  # (B, heads, N, N)
        around = F.pad(weights, (pad, pad)).gather(3, near)  # (B, heads, N, W)
        attended = weights @ value + around @ self.values  # (B, heads, N, K)
        return self.output(attended.mT.flatten(1, 2))
