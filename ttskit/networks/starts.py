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

BEYOND = 1 << 30  # after all frames


class Start(nn.Module):
    """From a mel (1, T, M) and random numbers to what rounds begin with.

    That is: mel bands (1, T, M) as magnitudes, gone on with up to half the rate where there are
    filters for that; magnitudes of bins, and real and imaginary parts of phases, (1, T, F) each;
    and the filters (F, M).
    """

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar = ("bands", "magnitude", "real", "imaginary", "filters")
    continues: ClassVar[bool]  # whether bands go on above fmax
    bank: Tensor

    def __init__(self, settings: MelSettings) -> None:
        super().__init__()
        self.settings = settings
        bank = torch.from_numpy(filters(settings, continued=self.continues))
        self.register_buffer("bank", bank)


class SourceStart(Start):
    """The source of `dsp.source`, by a pitch that is known."""

    inputs: ClassVar[tuple[str, ...]] = ("mel", "f0", "voiced", "white")
    continues = True

    def forward(self, mel: Tensor, f0: Tensor, voiced: Tensor, white: Tensor) -> tuple[Tensor, ...]:
        """mel (1, T, M), f0 (1, T) along a line, voiced (1, T) bool, white noise (1, N)."""
        phase = excitation(pulses(f0, self.settings), white, voiced, self.settings).whole
        magnitude = size(phase) + 1e-6
        real, imaginary = (part / magnitude for part in (phase.real, phase.imag))
        bands = continued(mel, self.bank)
        return bands.mel, explained(bands, magnitude), real, imaginary, self.bank.clone()


class WholeSource(SourceStart):
    """The same, by the pitch that `dsp.melpitch` finds in the mel."""

    inputs = ("mel", "white")

    def __init__(self, settings: MelSettings) -> None:
        super().__init__(settings)
        self.candidates = PitchCandidates(settings)

    def forward(self, mel: Tensor, white: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """mel (1, T, M), white noise (1, N)."""
        height, octaves = self.candidates(mel.flatten(0, 1))
        chosen = path(height, octaves)  # (T,)
        voiced = chosen < height.shape[1] - 1
        f0 = line(octaves.gather(1, chosen[:, None])[:, 0].exp2(), voiced)
        return super().forward(mel, f0[None], voiced[None], white)


class NoiseStart(Start):
    """Random phases, and magnitudes from the mel alone."""

    inputs = ("mel", "turns")
    continues = False

    def forward(self, mel: Tensor, turns: Tensor) -> tuple[Tensor, ...]:
        """mel (1, T, M), turns (1, T, F) from 0 to 1."""
        bands, angle = Bands(mel, self.bank), 2 * torch.pi * turns
        return bands.mel, bands.magnitudes(), angle.cos(), angle.sin(), self.bank.clone()


class PitchCandidates(nn.Module):
    """The candidates of `dsp.melpitch`, in an order of their own but for the last, unvoiced one."""

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
        """mel (T, M) -> heights and octaves (T, C)."""
        bands = mel[..., : self.bank.shape[1]].exp()
        magnitude = bands @ self.spread
        for _ in range(melpitch.STEPS):
            ratio = bands / (magnitude @ self.bank).clamp(min=1e-9)
            magnitude = magnitude * (ratio @ self.shares)
        correlation = (magnitude * self.fade) @ self.cosines  # (T, L)
        correlation = correlation / (correlation[..., :1].clamp(min=1e-9) * self.window)
        left, here, right = (correlation[..., self.first + k : self.stop + k] for k in (-1, 0, 1))
        peak = (here > left) & (here >= right)
        rank = torch.where(peak, here + self.favour, -9)
        best = rank.topk(min(melpitch.CANDIDATES, rank.shape[-1]), -1).indices  # (T, C - 1)
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


def path(height: Tensor, octaves: Tensor) -> Tensor:
    """Return the candidates (T,) of the best path, as `melpitch.path` finds it."""
    from torch._higher_order_ops.scan import scan

    heard = (torch.arange(height.shape[1]) < height.shape[1] - 1).float()
    change = melpitch.CHANGE * (heard[:, None] - heard).abs()

    def onward(score: Tensor, frame: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        before, after, heights = frame
        jump = melpitch.JUMP * (before[:, None] - after).abs() * heard[:, None] * heard
        reached = score[:, None] - (jump + change)
        return reached.amax(0) + heights, reached.argmax(0)

    def back(place: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        before = step.gather(0, place)
        return before, before.clone()

    frames = octaves[:-1].clone(), octaves[1:].clone(), height[1:].clone()
    score, steps = scan(onward, height[0].clone(), frames)
    last = score.argmax(0, keepdim=True)
    _, others = scan(back, last, steps, reverse=True)
    return torch.cat([others[:, 0], last])


def line(f0: Tensor, voiced: Tensor) -> Tensor:
    """Return f0 (T,) along a line between what is voiced, as `melpitch.line` does."""
    place, any_voiced = torch.arange(f0.shape[0]), voiced.any()  # len() would be a constant
    known = voiced & (place <= place[:, None]), voiced & (place >= place[:, None])  # (T, T)
    before = torch.where(known[0], place, -1).amax(1)
    after = torch.where(known[1], place, BEYOND).amin(1)
    first = torch.where(before < 0, after, before) * any_voiced
    last = torch.where(after == BEYOND, before, after) * any_voiced
    share = ((place - first) / (last - first).clamp(min=1)).clamp(0, 1)
    inner = f0[first] + share * (f0[last] - f0[first])
    return torch.where(any_voiced, inner, melpitch.ANY)


# family without weights -> where its rounds begin: for a program that finds the pitch by itself,
# and for others
STARTS: Mapping[str, tuple[type[Start], type[Start]]] = {
    "source": (SourceStart, WholeSource),
    "griffinlim": (NoiseStart, NoiseStart),
}
