"""Trunks: networks from named inputs of each frame to a state of each frame.

==============  =================================================================================
`mlp`           Each frame alone: a stack of layers for each input, then one over all of them.
`micro-rnn`     As `mlp`, with a recurrent layer of one gate and a small state in between.
`gru`           As `mlp`, with a GRU in between (the decoder of Engel et al., 2020, DDSP).
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
from ttskit.settings import MOST_LAYERS, key


class Trunk(nn.Module):
    """The interface of all trunks: inputs by name, states that are 0 in the padding."""

    causal = True  # whether frames do not depend on later ones

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        """Build a trunk for inputs by name, with the channels of each."""
        super().__init__()
        self.names = tuple(inputs)
        self.out_channels = config.channels

    def forward(self, inputs: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Inputs (B, T, W) and their mask (B, T) bool -> states (B, T, C), 0 in the padding."""
        return self.states([inputs[name] for name in self.names], mask) * mask[..., None]

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Inputs in the order of `names` -> states (B, T, C)."""
        raise NotImplementedError


class Mlp(Trunk):
    """Every frame by itself, through fully connected layers."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__(inputs, config)
        self.stacks = Stacks(inputs, config)
        self.output = stack(self.stacks.width, config)

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:  # noqa: ARG002
        states: Tensor = self.output(self.stacks(inputs))
        return states


class Recurrent(Trunk):
    """Recurrent over frames; the last stack reads the states and the inputs of the recurrence."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__(inputs, config)
        self.stacks, self.chunk = Stacks(inputs, config), config.chunk
        self.core = self.recurrence(self.stacks.width, config)
        both = self.stacks.width + self.core.hidden_size
        self.output = stack(both, config)

    def recurrence(self, width: int, config: TrunkConfig) -> nn.GRU | MicroLayer:
        """Return the recurrent layer, from (B, T, width) to states."""
        raise NotImplementedError

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:  # noqa: ARG002
        x = self.stacks(inputs)
        states: Tensor = self.output(torch.cat([x, self.recurred(x)], -1))
        return states

    def recurred(self, x: Tensor) -> Tensor:
        """x (B, T, W) -> states (B, T, S), in training by chunks, which no gradient leaves."""
        if not self.chunk or not self.training:
            whole: Tensor = self.core(x)[0]
            return whole
        state, states = None, []
        for chunk in torch.split(x, self.chunk, 1):
            some, last = self.core(chunk, state)
            state = last.detach()
            states.append(some)
        return torch.cat(states, 1)


class MicroRnn(Recurrent):
    """Recurrent with a `MicroLayer`."""

    def recurrence(self, width: int, config: TrunkConfig) -> MicroLayer:
        return MicroLayer(width, config.micro)


class Gru(Recurrent):
    """Recurrent with a GRU."""

    def recurrence(self, width: int, config: TrunkConfig) -> nn.GRU:
        return nn.GRU(width, config.channels, batch_first=True)


class Transformer(Trunk):
    """Self-attention of frames to all frames of a clip, to earlier or to near ones."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__(inputs, config)
        self.causal, self.positions, self.span = config.causal, config.positions, config.span
        self.entry = nn.Linear(sum(inputs.values()), config.channels)
        self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.channels)

    def states(self, inputs: Sequence[Tensor], mask: Tensor) -> Tensor:
        x = self.entry(torch.cat([*inputs], -1))
        if self.positions:
            x = x + sinusoids(x.shape[1], x.shape[2]).to(x)
        visible = self.visible(mask)
        for block in self.blocks:
            x = block(x, visible)
        states: Tensor = self.norm(x)
        return states

    def visible(self, mask: Tensor) -> Tensor:
        """mask (B, T) -> which frames (last axis) each frame attends to, (B, 1, T, T) bool."""
        at = torch.arange(mask.shape[1], device=mask.device)
        ahead = at - at[:, None]  # frames from the attending one
        near = ahead.abs() <= (self.span or len(at))
        if self.causal:
            near &= ahead <= 0
        # padding attends to itself, as a softmax over nothing is NaN
        return (near & mask[:, None] | (ahead == 0))[:, None]


