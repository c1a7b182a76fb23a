"""Where rounds of Griffin-Lim begin, computed from a mel by operators that ONNX has.

Shapes: T frames, F frequency bins, M mel bands, C candidates, L lags, N = T·hop samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ttskit.dsp import melpitch
from ttskit.dsp.griffinlim import Bands, size
from ttskit.dsp.mel import MelSettings, filters
from ttskit.dsp.source import continued, excitation, explained, pulses


class Start(nn.Module):
    """Magnitudes of bins, and real and imaginary parts of their phases, (1, T, F) each."""

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar = ("magnitude", "real", "imaginary")
    continues: ClassVar[bool]  # whether bands go on above fmax
    bank: Tensor

    def __init__(self, settings: MelSettings) -> None:
        super().__init__()
        self.settings = settings
        bank = torch.from_numpy(filters(settings, continued=self.continues))
        self.register_buffer("bank", bank)


class SourceStart(Start):
    """The source of `dsp.source`."""

    inputs = ("mel", "f0", "voiced", "white")
    continues = True

    def forward(
        self, mel: Tensor, f0: Tensor, voiced: Tensor, white: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """mel (1, T, M), f0 (1, T) also where unvoiced, voiced (1, T) bool, white (1, N)."""
        phase = excitation(pulses(f0, self.settings), white, voiced, self.settings).whole
        magnitude = size(phase) + 1e-6
        real, imaginary = (part / magnitude for part in (phase.real, phase.imag))
        return explained(continued(mel, self.bank), magnitude), real, imaginary


class NoiseStart(Start):
    """Random phases, and magnitudes from the mel alone."""

    inputs = ("mel", "turns")
    continues = False

    def forward(self, mel: Tensor, turns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """mel (1, T, M), turns (1, T, F) from 0 to 1."""
        angle = 2 * torch.pi * turns
        return Bands(mel, self.bank).magnitudes(), angle.cos(), angle.sin()


class PitchCandidates(nn.Module):
    """The candidates of `dsp.melpitch`, in an order of their own but for the last, unvoiced one."""

    inputs = ("mel",)
    outputs = ("height", "octaves")
    bank: Tensor
    shares: Tensor
    spread: Tensor
    fade: Tensor
    cosines: Tensor
    window: Tensor
    favour: Tensor

    def __init__(self, settings: MelSettings) -> None:
        super().__init__()
        n_fft, self.rate = settings.n_fft, settings.sample_rate
        lags = np.arange(n_fft // 2 + 1)
        hertz = lags * self.rate / n_fft
        bank = filters(settings)[hertz < melpitch.TOP[1]]  # (F, M)
        bank = bank[:, bank.any(axis=0)]
        cosines = np.cos(2 * np.pi * np.arange(len(bank))[:, None] * lags / n_fft) * 2 / n_fft
        cosines[0] /= 2
        self.first = max(1, int(self.rate / melpitch.FMAX))
        last = max(self.first, min(int(self.rate / melpitch.FMIN) + 1, len(lags) - 2))
        self.stop = last + 1
        places = np.arange(self.first, self.stop)
        for name, values in {
            "bank": bank,
            "shares": (bank / np.maximum(bank.sum(axis=1, keepdims=True), 1e-9)).T,
            "spread": (bank / bank.sum(axis=0)).T,
            "fade": np.interp(hertz[: len(bank)], melpitch.TOP, (1, 0)),
            "cosines": cosines,
            "window": np.maximum(0.5 + 0.5 * np.cos(2 * np.pi * lags / n_fft), 0.1),
            "favour": melpitch.OCTAVE * np.log2(self.rate / melpitch.FMIN / places),
        }.items():
            self.register_buffer(name, torch.from_numpy(np.asarray(values, np.float32)))

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """mel (1, T, M) -> heights and octaves (1, T, C)."""
        bands = mel[..., : self.bank.shape[1]].exp()
        magnitude = bands @ self.spread
        for _ in range(melpitch.STEPS):
            ratio = bands / (magnitude @ self.bank).clamp(min=1e-9)
            magnitude = magnitude * (ratio @ self.shares)
        correlation = (magnitude * self.fade) @ self.cosines  # (1, T, L)
        correlation = correlation / (correlation[..., :1].clamp(min=1e-9) * self.window)
        left, here, right = (
            correlation[..., self.first + k : self.stop + k] for k in (-1, 0, 1)
        )
        peak = (here > left) & (here >= right)
        rank = torch.where(peak, here + self.favour, -9)
        best = rank.topk(min(melpitch.CANDIDATES, rank.shape[-1]), -1).indices  # (1, T, C - 1)
        left, top, right = (x.gather(-1, best) for x in (left, here, right))
        found = peak.gather(-1, best)
        bend = torch.where(found, 2 * (left - 2 * top + right), -1)
        off = torch.where(found, (left - right) / bend, 0)
        octaves = torch.log2(self.rate / (self.first + best + off))
        height = (top - (left - right) * off / 4).clamp(max=1)
        height = torch.where(found, height + self.favour[best], -9)
        none = torch.ones_like(height[..., :1])
        heights = torch.cat([height, melpitch.UNVOICED * none], -1)
        return heights, torch.cat([octaves, 0 * none], -1)


# family without weights -> the graphs that stand for it, in the order in which they run
STARTS: Mapping[str, tuple[type[Start | PitchCandidates], ...]] = {
    "source": (PitchCandidates, SourceStart),
    "griffinlim": (NoiseStart,),
}
