"""Spectral distances at several resolutions (Yamamoto et al., 2020, Parallel WaveGAN).

B batch, N samples, T frames, F frequency bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ttskit.dsp import grid, stft
from ttskit.dsp.loudness import FLOOR, a_weighting
from ttskit.settings import key


@dataclass(frozen=True)
class Spectral:
    """Weights and sizes of the spectral losses."""

    mel: float = key(5.0, "weight of the L1 distance of log-mel", least=0)
    stft: float = key(
        1.0, "weight of the spectral convergence and of the L1 distance of log-magnitudes", least=0
    )
    n_fft: tuple[int, ...] = key(
        (512, 1024, 2048), "FFT sizes in samples; hops are a quarter", least=8, some=True
    )


def distances(audio: Tensor, target: Tensor, sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return spectral convergence and L1 of log-magnitudes, each (B,), the means over sizes."""
    linear, log = [], []
    for n_fft in sizes:
        own, true = magnitudes(audio, n_fft), magnitudes(target, n_fft)
        # at least 1, the level of faint noise, so that silence does not give large gradients
        linear.append((own - true).norm(dim=(1, 2)) / true.norm(dim=(1, 2)).clamp(min=1))
        log.append((own.log() - true.log()).abs().mean((1, 2)))
    return torch.stack(linear).mean(0), torch.stack(log).mean(0)


def differences(
    audio: Tensor, target: Tensor, sizes: Sequence[int], floor: float
) -> tuple[Tensor, Tensor]:
    """Return L1 of magnitudes and of log-magnitudes, each (B,), the means over sizes.

    No magnitude is below the floor, which bounds the gradient of the logarithm.
    """
    linear, log = [], []
    for n_fft in sizes:
        own, true = magnitudes(audio, n_fft, floor), magnitudes(target, n_fft, floor)
        linear.append((own - true).abs().mean((1, 2)))
        log.append((own.log() - true.log()).abs().mean((1, 2)))
    return torch.stack(linear).mean(0), torch.stack(log).mean(0)


def magnitudes(audio: Tensor, n_fft: int, floor: float = 1e-4) -> Tensor:
    """Return magnitudes (B, F, T) of audio (B, N), at least the floor; a hop is n_fft / 4.

    Clips shorter than half a window are reflected repeatedly, as in `dsp.mel`.
    """
    window, half = torch.hann_window(n_fft, device=audio.device), n_fft // 2
    short = audio.shape[1] <= half
    if short:
        at = torch.from_numpy(grid.reflected(audio.shape[1], half, half))
        audio = audio[:, at.to(audio.device)]
    spectrum = torch.stft(
        audio, n_fft, n_fft // 4, window=window, center=not short, return_complex=True
    )
    return (torch.view_as_real(spectrum).square().sum(-1) + floor**2).sqrt()


def loudness(audio: Tensor, sample_rate: int, hop_length: int, n_fft: int = 512) -> Tensor:
    """Return `dsp.loudness` of audio (B, N), (B, T) dB, differentiable down to its floor."""
    curve = a_weighting(np.fft.rfftfreq(n_fft, 1 / sample_rate))
    weight = torch.from_numpy(10 ** (curve / 10) / len(curve)).to(audio)
    spectrum = torch.view_as_real(stft.spectrum(audio, n_fft, hop_length))  # (B, T, F, 2)
    power = spectrum.square().sum(-1) @ weight
    return 10 * (power + 10 ** (FLOOR / 10)).log10()
