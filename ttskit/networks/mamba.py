"""Layers that read forwards by a selective state space and backwards by dilated convolutions.

Forwards: Mamba (Gu and Dao, 2023), with the published parameters and initial values.  Backwards:
depthwise convolutions of several dilations over what follows, which a pointwise one brings
together.  A layer fuses both; it may be modulated by a style, which is FiLM (Perez et al., 2018).

Shapes: B batch, T steps, C channels, E inner channels, N numbers of a state, S channels of a style.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.networks.scan import selective
from ttskit.settings import MOST_LAYERS, key

SHORTEST, LONGEST, FLOOR = 1e-3, 1e-1, 1e-4  # steps that an input lasts in a new layer


@dataclass(frozen=True)
class MambaConfig:
    hidden: int = key(192, "channels", least=1)
    layers: int = key(4, "layers, each of Mamba and convolutions", least=1, most=MOST_LAYERS)
    state: int = key(16, "numbers of the state of a channel", least=1)
    expand: int = key(2, "inner channels of Mamba for each channel", least=1)
    window: int = key(4, "steps of the convolution within Mamba", least=1)
    kernel: int = key(3, "width of the convolutions over what follows", least=1)
    dilations: tuple[int, ...] = key(
        (1, 2, 4, 8), "steps between the taps of these convolutions", least=1, some=True
    )
    dropout: float = key(0.1, "dropout after each layer", least=0, most=1)
    sees: str = key(
        "channels",
        "what the state space takes in: each channel, or their mean alone, a scalar",
        choices=("channels", "mean"),
    )
    film: str = key(
        "centred",
        "modulation by a style: (1 + g) x + b, or g x + b",
        choices=("centred", "plain"),
    )


class Mamba(nn.Module):
    """A selective state space between two linear layers, (B, T, C) to (B, T, C); causal."""

    def __init__(self, channels: int, config: MambaConfig) -> None:
        super().__init__()
        inner, size = config.expand * channels, config.state
        rank = math.ceil(channels / 16)
        self.entry = nn.Linear(channels, 2 * inner, bias=False)
        self.near = nn.Conv1d(inner, inner, config.window, groups=inner)
        self.select = nn.Linear(inner, rank + 2 * size, bias=False)
        self.delta = nn.Linear(rank, inner)
        nn.init.uniform_(self.delta.weight, -(rank**-0.5), rank**-0.5)
        spread = math.log(LONGEST / SHORTEST)
        steps = (SHORTEST * (spread * torch.rand(inner)).exp()).clamp_min(FLOOR)
        self.delta.bias = nn.Parameter(steps + (-(-steps).expm1()).log())  # before the softplus
        self.rates = nn.Parameter(torch.arange(1.0, size + 1).log().repeat(inner, 1))
        self.skip = nn.Parameter(torch.ones(inner))
        self.output = nn.Linear(inner, channels, bias=False)
        self.sizes = rank, size, size

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of a whole sequence."""
        return self.resumed(x, None)[0]

    def resumed(self, x: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        """Return the output, and what is needed to go on with the steps that follow x."""
        inner, gate = self.entry(x).chunk(2, -1)  # (B, T, E)
        width = self.near.kernel_size[0] - 1
        past = inner.new_zeros(len(x), width, inner.shape[2]) if memory is None else memory.inputs
        inner = torch.cat([past, inner], 1)
        near = F.silu(self.near(inner.mT).mT)
        states, state = self._states(near, None if memory is None else memory.state)
        kept = Memory(inner[:, inner.shape[1] - width :], state)
        return self.output(states * F.silu(gate)), kept

    def _states(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Run the state space in full precision; return its output and the last state."""
        rank, enter, leave = self.select(x).split(self.sizes, -1)
        with torch.autocast(x.device.type, enabled=False):
            delta = F.softplus(self.delta(rank.float()))
            inputs = x.float(), delta, -self.rates.exp(), enter.float(), leave.float(), self.skip
            if torch.is_grad_enabled() or x.device.type != "cpu":
                return selective(*inputs, state=state)
            return _by_steps(*inputs, state=state)


@dataclass(frozen=True)
class Memory:
    """What a Mamba layer keeps of the steps that it has seen."""

    inputs: Tensor  # (B, window - 1, E), the last ones
    state: Tensor  # (B, E, N)


def _by_steps(*inputs: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return what `selective` returns, computed in constant memory."""
    from ttskit.dsp import selective as kernel  # numba takes 0.5 s to import

    x, delta, rates, enter, leave, skip = (value.contiguous().numpy() for value in inputs)
    last = np.zeros((len(x), *rates.shape), np.float32) if state is None else state.numpy().copy()
    out = [
        kernel.run(x[row], delta[row], rates, enter[row], leave[row], skip, last[row])
        for row in range(len(x))
    ]
    return torch.from_numpy(np.stack(out)), torch.from_numpy(last)


class MeanMamba(nn.Module):
    """A state space that takes in the mean of the channels, and adds one number to all of them."""

    def __init__(self, channels: int, config: MambaConfig) -> None:  # noqa: ARG002
        super().__init__()
        self.one = Mamba(1, config)

    def resumed(self, x: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        """Return the output, and what is needed to go on with the steps that follow x."""
        out, kept = self.one.resumed(x.mean(-1, keepdim=True), memory)
        return x + out, kept


class Following(nn.Module):
    """Convolutions of several dilations over each step and what follows, (B, T, C) to itself."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=dilation, groups=channels)
            for dilation in dilations
        )
        self.across = nn.Linear(len(dilations) * channels, channels)
        self.reach = (kernel - 1) * max(dilations)  # steps that follow

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for scale in self.scales:
            assert isinstance(scale, nn.Conv1d)
            span = (scale.kernel_size[0] - 1) * scale.dilation[0]
            seen.append(scale(F.pad(x.mT, (0, span))))
        across: Tensor = self.across(F.silu(torch.cat(seen, 1)).mT)
        return across


class Film(nn.Module):
    """Modulation by a style: x becomes (1 + g) x + b."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.both = nn.Linear(style, 2 * channels)
        nn.init.zeros_(self.both.weight)
        nn.init.zeros_(self.both.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x (B, T, C) and style (B, S) -> (B, T, C)."""
        gain, shift = self.both(style)[:, None].chunk(2, -1)
        return (1 + gain) * x + shift


class PlainFilm(nn.Module):
    """Modulation by a style without the 1: g x + b, with the usual initial values."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.both = nn.Linear(style, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """x (B, T, C) and style (B, S) -> (B, T, C)."""
        gain, shift = self.both(style)[:, None].chunk(2, -1)
        return gain * x + shift


FORWARDS: Mapping[str, Callable[[int, MambaConfig], Mamba | MeanMamba]] = {
    "channels": Mamba,
    "mean": MeanMamba,
}
FILMS: Mapping[str, Callable[[int, int], Film | PlainFilm]] = {
    "centred": Film,
    "plain": PlainFilm,
}


class Layer(nn.Module):
    """Forwards and backwards, fused, and added to the input."""

    def __init__(self, config: MambaConfig, style: int) -> None:
        super().__init__()
        channels = config.hidden
        self.norm = nn.RMSNorm(channels, eps=1e-5)
        self.film = FILMS[config.film](style, channels) if style else None
        self.forwards = FORWARDS[config.sees](channels, config)
        self.backwards = Following(channels, config.kernel, config.dilations)
        self.fuse = nn.Sequential(
            nn.Linear(2 * channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, real: Tensor, style: Tensor | None) -> Tensor:
        """x (B, T, C), its mask (B, T, 1), style (B, S) -> (B, T, C), zero in the padding."""
        seen = self._modulated(x, style) * real
        both = torch.cat([self.forwards.resumed(seen, None)[0], self.backwards(seen)], -1)
        return (x + self.dropout(self.fuse(both))) * real

    def stream(self, blocks: Iterable[Tensor], style: Tensor | None) -> Iterator[Tensor]:
        """Yield what `forward` makes of blocks (B, t, C) that follow each other, one by one.

        What is held does not grow with their number.
        """
        memory, reach = None, self.backwards.reach
        waiting: list[Tensor] = []  # x, what is seen of it, and what came out forwards
        for block, last in _with_last(blocks):
            seen = self._modulated(block, style)
            before, memory = self.forwards.resumed(seen, memory)
            new = [block, seen, before]
            if waiting:
                new = [torch.cat(both, 1) for both in zip(waiting, new, strict=True)]
            waiting = new
            ready = waiting[0].shape[1] - (0 if last else reach)
            if ready > 0:
                x, seen, before = waiting
                after = self.backwards(seen)
                both = torch.cat([before[:, :ready], after[:, :ready]], -1)
                yield x[:, :ready] + self.fuse(both)
                waiting = [value[:, ready:] for value in waiting]

    def _modulated(self, x: Tensor, style: Tensor | None) -> Tensor:
        normed: Tensor = self.norm(x)
        if self.film is not None and style is not None:
            normed = self.film(normed, style)
        return normed


class Layers(nn.Module):
    """Layers one after the other, and a norm, (B, T, C) to (B, T, C)."""

    def __init__(self, config: MambaConfig, style: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config, style) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.hidden, eps=1e-5)

    def forward(self, x: Tensor, mask: Tensor, style: Tensor | None = None) -> Tensor:
        """x (B, T, C), mask (B, T) bool, style (B, S) -> (B, T, C), zero in the padding."""
        real = mask[..., None].to(x.dtype)
        x = x * real
        for layer in self.layers:
            x = layer(x, real, style)
        normed: Tensor = self.norm(x) * real
        return normed

    @torch.no_grad()
    def stream(self, blocks: Iterable[Tensor], style: Tensor | None = None) -> Iterator[Tensor]:
        """Yield what `forward` makes of blocks (B, t, C), in constant memory."""
        for layer in self.layers:
            assert isinstance(layer, Layer)
            blocks = layer.stream(blocks, style)
        for block in blocks:
            yield self.norm(block)


def _with_last(blocks: Iterable[Tensor]) -> Iterator[tuple[Tensor, bool]]:
    """Yield each block, and whether it is the last one."""
    for block, after in pairwise(chain(blocks, [None])):
        assert block is not None
        yield block, after is None
