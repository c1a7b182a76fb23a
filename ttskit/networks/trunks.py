"""Trunks: from what is known of each frame, by name, to a state of each frame.

==============  =================================================================================
`mlp`           Each frame alone: a stack of layers for each input, one more over them together.
`micro-rnn`     Between the two, a recurrent layer with one gate and a small state.
`gru`           Between the two, a GRU (the decoder of Engel et al., 2020, DDSP).
`transformer`   Self-attention over the frames of a clip, normalised before each layer.
==============  =================================================================================

B clips, T frames, W channels of an input, C channels, S channels of a small state, H of a head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.errors import SettingError
from ttskit.settings import key


class Trunk(nn.Module):
    """What all trunks share: inputs by name, and nothing said of padding."""

    causal = True  # a frame does not depend on later ones

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        """Take inputs by name, with the channels of each."""
        super().__init__()
        self.names = tuple(inputs)
        self.out_channels = config.channels

    def forward(self, inputs: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """(B, T, W) each, and what is not padding, (B, T) bool -> (B, T, C), 0 in the padding."""
        return self.states([inputs[name] for name in self.names], mask) * mask[..., None]

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Inputs in the order of `names` -> (B, T, C)."""
        raise NotImplementedError


class Mlp(Trunk):
    """Every frame alone."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__(inputs, config)
        self.stacks = Stacks(inputs, config)
        self.output = stack(self.stacks.width, config.channels, config.layers)

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:  # noqa: ARG002
        made: Tensor = self.output(self.stacks(inputs))
        return made


class Recurrent(Trunk):
    """Frames that know those before them; the last stack sees what led to such a state too."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__(inputs, config)
        self.stacks = Stacks(inputs, config)
        self.core = self.recurrence(self.stacks.width, config)
        both = self.stacks.width + self.core.hidden_size
        self.output = stack(both, config.channels, config.layers)

    def recurrence(self, width: int, config: TrunkConfig) -> nn.GRU | MicroLayer:
        """Return what makes states of (B, T, width)."""
        raise NotImplementedError

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:  # noqa: ARG002
        x = self.stacks(inputs)
        made: Tensor = self.output(torch.cat([x, self.core(x)[0]], -1))
        return made


class MicroRnn(Recurrent):
    """With `MicroLayer`."""

    def recurrence(self, width: int, config: TrunkConfig) -> MicroLayer:
        return MicroLayer(width, config.micro)


class Gru(Recurrent):
    """With a GRU."""

    def recurrence(self, width: int, config: TrunkConfig) -> nn.GRU:
        return nn.GRU(width, config.channels, batch_first=True)


