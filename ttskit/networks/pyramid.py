"""A pyramid of time scales: each refines what the coarser ones have predicted, by choices.

Every block of every scale ends in a head that offers candidates, of which one is chosen at each
position.  Conditions are averaged down to the coarsest scale, with convolutions in between, and
join the features of each scale where it begins.  A refiner may repeat a small U-Net at the end.

Shapes: B batch, C channels, D channels of the condition, K candidates, L positions of a scale,
P outputs (mel bands), T frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ttskit.errors import SettingError
from ttskit.networks.candidates import Candidates
from ttskit.networks.convnext import MaskedConvNeXt
from ttskit.networks.layers import LayerNorm
from ttskit.networks.regions import SELECTIONS, Regions, regions
from ttskit.networks.trunks import Transformer, TrunkConfig
from ttskit.settings import MOST_LAYERS, key

PERIODS = 8  # of the sines that say where in an utterance a frame is: 16, 32, 64 ... frames
POSITIONS = 2 * PERIODS + 2  # numbers that say it


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


class Place(NamedTuple):
    """Where a choice is to be made, and what it is made from."""

    scale: int  # frames of a position
    head: Head
    features: Tensor  # (B, C, L)
    previous: Tensor  # (B, P, L), the prediction so far
    regions: Regions

    def logits(self) -> Tensor:
        """Return the logits of the prior, (B, K, L), the same in a region."""
        return self.regions.shared(self.head.logits(self.features, self.regions.mask))


class Choice(NamedTuple):
    """The number of a candidate at each position, and how much of it is taken."""

    chosen: Tensor  # (B, L)
    counted: Tensor  # (B, L) bool, positions that the loss counts
    share: Tensor | None = None  # (B, L), of its difference from what the prior expects; or all


class Step(NamedTuple):
    """A choice, and the prediction after it."""

    place: Place
    chosen: Tensor  # (B, L), the number of a candidate
    counted: Tensor  # (B, L) bool, positions that the loss counts
    output: Tensor  # (B, P, L)
    leak: Tensor  # (B, P, L)


Choose = Callable[[Place], Choice]


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


class Grid:
    """The positions of one scale."""

    def __init__(self, config: PyramidConfig, scale: int, mask: Tensor, token: Tensor) -> None:
        """Divide frames with a mask (B, T), each of a token (B, T), into positions."""
        lengths = mask.sum(1, keepdim=True)
        at = torch.arange(-(-mask.shape[1] // scale), device=mask.device) * scale
        real = at < lengths
        middle = (at + scale // 2).minimum((lengths - 1).clamp_min(0))
        own = token.gather(1, middle)
        self.scale, self.real = scale, real[:, None].float()
        self.regions = regions(config.select, config.patch, real, own)

    def stretched(self, x: Tensor, ratio: int) -> Tensor:
        """Repeat positions (B, ., L) of a scale that is coarser by a ratio."""
        return x.repeat_interleave(ratio, 2)[..., : self.real.shape[2]] if ratio > 1 else x

    def joined(self, step: Step, output: Tensor) -> Tensor:
        """Return the prediction so far and the leak of the last choice, (B, 2 P, L)."""
        leak = self.stretched(step.leak, step.place.scale // self.scale)
        return torch.cat([output, leak], 1)


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


class Head(nn.Module):
    """Candidates, and a prior: how likely each is to be chosen, given what is known before."""

    def __init__(
        self, config: PyramidConfig, outputs: int, count: int, *, residual: bool = True
    ) -> None:
        super().__init__()
        self.norm = LayerNorm(config.channels)
        self.candidates = Candidates(config.channels, outputs, count, residual=residual)
        self.prior = Prior(config, count) if count > 1 else None

    def forward(self, features: Tensor, output: Tensor, grid: Grid, choose: Choose) -> Step:
        """Choose, given features (B, C, L) and the prediction so far (B, P, L)."""
        place = Place(grid.scale, self, self.norm(features) * grid.real, output, grid.regions)
        chosen, counted, share = choose(place)
        made = self.candidates(place.features, output, chosen)
        if share is not None:
            weights = place.logits().softmax(1)
            expected = self.candidates.expected(place.features, output, weights)
            made = expected + share[:, None] * (made - expected)
        mel, leak = (made * grid.real).chunk(2, 1)
        return Step(place, chosen, counted, mel, leak)

    def logits(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return the logits of the candidates, (B, K, L), which teach the features nothing."""
        if self.prior is None:
            return features.new_zeros(len(features), 1, features.shape[2]).float()
        logits: Tensor = self.prior(features.detach(), mask[:, None].float()).float()
        return logits

    def rows(self) -> list[nn.Parameter]:
        """Return the weights that have a row for each candidate."""
        return [self.candidates.weight, *(self.prior.output.parameters() if self.prior else ())]


