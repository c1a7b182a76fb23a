"""A causal transformer: each place attends to itself and to those before it.

Layers are normalised before (RMS), positions are rotations (Su et al., 2021).  Keys and values of
places that were seen are kept in a cache, so that the next place costs no more than itself.

Shapes: B batch, H hidden channels, K channels of a head, L length, M length of what is cached.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.errors import SettingError
from ttskit.settings import MOST_LAYERS, key

BASE = 10_000.0  # places, of the slowest rotation


@dataclass(frozen=True)
class CausalConfig:
    hidden: int = key(256, "channels of a place", least=2)
    layers: int = key(6, "transformer layers", least=1, most=MOST_LAYERS)
    heads: int = key(4, "attention heads; hidden must be an even multiple of them", least=1)
    filter: int = key(1024, "channels within a feed-forward layer", least=1)
    dropout: float = key(0.1, "dropout in the layers", least=0, most=1)

    def __post_init__(self) -> None:
        if self.hidden % (2 * self.heads):
            raise SettingError(
                f"hidden is {self.hidden}, needs an even multiple of heads, {self.heads}"
            )


@dataclass
class Cache:
    """Keys and values of each layer, (B, heads, M, K), and which of them are real, (B, M)."""

    room: int  # places in all
    length: int = 0
    real: Tensor | None = None
    layers: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def add(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Take keys and values of new places, and return those of all places so far."""
        if layer not in self.layers:
            shape = (*key.shape[:2], self.room, key.shape[3])
            self.layers[layer] = (key.new_empty(shape), value.new_empty(shape))
        stop = self.length + key.shape[2]
        for kept, new in zip(self.layers[layer], (key, value), strict=True):
            kept[:, :, self.length : stop] = new
        keys, values = self.layers[layer]
        return keys[:, :, :stop], values[:, :, :stop]


class Causal(nn.Module):
    """Layers over (B, L, H), with the norm after the last one."""

    def __init__(self, config: CausalConfig, both_ways: bool = False) -> None:
        super().__init__()
        self.both_ways = both_ways  # attend to what comes after, too; without a cache
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.hidden, eps=1e-5)
        pairs = config.hidden // config.heads // 2
        self.register_buffer("speed", BASE ** -(torch.arange(pairs) / pairs), persistent=False)

    speed: Tensor

    def forward(
        self, x: Tensor, places: Tensor, real: Tensor, cache: Cache | None = None
    ) -> Tensor:
        """Return the states (B, L, H) of places.

        Parameters
        ----------
        x : (B, L, H)
        places : (L,)
            What positions are rotated by.
        real : (B, L) bool
            False where no place may attend to: the padding.
        cache : of the places before these, to which these are added
        """
        angles = places[:, None] * self.speed  # (L, K / 2)
        turn = torch.cat([angles.cos(), angles.sin()], 1).to(x)
        before, length = 0, x.shape[1]
        if cache is not None:
            before = cache.length
            real = real if cache.real is None else torch.cat([cache.real, real], 1)
        mask = None if length == 1 and real.all() else self._mask(length, before, real)
        for number, layer in enumerate(self.layers):
            x = layer(x, turn, mask, cache, number)
        if cache is not None:
            cache.length, cache.real = before + length, real
        states: Tensor = self.norm(x)
        return states

    def _mask(self, length: int, before: int, real: Tensor) -> Tensor:
        """Return which places (B, 1, L, M) each one attends to; padding attends to itself."""
        seen = torch.ones(length, before + length, dtype=torch.bool, device=real.device)
        seen = seen if self.both_ways else seen.tril(before)
        own = torch.eye(length, before + length, dtype=torch.bool, device=real.device)
        return (seen & real[:, None] | own.roll(before, 1))[:, None]


class Layer(nn.Module):
    """Attention, then a gated feed-forward layer (Shazeer, 2020), each added to its input."""

    def __init__(self, config: CausalConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.heads, self.rate = config.heads, config.dropout
        self.norms = nn.ModuleList(nn.RMSNorm(hidden, eps=1e-5) for _ in range(2))
        self.entry = nn.Linear(hidden, 3 * hidden, bias=False)
        self.output = nn.Linear(hidden, hidden, bias=False)
        self.widen = nn.Linear(hidden, 2 * config.filter, bias=False)
        self.narrow = nn.Linear(config.filter, hidden, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        for layer in (self.output, self.narrow):  # a new model is nearly the identity
            nn.init.normal_(layer.weight, 0, 0.02 / (2 * config.layers) ** 0.5)

    def forward(
        self, x: Tensor, turn: Tensor, mask: Tensor | None, cache: Cache | None, number: int
    ) -> Tensor:
        x = x + self.dropout(self._attended(self.norms[0](x), turn, mask, cache, number))
        gate, wide = self.widen(self.norms[1](x)).chunk(2, -1)
        return x + self.dropout(self.narrow(F.silu(gate) * wide))

    def _attended(
        self, x: Tensor, turn: Tensor, mask: Tensor | None, cache: Cache | None, number: int
    ) -> Tensor:
        parts = self.entry(x).unflatten(2, (3, self.heads, -1)).transpose(1, 3)
        (query, keys), values = turned(parts[:, :, :2], turn).unbind(2), parts[:, :, 2]
        if cache is not None:
            keys, values = cache.add(number, keys, values)
        attended = F.scaled_dot_product_attention(
            query, keys, values, mask, dropout_p=self.rate if self.training else 0.0
        )
        mixed: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return mixed


def turned(x: Tensor, turn: Tensor) -> Tensor:
    """Return x (..., L, K) with its halves rotated by cosines and sines (L, K)."""
    (first, second), (cosine, sine) = x.chunk(2, -1), turn.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)
