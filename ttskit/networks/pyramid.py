"""A pyramid of time scales: each refines what the coarser ones have predicted, by choices.

Every block of every scale ends in a head that offers candidates, of which one is chosen at each
position.  Conditions are averaged down to the coarsest scale, with convolutions in between, and
join the features of each scale where it begins.  A refiner may repeat a small U-Net at the end.

Shapes: B batch, C channels, D channels of the condition, K candidates, L positions of a scale,
P outputs (mel bands), T frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ttskit.errors import SettingError
from ttskit.networks.choices import Choose, Grid, Head, Step
from ttskit.networks.convnext import MaskedConvNeXt
from ttskit.networks.refiner import Refiner
from ttskit.networks.regions import SELECTIONS
from ttskit.networks.scales import POSITIONS, averaged, coarser, positions
from ttskit.networks.trunks import Transformer, TrunkConfig
from ttskit.settings import MOST_LAYERS, key


@dataclass(frozen=True)
class PyramidConfig:
    scales: tuple[int, ...] = key(
        (16, 8, 4, 2, 1),
        "frames of a position, scale by scale; each a multiple of the next, the last one 1",
        least=1,
        most=1024,
        some=True,
    )
    blocks: tuple[int, ...] = key(
        (1, 1, 1, 1, 2),
        "blocks of each scale, each ending in a choice; a single number is for all scales",
        least=1,
        most=64,
        some=True,
    )
    candidates: tuple[int, ...] = key(
        (16,),
        "candidates of a choice at each scale; a single number is for all scales",
        least=1,
        most=4096,
        some=True,
    )
    channels: int = key(128, "channels of the blocks, even", least=2)
    kind: str = key(
        "convolution",
        "layers of the blocks (causal: attention to no later position)",
        choices=("convolution", "attention", "causal"),
    )
    layers: int = key(2, "layers of a block", least=1, most=MOST_LAYERS)
    kernel: int = key(7, "width of a convolution in positions, odd", least=1, odd=True)
    dropout: float = key(0.05, "dropout in the blocks", least=0, most=1)
    shared: bool = key(
        False, "one head for all blocks of a scale (sparse) instead of one for each (dense)"
    )
    select: str = key(
        "frame",
        "what a choice is for: a position, a patch of positions, a token, or an utterance",
        choices=SELECTIONS,
    )
    patch: int = key(4, "positions of a patch", least=1)
    refine: int = key(0, "times that a U-Net refines the result", least=0, most=64)
    refine_candidates: int = key(4, "candidates of its choices", least=1, most=4096)

    def __post_init__(self) -> None:
        if self.scales[-1] != 1 or any(a <= b or a % b for a, b in pairwise(self.scales)):
            raise SettingError(
                f"scales is {[*self.scales]}, needs each a multiple of the next, the last one 1"
            )
        for name in ("blocks", "candidates"):
            if (count := len(getattr(self, name))) not in (1, len(self.scales)):
                raise SettingError(
                    f"{name} has {count} entries, needs 1 or one for each of {len(self.scales)} "
                    "scales"
                )
        if self.channels % 2:
            raise SettingError(f"channels is {self.channels}, needs an even number")
        if self.kind != "convolution" and self.channels % 8:
            raise SettingError(f"channels is {self.channels}, needs a multiple of 8 for attention")

    def each(self, name: str) -> tuple[int, ...]:
        """Return `blocks` or `candidates` for each scale."""
        values: tuple[int, ...] = getattr(self, name)
        return values if len(values) > 1 else values * len(self.scales)


class Pyramid(nn.Module):
    """Scales from coarse to fine, from a condition (B, D, T) to a prediction (B, P, T)."""

    def __init__(self, config: PyramidConfig, condition: int, outputs: int, places: int) -> None:
        """Build it for a condition of D channels; `places` are those of the first feature."""
        super().__init__()
        self.config, self.outputs = config, outputs
        self.first = nn.Conv1d(places + POSITIONS, config.channels, 1)
        self.descent = Descent(config, condition)
        counts = [*zip(config.each("blocks"), config.each("candidates"), strict=True)]
        self.stages = nn.ModuleList(Level(config, outputs, *count) for count in counts)
        between = sum(config.each("blocks")) - 1
        self.between = nn.ModuleList(
            nn.Conv1d(2 * outputs, config.channels, 1) for _ in range(between)
        )
        self.refiner = Refiner(config, outputs) if config.refine else None

    def forward(
        self, condition: Tensor, places: Tensor, token: Tensor, mask: Tensor, choose: Choose
    ) -> list[Step]:
        """Return all steps, from coarse to fine.

        Parameters
        ----------
        condition : (B, D, T)
        places : (B, places, T)
        token : (B, T)
            The token of each frame.
        mask : (B, T) bool
        choose : function
            Returns the candidate at each position.
        """
        config, steps, between = self.config, list[Step](), iter(self.between)
        conditions, start = self.descent(condition, mask), config.scales[0]
        features = self.first(averaged(torch.cat([places, positions(mask)], 1), mask, start))
        output = features.new_zeros(len(mask), self.outputs, features.shape[2]).float()
        for scale, level, own in zip(config.scales, self.levels, conditions, strict=True):
            grid = Grid(config, scale, mask, token)
            features, output = (grid.stretched(x, start // scale) for x in (features, output))
            features, start = (features + own) * grid.real, scale
            for block, head in level.pairs():
                if steps:
                    joined = next(between)(grid.joined(steps[-1], output))
                    features = features + joined
                features = block(features * grid.real, grid.real)
                steps.append(head(features, output, grid, choose))
                output = steps[-1].output
        return steps if self.refiner is None else self.refiner(features, steps, grid, choose)

    @property
    def levels(self) -> list[Level]:
        """What each scale consists of, from coarse to fine."""
        return [level for level in self.stages if isinstance(level, Level)]

    def heads(self) -> list[Head]:
        """Return every head once, from coarse to fine."""
        return [module for module in self.modules() if isinstance(module, Head)]


class Level(nn.Module):
    """The blocks of one scale and their heads, or the one that they share."""

    def __init__(self, config: PyramidConfig, outputs: int, blocks: int, count: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(block(config) for _ in range(blocks))
        self.heads = nn.ModuleList(
            Head(config, outputs, count, residual=not config.shared)
            for _ in range(1 if config.shared else blocks)
        )

    def pairs(self) -> Iterator[tuple[nn.Module, Head]]:
        """Yield every block with its head."""
        heads = [*self.heads] * (len(self.blocks) // len(self.heads))
        for block, head in zip(self.blocks, heads, strict=True):
            assert isinstance(head, Head)
            yield block, head


class Descent(nn.Module):
    """A condition (B, D, T) at every scale: averaged, with a block in between."""

    def __init__(self, config: PyramidConfig, condition: int) -> None:
        super().__init__()
        self.scales = config.scales[::-1]
        self.entry = nn.Conv1d(condition, config.channels, 1)
        self.blocks = nn.ModuleList(
            MaskedConvNeXt(config.channels, config.kernel, config.dropout) for _ in self.scales
        )

    def forward(self, condition: Tensor, mask: Tensor) -> list[Tensor]:
        """Return (B, C, L) for each scale, from coarse to fine."""
        x, before, conditions = self.entry(condition) * mask[:, None], 1, []
        for scale, layer in zip(self.scales, self.blocks, strict=True):
            x, mask = averaged(x, mask, scale // before), coarser(mask, scale // before)
            x, before = layer(x, mask[:, None].float()), scale
            conditions.append(x)
        return conditions[::-1]


class Convolved(nn.Module):
    """A block of ConvNeXt layers."""

    def __init__(self, config: PyramidConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            MaskedConvNeXt(config.channels, config.kernel, config.dropout)
            for _ in range(config.layers)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, L) and mask (B, 1, L) -> (B, C, L)."""
        for layer in self.layers:
            x = layer(x, mask)
        return x


class Attended(nn.Module):
    """A block of attention, added to its input."""

    def __init__(self, config: PyramidConfig) -> None:
        super().__init__()
        settings = TrunkConfig(
            trunk="transformer",
            channels=config.channels,
            layers=config.layers,
            feedforward=2,
            causal=config.kind == "causal",
        )
        self.trunk = Transformer({"features": config.channels}, settings)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, C, L) and mask (B, 1, L) -> (B, C, L)."""
        attended: Tensor = self.trunk({"features": x.mT}, mask[:, 0] > 0)
        return x + attended.mT


def block(config: PyramidConfig) -> nn.Module:
    """Return a new block of the kind that the settings name."""
    return Convolved(config) if config.kind == "convolution" else Attended(config)