class Prior(nn.Module):
    """A block and a layer, from features (B, C, L) to logits (B, K, L)."""

    def __init__(self, config: PyramidConfig, count: int) -> None:
        super().__init__()
        self.block = MaskedConvNeXt(config.channels, config.kernel, config.dropout)
        self.norm = LayerNorm(config.channels)
        self.output = nn.Conv1d(config.channels, count, 1)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.output(self.norm(self.block(features, mask)))
        return logits


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


class Refiner(nn.Module):
    """A U-Net over frames, repeated: each time it is told how often, and ends in a choice."""

    def __init__(self, config: PyramidConfig, outputs: int) -> None:
        super().__init__()
        self.times = config.refine
        self.entry = nn.Conv1d(2 * outputs + 1, config.channels, 1)
        self.down, self.up = (
            nn.ModuleList(
                MaskedConvNeXt(config.channels, config.kernel, config.dropout) for _ in range(3)
            )
            for _ in range(2)
        )
        self.head = Head(config, outputs, config.refine_candidates)

    def forward(
        self, features: Tensor, steps: list[Step], grid: Grid, choose: Choose
    ) -> list[Step]:
        """Return the steps, and those of the refiner after them."""
        for time in torch.linspace(-1, 1, self.times).tolist():
            output = steps[-1].output
            told = torch.full_like(output[:, :1], time)
            entry = self.entry(torch.cat([grid.joined(steps[-1], output), told], 1))
            features = self.network((features + entry) * grid.real, grid.real)
            steps.append(self.head(features, output, grid, choose))
        return steps

    def network(self, x: Tensor, real: Tensor) -> Tensor:
        """x (B, C, T) and mask (B, 1, T) -> (B, C, T), by way of half and quarter of the rate."""
        skips = []
        for number, layer in enumerate(self.down):
            if number:
                x, mask = averaged(x, real[:, 0] > 0, 2), coarser(real[:, 0] > 0, 2)
                real = mask[:, None].float()
            x = layer(x, real)
            skips.append((x, real))
        for number, layer in enumerate(self.up):
            skip, real = skips[-1 - number]
            x = skip if not number else x.repeat_interleave(2, 2)[..., : skip.shape[2]] + skip
            x = layer(x * real, real)
        return x


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


def averaged(x: Tensor, mask: Tensor, ratio: int) -> Tensor:
    """Return the means of every `ratio` positions of x (B, C, L), without the padding."""
    if ratio == 1:
        return x * mask[:, None]
    weights = _grouped(mask[:, None].to(x), ratio)
    return (_grouped(x, ratio) * weights).sum(3) / weights.sum(3).clamp_min(1)


def coarser(mask: Tensor, ratio: int) -> Tensor:
    """Return the mask (B, L) of every `ratio` positions of a mask."""
    return _grouped(mask, ratio).any(-1)


def _grouped(x: Tensor, ratio: int) -> Tensor:
    """Return x (..., L) in groups of `ratio`, (..., groups, ratio), the last one padded by 0."""
    padded = F.pad(x, (0, -x.shape[-1] % ratio))
    return padded.reshape(*x.shape[:-1], -1, ratio)


def positions(mask: Tensor) -> Tensor:
    """Return where in its utterance each frame of a mask (B, T) is, (B, POSITIONS, T).

    As sines and cosines of several periods, and as a share from the start and from the end.
    """
    at = torch.arange(mask.shape[1], device=mask.device) + 0.5
    periods = 16 * 2.0 ** torch.arange(PERIODS, device=mask.device)
    angles = (2 * math.pi * at / periods[:, None]).expand(len(mask), -1, -1)
    share = at / mask.sum(1, keepdim=True).clamp_min(1)
    return torch.cat([angles.sin(), angles.cos(), share[:, None], 1 - share[:, None]], 1)
