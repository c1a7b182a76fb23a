"""From frames to samples step by step (Kong et al., 2020, HiFi-GAN): what generators of that kind
share.  Every step is a transposed convolution, then the mean of residual blocks, each of which
sees patterns of another length.

B batch, M mel bands, T frames, C channels, L samples at the rate of a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ttskit.errors import SettingError
from ttskit.networks.critics import Adversary
from ttskit.networks.facts import Facts
from ttskit.networks.spectral import Spectral
from ttskit.settings import key, table

ENDS = 7  # samples that the first and the last convolution see

Activation = Callable[[int], nn.Module]  # makes the one of so many channels


@dataclass(frozen=True)
class Shape:
    """Sizes as published for HiFi-GAN V1, and how to train."""

    channels: int = key(512, "before the first step; each step halves them", least=2)
    rates: tuple[int, ...] = key((8, 8, 2, 2), "of steps; they multiply to a hop", least=1)
    kernels: tuple[int, ...] = key((16, 16, 4, 4), "of steps, samples", least=1)
    block_kernels: tuple[int, ...] = key(
        (3, 7, 11), "of the blocks of each step", least=1, some=True
    )
    dilations: tuple[int, ...] = key(
        (1, 3, 5, 1, 3, 5, 1, 3, 5), "of the first block, then of the second ...", least=1
    )
    double: bool = key(True, "a plain convolution after each dilated one")
    spectral: Spectral = table(Spectral, "distances from the recording")
    adversary: Adversary = table(Adversary, "critics")

    def check(self, facts: Facts) -> None:
        """Refuse sizes that do not fit each other, or the grid."""
        rates, kernels, halves = self.rates, self.kernels, 2 ** len(self.rates)
        if math.prod(rates) != facts.hop_length:
            raise SettingError(
                f"rates {rates} multiply to {math.prod(rates)}, but a frame is "
                f"{facts.hop_length} samples; change rates, and kernels with them"
            )
        if len(kernels) != len(rates) or any(k < r for k, r in zip(kernels, rates, strict=True)):
            raise SettingError(f"kernels are {kernels}, needs one a rate of {rates}, no less")
        if self.channels % halves:
            raise SettingError(f"channels is {self.channels}, needs a multiple of {halves}")
        if any(kernel % 2 == 0 for kernel in self.block_kernels):
            raise SettingError(f"block_kernels are {self.block_kernels}, needs odd numbers")
        if not self.dilations or len(self.dilations) % len(self.block_kernels):
            raise SettingError(
                f"dilations are {self.dilations}, needs as many for each of {self.block_kernels}"
            )

    def blocks(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the kernel of each block of a step, with its dilations."""
        count = len(self.dilations) // len(self.block_kernels)
        for i, kernel in enumerate(self.block_kernels):
            yield kernel, self.dilations[i * count : (i + 1) * count]

    def reach(self, activation: int = 0) -> int:
        """Return how many frames on either side a sample depends on, or a few more.

        An activation itself may see samples on either side.
        """
        convolutions = 2 if self.double else 1
        samples = ENDS // 2 + activation
        for rate, kernel in zip(reversed(self.rates), reversed(self.kernels), strict=True):
            samples += max(
                sum(width // 2 * (each + convolutions - 1) for each in dilations)
                + len(dilations) * convolutions * activation
                for width, dilations in self.blocks()
            )
            samples = math.ceil((samples + kernel) / rate)
        return samples + ENDS // 2


class Upsampler(nn.Module):
    """(B, M, T) to (B, T · hop_length).

    `inner` are the activations of the blocks; `before` comes before each step, `end` before the
    last convolution.
    """

    def __init__(
        self, shape: Shape, facts: Facts, inner: Activation, before: nn.Module, end: Activation
    ) -> None:
        super().__init__()
        shape.check(facts)
        self.first = _conv(facts.n_mels, shape.channels, ENDS)
        sizes = zip(shape.rates, shape.kernels, strict=True)
        self.steps = nn.Sequential(
            *(
                Step(shape.channels // 2**i, rate, kernel, shape, inner, before)
                for i, (rate, kernel) in enumerate(sizes)
            )
        )
        channels = shape.channels // 2 ** len(shape.rates)
        self.end = end(channels)
        self.last = _conv(channels, 1, ENDS)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.end(self.steps(self.first(mel)))  # (B, C, L)
        return torch.tanh(self.last(x))[:, 0]


class Step(nn.Module):
    """(B, C, L) to (B, C / 2, rate · L)."""

    def __init__(
        self,
        channels: int,
        rate: int,
        kernel: int,
        shape: Shape,
        inner: Activation,
        before: nn.Module,
    ) -> None:
        super().__init__()
        self.before = before
        spare, half = kernel - rate, channels // 2
        padding = (spare + 1) // 2, spare % 2  # so that it is rate · L exactly
        self.up = _norm(nn.ConvTranspose1d(channels, half, kernel, rate, *padding))
        self.blocks = nn.ModuleList(
            Block(half, kernel, dilations, shape.double, inner)
            for kernel, dilations in shape.blocks()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(self.before(x))
        mean: Tensor = sum(block(x) for block in self.blocks) / len(self.blocks)
        return mean


class Block(nn.Module):
    """Adds a convolution of each dilation, and where it is double a plain one after it."""

    def __init__(
        self,
        channels: int,
        kernel: int,
        dilations: tuple[int, ...],
        double: bool,
        inner: Activation,
    ) -> None:
        super().__init__()
        self.changes = nn.ModuleList()
        for dilation in dilations:
            change = nn.Sequential(inner(channels), _conv(channels, channels, kernel, dilation))
            if double:
                change.extend([inner(channels), _conv(channels, channels, kernel)])
            self.changes.append(change)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, L) to the same."""
        for change in self.changes:
            x = x + change(x)
        return x


def _conv(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Module:
    padding = kernel // 2 * dilation
    return _norm(nn.Conv1d(inputs, outputs, kernel, padding=padding, dilation=dilation))


def _norm(conv: nn.Conv1d | nn.ConvTranspose1d) -> nn.Module:
    nn.init.normal_(conv.weight, 0, 0.01)
    return weight_norm(conv)