class Transformer(Trunk):
    """Frames that see all frames of their clip, or those before them, or those near them."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__(inputs, config)
        self.causal, self.positions, self.span = config.causal, config.positions, config.span
        self.entry = nn.Linear(sum(inputs.values()), config.channels)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.channels)

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:
        x = self.entry(torch.cat([*inputs], -1))
        if self.positions:
            x = x + sinusoids(x.shape[1], x.shape[2]).to(x)
        seen = self.seen(mask)
        for block in self.blocks:
            x = block(x, seen)
        made: Tensor = self.norm(x)
        return made

    def seen(self, mask: Tensor) -> Tensor:
        """mask (B, T) -> which frames (last) each frame sees, (B, 1, T, T) bool."""
        at = torch.arange(mask.shape[1], device=mask.device)
        ahead = at - at[:, None]  # of the frame that looks
        near = ahead.abs() <= (self.span or len(at))
        if self.causal:
            near &= ahead <= 0
        # Padding sees itself, for something must be seen.
        return (near & mask[:, None] | (ahead == 0))[:, None]


class Block(nn.Module):
    """Attention, then two layers for each frame; each normalises first and adds to its input."""

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        channels, hidden = config.channels, config.feedforward * config.channels
        self.heads = config.heads
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        self.entry = nn.Linear(channels, 3 * channels)
        self.exit = nn.Linear(channels, channels)
        self.alone = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
        )

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """x (B, T, C), seen (B, 1, T, T) bool -> (B, T, C)."""
        batch, frames, channels = x.shape
        parts = self.entry(self.norms[0](x)).view(batch, frames, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (B, heads, T, H)
        found = F.scaled_dot_product_attention(query, key, value, seen)
        x = x + self.exit(found.transpose(1, 2).reshape(batch, frames, channels))
        added: Tensor = self.alone(self.norms[1](x))
        return x + added


class MicroLayer(nn.Module):
    """h = z · h + (1 − z) · tanh(Wx + Uh), z = sigmoid(W'x + U'h); called as `nn.GRU` is."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.hidden_size = size
        self.entry = nn.Linear(width, 2 * size)  # of the gate, then of what is new
        limit = size**-0.5  # as that of a linear layer
        self.again = nn.Parameter(torch.empty(size, 2 * size).uniform_(-limit, limit))

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, T, W) after state (B, S) -> all states (B, T, S) and the last."""
        told = self.entry(x).float()
        if state is None:
            state = told.new_zeros(len(x), self.hidden_size)
        states = []
        with torch.autocast(x.device.type, enabled=False):
            for frame in told.unbind(1):
                gate, new = torch.addmm(frame, state, self.again).chunk(2, 1)
                state = torch.lerp(new.tanh(), state, gate.sigmoid())
                states.append(state)
        return torch.stack(states, 1), state


class Stacks(nn.Module):
    """A stack for each input, their outputs side by side."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__()
        self.stacks = nn.ModuleList(
            stack(width, config.channels, config.layers) for width in inputs.values()
        )
        self.width = len(inputs) * config.channels

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """(B, T, W) each to (B, T, inputs · C)."""
        return torch.cat([own(x) for own, x in zip(self.stacks, inputs, strict=True)], -1)


def stack(width: int, channels: int, layers: int) -> nn.Sequential:
    """Return layers of each frame alone, normalised and rectified, from (B, T, width)."""
    return nn.Sequential(
        *(
            nn.Sequential(
                nn.Linear(channels if layer else width, channels),
                nn.LayerNorm(channels),
                nn.LeakyReLU(),
            )
            for layer in range(layers)
        )
    )


def sinusoids(frames: int, channels: int) -> Tensor:
    """Where a frame is, as sines and cosines of ever lower frequencies, (T, C)."""
    rates = torch.exp(-math.log(1e4) / channels * torch.arange(0, channels, 2))
    angles = torch.arange(frames)[:, None] * rates  # (T, C / 2)
    return torch.cat([angles.sin(), angles.cos()], 1)


TRUNKS: Mapping[str, type[Trunk]] = {
    "mlp": Mlp,
    "micro-rnn": MicroRnn,
    "gru": Gru,
    "transformer": Transformer,
}


@dataclass(frozen=True)
class TrunkConfig:
    trunk: str = key("gru", "what is between inputs and controls", choices=tuple(TRUNKS))
    channels: int = key(512, "of its layers, and of the GRU", least=1)
    layers: int = key(3, "of each stack; blocks of the transformer", least=1)
    micro: int = key(32, "channels of the state of the micro-rnn", least=16, most=64)
    heads: int = key(4, "heads of attention of the transformer", least=1)
    feedforward: int = key(4, "channels within its blocks, times those outside", least=1)
    causal: bool = key(False, "it sees no later frames; the others never do")
    positions: bool = key(True, "it knows where in the clip a frame is")
    span: int = key(0, "frames that it sees to either side; 0 for all", least=0)

    def __post_init__(self) -> None:
        if self.trunk == "transformer" and self.channels % (2 * self.heads):
            raise SettingError(
                f"channels is {self.channels}, needs a multiple of twice the heads of the "
                f"transformer, {2 * self.heads}"
            )
