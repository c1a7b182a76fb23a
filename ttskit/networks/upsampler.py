"""The generator of HiFi-GAN (Kong et al., 2020): from frames to samples in several steps.

Every step is a transposed convolution, then the mean of residual blocks with kernels of different
sizes.

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
from ttskit.networks.critics import AudioAdversary
from ttskit.networks.facts import Facts
from ttskit.networks.spectral import Spectral
from ttskit.settings import key, table

ENDS = 7  # width of the first and of the last convolution

Activation = Callable[[int], nn.Module]  # from a number of channels


@dataclass(frozen=True)
class UpsamplerConfig:
    """Sizes, by default those of HiFi-GAN V1, and losses."""

    channels: int = key(512, "channels before the first step; each step halves them", least=2)
    rates: tuple[int, ...] = key(
        (8, 8, 2, 2), "upsampling factor of each step; their product is the hop length", least=1
    )
    kernels: tuple[int, ...] = key(
        (16, 16, 4, 4), "kernel of each step in samples, at least its rate", least=1
    )
    block_kernels: tuple[int, ...] = key(
        (3, 7, 11), "kernels of the residual blocks of each step, odd", least=1, some=True
    )
    dilations: tuple[int, ...] = key(
        (1, 3, 5, 1, 3, 5, 1, 3, 5),
        "dilations in the first block, then in the second ..., equally many each",
        least=1,
    )
    double: bool = key(True, "follow each dilated convolution by an undilated one")
    spectral: Spectral = table(Spectral, "spectral distances from the recording")
    adversary: AudioAdversary = table(AudioAdversary, "critics (discriminators)")

    def check(self, facts: Facts) -> None:
        """Refuse sizes that do not fit each other or the hop length."""
        rates, kernels, halves = self.rates, self.kernels, 2 ** len(self.rates)
        if math.prod(rates) != facts.hop_length:
            raise SettingError(
                f"rates {rates} multiply to {math.prod(rates)}, but a frame is "
                f"{facts.hop_length} samples; change rates, and kernels with them"
            )
        if len(kernels) != len(rates) or any(k < r for k, r in zip(kernels, rates, strict=True)):
            raise SettingError(
                f"kernels are {kernels}, needs one for each of {rates}, and none below it"
            )
        if self.channels % halves:
            raise SettingError(f"channels is {self.channels}, needs a multiple of {halves}")
        if any(kernel % 2 == 0 for kernel in self.block_kernels):
            raise SettingError(f"block_kernels are {self.block_kernels}, needs odd numbers")
        if not self.dilations or len(self.dilations) % len(self.block_kernels):
            raise SettingError(
                f"dilations are {self.dilations}, needs as many for each of {self.block_kernels}"
            )

    def blocks(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the kernel and the dilations of each block of a step."""
        count = len(self.dilations) // len(self.block_kernels)
        for i, kernel in enumerate(self.block_kernels):
            yield kernel, self.dilations[i * count : (i + 1) * count]

    def reach(self, activation: int = 0) -> int:
        """Return the frames on either side that a sample depends on, rounded up.

        `activation` is the number of samples on either side that an activation depends on.
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
    """A generator, mel (B, M, T) to audio (B, T · hop_length).

    `inner` makes the activations of the blocks; `before` precedes each step, `end` the last
    convolution.
    """

    def __init__(
        self,
        config: UpsamplerConfig,
        facts: Facts,
        inner: Activation,
        before: nn.Module,
        end: Activation,
    ) -> None:
        super().__init__()
        config.check(facts)
        self.first = _conv(facts.n_mels, config.channels, ENDS)
        sizes = zip(config.rates, config.kernels, strict=True)
        self.steps = nn.Sequential(
            *(
                Step(config.channels // 2**i, rate, kernel, config, inner, before)
                for i, (rate, kernel) in enumerate(sizes)
            )
        )
        channels = config.channels // 2 ** len(config.rates)
        self.end = end(channels)
        self.last = _conv(channels, 1, ENDS)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.end(self.steps(self.first(mel)))  # (B, C, L)
        return torch.tanh(self.last(x))[:, 0]


class Step(nn.Module):
    """Upsampling, (B, C, L) to (B, C / 2, rate · L), and the mean of residual blocks."""

    def __init__(
        self,
        channels: int,
        rate: int,
        kernel: int,
        config: UpsamplerConfig,
        inner: Activation,
        before: nn.Module,
    ) -> None:
        super().__init__()
        self.before = before
        spare, half = kernel - rate, channels // 2
        padding = (spare + 1) // 2, spare % 2  # for exactly rate · L samples
        self.up = weight_norm(nn.ConvTranspose1d(channels, half, kernel, rate, *padding))
        self.blocks = nn.ModuleList(
            ResidualBlock(half, kernel, dilations, config.double, inner)
            for kernel, dilations in config.blocks()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(self.before(x))
        mean: Tensor = sum(block(x) for block in self.blocks) / len(self.blocks)
        return mean


class ResidualBlock(nn.Module):
    """Residual convolutions, one for each dilation; if double, an undilated one follows each."""

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
        """(B, C, L) -> (B, C, L)."""
        for change in self.changes:
            x = x + change(x)
        return x


def _conv(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Module:
    padding = kernel // 2 * dilation
    return weight_norm(nn.Conv1d(inputs, outputs, kernel, padding=padding, dilation=dilation))