class TransformerBlock(nn.Module):
    """Attention, then a feed-forward network; each normalises first and adds to its input."""

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

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """x (B, T, C), visible (B, 1, T, T) bool -> (B, T, C)."""
        batch, frames, channels = x.shape
        parts = self.entry(self.norms[0](x)).view(batch, frames, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (B, heads, T, H)
        attended = F.scaled_dot_product_attention(query, key, value, visible)
        x = x + self.exit(attended.transpose(1, 2).reshape(batch, frames, channels))
        change: Tensor = self.alone(self.norms[1](x))
        return x + change


class MicroLayer(nn.Module):
    """h = z · h + (1 − z) · tanh(Wx + Uh), z = sigmoid(W'x + U'h); called like `nn.GRU`."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.hidden_size = size
        self.entry = nn.Linear(width, 2 * size)  # of the gate, then of the candidate
        limit = size**-0.5  # as in a linear layer
        self.again = nn.Parameter(torch.empty(size, 2 * size).uniform_(-limit, limit))

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, T, W), initial state (B, S) -> all states (B, T, S) and the last."""
        projected = self.entry(x).float()
        if state is None:
            state = projected.new_zeros(len(x), self.hidden_size)
        states = []
        with torch.autocast(x.device.type, enabled=False):
            for frame in projected.unbind(1):
                gate, candidate = torch.addmm(frame, state, self.again).chunk(2, 1)
                state = torch.lerp(candidate.tanh(), state, gate.sigmoid())
                states.append(state)
        return torch.stack(states, 1), state


class Stacks(nn.Module):
    """A stack of layers for each input, with outputs concatenated; or one for all inputs."""

    def __init__(self, inputs: Mapping[str, int], config: TrunkConfig) -> None:
        super().__init__()
        self.apart = config.stacks
        widths = inputs.values() if self.apart else [sum(inputs.values())]
        self.stacks = nn.ModuleList(stack(width, config) for width in widths)
        self.width = len(widths) * config.channels

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """(B, T, W) each to (B, T, stacks · C)."""
        if not self.apart:
            inputs = [torch.cat([*inputs], -1)]
        return torch.cat([own(x) for own, x in zip(self.stacks, inputs, strict=True)], -1)


def stack(width: int, config: TrunkConfig) -> nn.Sequential:
    """Return layers of linear layer, norm and leaky ReLU, (B, T, width) to (B, T, channels)."""
    channels = config.channels
    return nn.Sequential(
        *(
            nn.Sequential(
                nn.Linear(channels if layer else width, channels),
                nn.LayerNorm(channels),
                nn.LeakyReLU(config.slope),
            )
            for layer in range(config.layers)
        )
    )


def sinusoids(frames: int, channels: int) -> Tensor:
    """Return positions as sines and cosines of decreasing frequencies, (T, C)."""
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
    trunk: str = key("gru", "network between inputs and controls", choices=tuple(TRUNKS))
    channels: int = key(512, "channels of its layers, and of the GRU", least=1)
    layers: int = key(
        3, "layers of each stack; blocks of the transformer", least=1, most=MOST_LAYERS
    )
    stacks: bool = key(
        True, "mlp, micro-rnn, gru: a stack of layers for each input, not one for all of them"
    )
    slope: float = key(0.01, "of the leaky ReLU below 0", least=0, most=1)
    chunk: int = key(
        0,
        "micro-rnn, gru: frames that a gradient can go back, at most; the state goes on; 0 for all",
        least=0,
    )
    micro: int = key(32, "micro-rnn: channels of the state", least=16, most=64)
    heads: int = key(
        4, "transformer: attention heads; twice their number must divide channels", least=1
    )
    feedforward: int = key(
        4, "transformer: feed-forward channels as a multiple of channels", least=1
    )
    causal: bool = key(
        False, "transformer: attend to no later frames (other trunks never depend on them)"
    )
    positions: bool = key(True, "transformer: add the position of each frame to its input")
    span: int = key(0, "transformer: frames that it attends to on either side; 0 for all", least=0)

    def __post_init__(self) -> None:
        if self.trunk == "transformer" and self.channels % (2 * self.heads):
            raise SettingError(
                f"channels is {self.channels}, needs a multiple of twice the heads of the "
                f"transformer, {2 * self.heads}"
            )
